"""What commands print: tables and sentences for people, or JSON and nothing else for programs."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

_WIDE = 100_000
"""Columns of something that is no terminal: a line there is never wrapped nor cut."""


class Output:
    """Where a command prints: results to standard output, remarks to standard error when JSON is asked for."""

    def __init__(self, *, json: bool) -> None:
        self.json = json
        self._console = _console_on(stderr=False)
        self.errors = _console_on(stderr=True)

    def document(self, document: object) -> None:
        """Print one JSON document on one line; only with `--json`."""
        if self.json:
            sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
            sys.stdout.flush()

    def say(self, text: str) -> None:
        """Print a sentence for people."""
        if not self.json:
            self._console.print(Text(text), soft_wrap=not self._console.is_terminal)

    def warn(self, text: str) -> None:
        """Print what a person has to know, to standard error and also where only JSON was asked for."""
        self.errors.print(Text(f"! {text}", style="yellow"), soft_wrap=not self.errors.is_terminal)

    def show(self, renderable: object) -> None:
        """Print anything rich can draw, for people."""
        if not self.json:
            self._console.print(renderable)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
        """Print rows under column names, or a sentence when there are none; `>name` aligns to the right."""
        if self.json:
            return
        filled = [[_cell(value) for value in row] for row in rows]
        if not filled:
            self.say(empty)
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            name = column.removeprefix(">")
            table.add_column(
                name,
                justify="right" if column != name else "left",
                overflow="fold",
                no_wrap=name in _WHOLE,
            )
        for row in filled:
            table.add_row(*row)
        self.show(table)

    def heading(self, text: str) -> None:
        """Print a heading above what follows."""
        self.show(Text(f"\n{text}", style="bold"))

    def facts(self, facts: Iterable[tuple[str, object]]) -> None:
        """Print names and values, a line each; what is empty is left out."""
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in facts:
            if value not in (None, "", [], {}):
                table.add_row(name, _cell(value))
        self.show(table)

    def progress(self) -> Progress:
        """Return a progress bar on standard error, which draws itself only in a terminal."""
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=self.errors,
            transient=True,
            disable=not self.errors.is_terminal,
        )


def short_id(id_: object) -> str:
    """Return enough of an id to tell things apart and to name them by."""
    return str(id_)[:_SHORT_ID]


def moment(time: object) -> str:
    """Return an RFC 3339 time to the second, for people."""
    return str(time)[:19].replace("T", " ") if time else ""


_SHORT_ID = 12
_WHOLE = frozenset(
    {"id", "size", "entered", "left", "status", "state", "tries", "created", "updated", "started", "time"}
)
"""Columns that are never broken over lines."""


def _console_on(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else _WIDE)


def _cell(value: Any) -> Text:
    match value:
        case Text():
            return value
        case None:
            return Text("-", style="dim")
        case bool():
            return Text("yes" if value else "no")
        case int():
            return Text(f"{value:,}")
        case str():
            return Text(value)
        case [*items] if all(isinstance(item, str) for item in items):
            return Text(", ".join(items))
        case _:
            return Text(msgspec.json.encode(value).decode())
