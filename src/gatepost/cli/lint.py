"""`gatepost template lint`: what parses, and yet sends something else than its author means."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from gatepost.cli.client import Client
from gatepost.cli.command import Session, client_command, part
from gatepost.cli.files import text_in
from gatepost.cli.templatecases import type_of
from gatepost.cli.templateversions import template_named, text_at
from gatepost.cli.trials import Event

app = part("Look over templates.")

_COLOURS = {"error": "red", "warning": "yellow"}


@client_command(
    app,
    "lint",
    "gatepost template lint insider_enter.jsonnet",
    "gatepost template lint insider_exit --event exit --strict --json",
)
def lint(
    session: Session,
    template: Annotated[str, typer.Argument(help="A file, or a saved template by name or id.")],
    event: Annotated[
        Event | None, typer.Option(help="The trigger it is used for, if the jobs do not say so yet.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings too.")] = False,
) -> None:
    """Look for fields that no profile has, missing values that are hidden, numbers that lose digits, and the like.

    It knows the published schema, and the jobs of the saved template that is called like the file.

    Exits with 1 when there are errors.
    """
    client, out = session
    file = Path(template)
    if file.is_file():
        name, source, type_ = file.stem, text_in(file), type_of(file)
    else:
        found = template_named(client, template)
        text = text_at(client, found, int(found["version"]))
        name, source, type_ = str(found["name"]), text.text, text.type
    findings = findings_of(client, name, source, type_, event.value if event else "")
    levels = [finding["level"] for finding in findings]
    errors, warnings = levels.count("error"), levels.count("warning")
    out.document({"errors": errors, "warnings": warnings, "findings": findings})
    for finding in findings:
        out.show(_shown(template, finding))
    out.say(f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}")
    if errors or (strict and warnings):
        raise typer.Exit(1)


def findings_of(
    client: Client, name: str, source: str, type_: str, event: str = ""
) -> Sequence[dict[str, Any]]:
    """Return what the server finds doubtful in a template."""
    wish = {"template_definition": source, "template_type": type_, "name": name, "event": event}
    found: list[dict[str, Any]] = client.post("/v2/template/lint", wish)
    return found


def brief_finding(finding: dict[str, Any]) -> str:
    """Return a finding on one line."""
    return f"line {finding['line']}, column {finding['column']}: {finding['message']}; {finding['right']}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _shown(file: str, finding: dict[str, Any]) -> Text:
    level = finding["level"]
    return Text.assemble(
        (f"{file}:{finding['line']}:{finding['column']}: ", "bold"),
        (f"{level} {finding['code']}: ", _COLOURS[level]),
        f"{finding['message']}\n",
        ("".join(f"    {line}\n" for line in finding["excerpt"].splitlines()), "dim"),
        f"  {finding['right']}",
    )
