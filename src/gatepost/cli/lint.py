"""`gatepost template lint`: what parses, and yet sends something else than its author means."""

from typing import Annotated, Any

import typer
from rich.text import Text

from gatepost.cli.command import Session, client_command, part
from gatepost.cli.findings import findings_of, subject_of
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
    subject = subject_of(client, template)
    findings = findings_of(client, subject, event.value if event else "")
    if subject.type != "jsonnet":
        out.warn("only whether it can be read was looked at: the rest of the lint is for Jsonnet")
    levels = [finding["level"] for finding in findings]
    errors, warnings = levels.count("error"), levels.count("warning")
    out.document({"errors": errors, "warnings": warnings, "findings": findings})
    for finding in findings:
        out.show(_shown(template, finding))
    out.say(f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}")
    if errors or (strict and warnings):
        raise typer.Exit(1)


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
