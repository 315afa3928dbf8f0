"""`gatepost config`: configuration as code."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from gatepost.cli.client import Client, Refused
from gatepost.cli.command import Session, client_command, part
from gatepost.cli.confirmation import confirm
from gatepost.cli.declaration import DeclarationError, Declared, load_declaration
from gatepost.cli.output import Output
from gatepost.cli.textdiff import show_diff_beside
from gatepost.cli.yamltree import Problem

app = part("Apply what a YAML file or a folder declares.")

_CONFLICT = 409
_SIGNS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}


@app.callback()
def group() -> None:
    """Keep streams, schema, audiences, templates, authorizations and jobs in files, and apply them."""


@client_command(
    app,
    "apply",
    "gatepost config apply -f examples/insider --dry-run",
    "INSIDER_TOKEN=... gatepost config apply -f gatepost.yaml",
    "gatepost config apply -f gatepost.yaml --prune --yes --json",
)
def apply(
    session: Session,
    file: Annotated[
        Path,
        typer.Option("--file", "-f", help="A YAML file, or a folder whose *.yaml files belong together."),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change and change nothing.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Also delete what an earlier apply made and the files no longer hold."),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", help="Do not ask about what cannot be taken back, such as what --prune deletes."
        ),
    ] = False,
) -> None:
    """Bring a gatepost to what the files declare, all of it or, when any part is wrong, nothing.

    Applying twice changes nothing more. Strings may hold ${NAME} or ${NAME:-default} from the environment.
    """
    client, out = session
    declared = _loaded(file, out)
    if not declared.document:
        out.warn(f"{file} declares nothing")
    wish = {"dry_run": dry_run, "prune": prune}
    try:
        report = _sent(client, declared, out, **wish, confirm=yes)
    except Refused as refused:
        if refused.status != _CONFLICT or yes:
            raise
        show_report(_sent(client, declared, out, dry_run=True, prune=prune), out, dry_run=True)
        confirm("This cannot be taken back. Apply it?", yes=False)
        report = _sent(client, declared, out, **wish, confirm=True)
    out.document(report)
    show_report(report, out, dry_run=dry_run)


def show_report(report: dict[str, Any], out: Output, *, dry_run: bool) -> None:
    """Print what was, or would be, changed."""
    changes = [change for change in report["changes"] if change["action"] in _SIGNS]
    unchanged = len(report["changes"]) - len(changes)
    if changes:
        out.table(("", "what", "name", "details"), map(_row, changes), empty="")
    for warning in report.get("warnings") or ():
        out.warn(warning)
    said = f"= {unchanged:,} unchanged"
    if dry_run:
        said += "; this was a dry run, nothing was changed"
    elif not changes:
        said += ", nothing to do"
    out.say(said)


def _row(change: dict[str, Any]) -> Sequence[object]:
    sign, style = _SIGNS[change["action"]]
    details = "\n".join(str(detail) for detail in change.get("details") or ())
    return Text(sign, style=style), change["kind"], Text(change["name"], style=style), details


def _loaded(file: Path, out: Output) -> Declared:
    try:
        return load_declaration(file, os.environ)
    except DeclarationError as error:
        _show_problems(error.problems, out)
        raise


def _sent(client: Client, declared: Declared, out: Output, **query: object) -> dict[str, Any]:
    """Post the declaration; problems the server finds are shown where they stand in the files."""
    try:
        report: dict[str, Any] = client.post("/v2/config", declared.document, **query)
    except Refused as error:
        placed = [problem for problem in error.problems if "path" in problem]
        if not placed:
            raise
        problems = [
            declared.problem(
                str(problem["path"]),
                str(problem["message"]),
                int(problem.get("line") or 0),
                int(problem.get("column") or 0),
            )
            for problem in placed
        ]
        _show_problems(problems, out)
        raise DeclarationError(problems) from None
    return report


def _show_problems(problems: list[Problem], out: Output) -> None:
    out.document({"problems": [_told(problem) for problem in problems]})
    for problem in problems:
        headline, *rest = str(problem).split("\n")
        typer.echo(headline, err=True)
        show_diff_beside(rest)


def _told(problem: Problem) -> dict[str, object]:
    return {
        "file": str(problem.place.file),
        "line": problem.place.line,
        "column": problem.place.column,
        "path": ".".join(problem.keys),
        "message": problem.message,
    }
