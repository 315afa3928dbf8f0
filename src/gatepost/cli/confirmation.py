"""Asks before something cannot be undone."""

import sys

import typer

from gatepost.cli.failure import CommandError


def confirm(question: str, *, yes: bool) -> None:
    """Go on when told so by `--yes` or at the terminal; raise CommandError otherwise."""
    if yes:
        return
    if not sys.stdin.isatty():
        msg = f"{question} Nobody is there to say yes"
        raise CommandError(msg, hint="Add --yes if you mean it.")
    if not typer.confirm(question, err=True):
        msg = "nothing was changed"
        raise CommandError(msg)
