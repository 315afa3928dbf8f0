"""Shows how one text became another."""

import difflib
from collections.abc import Sequence

import typer
from rich.text import Text

from gatepost.cli.failure import colours_wanted
from gatepost.cli.output import Output

_A_SCREEN = 40
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def diff_of(old: str, new: str, names: tuple[str, str]) -> str:
    """Return a unified diff; empty when the texts are the same."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), *names, lineterm="")
    return "\n".join(lines) or ("" if old == new else "only the ends of lines differ")


def show_diff(out: Output, diff: str, *, whole: bool = True) -> None:
    """Print a diff, what came in green and what went in red; unless `whole`, as much of it as a screen takes."""
    lines = diff.splitlines()
    shown = lines if whole or len(lines) <= _A_SCREEN else lines[:_A_SCREEN]
    for number, line in enumerate(shown):
        # The first two lines name the texts.
        style = "bold" if number < 2 else _COLOURS.get(line[:1], "")
        out.show(Text(line, style=style))
    if len(shown) < len(lines):
        out.say(
            f"... and {len(lines) - len(shown):,} more lines; --json and `gatepost template diff` have them all"
        )


def show_diff_beside(lines: Sequence[str]) -> None:
    """Print the lines of a diff to standard error, where problems are told."""
    for line in lines:
        colour = _COLOURS.get(line[:1]) if colours_wanted() else None
        typer.echo(typer.style(line, fg=colour) if colour else line, err=True)
