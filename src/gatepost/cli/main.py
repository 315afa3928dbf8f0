"""The `gatepost` command: finds the part that was asked for, and turns errors into one clear line."""

import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from gatepost import __version__
from gatepost.cli.failure import say_failed, show_failure
from gatepost.model.errors import GatepostError

_PARTS = {
    "Programs": {
        "up": "Run gatepost.",
        "sandbox": "Run a stand-in for a destination.",
        "demo": "Replay real purchases through gatepost and the Insider sandbox.",
    },
    "State": {
        "status": "Show how far everything is, and what needs a look.",
    },
    "Configuration": {
        "config": "Apply what a YAML file or a folder declares.",
        "schema": "Show the published schema and its versions.",
        "token": "Make, list and revoke access tokens.",
    },
    "Data": {
        "collect": "Send a file of events to a stream.",
        "profile": "Show what is known of one person.",
        "audience": "List, change and look into audiences.",
        "backtest": "See who would have been in an audience.",
    },
    "Sending": {
        "template": "List, change and test templates.",
        "job": "List, steer and verify jobs.",
        "delivery": "Follow deliveries and replay them.",
    },
}


class _Parts(TyperGroup):
    """Imports a part when it is called, so that `gatepost --help` pays for none of them."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for panel, parts in _PARTS.items():
            for name, summary in parts.items():
                self.add_command(TyperCommand(name, help=summary, rich_help_panel=panel))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            command = get_command(import_module(f"gatepost.cli.{command.name}").app)
        return name, command, rest


app = typer.Typer(
    name="gatepost",
    cls=_Parts,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog=(
        "Commands but those under Programs talk to a running gatepost: tell them where with [bold]GATEPOST_URL[/] "
        "and [bold]GATEPOST_TOKEN[/], or on one machine with [bold]GATEPOST_DATA[/].\n\n"
        "$ gatepost up --data ./gatepost-data\n\n"
        "$ gatepost config apply -f examples/insider --dry-run"
    ),
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gatepost {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Keep an engagement platform in step with your audiences, in real time."""


def main() -> None:
    """Run the command line: exit 0 when done, 1 when it failed, 2 when called wrongly, 130 on Ctrl-C."""
    try:
        app(prog_name="gatepost")
    except GatepostError as error:
        show_failure(error)
        sys.exit(1)
    except BrokenPipeError:
        # The reader has gone; the interpreter would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        # A defect of ours: the screen of a user is no place for its traceback.
        if os.environ.get("GATEPOST_TRACEBACK"):
            raise
        say_failed(f"a defect of gatepost: {type(error).__name__}: {error}")
        typer.echo("Please report it with what GATEPOST_TRACEBACK=1 shows.", err=True)
        sys.exit(1)
