"""What a command that failed says: one red line on standard error, and below it what would be right."""

import os
import sys

import typer

from gatepost.model.errors import GatepostError, SourceError, UserError


class CommandError(UserError):
    """A command cannot do what it was asked; `hint` says what would be right."""

    def __init__(self, message: str, *, excerpt: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.excerpt = excerpt
        self.hint = hint


def show_failure(error: GatepostError) -> None:
    """Print an error to standard error."""
    say_failed(error.message)
    if isinstance(error, CommandError | SourceError):
        for more in (error.excerpt, error.hint):
            if more and more not in error.message:
                typer.echo(more, err=True)


def say_failed(message: str) -> None:
    """Print one line that says what is wrong."""
    typer.echo(in_red("error:") + f" {message}", err=True)


def in_red(text: str) -> str:
    """Colour a text for standard error, where that is a terminal which wants colours."""
    return typer.style(text, fg="red", bold=True) if colours_wanted() else text


def colours_wanted() -> bool:
    """Tell whether standard error shows colours; NO_COLOR turns them off."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")
