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
        if self.json:
            return
        if self._console.is_terminal:
            self._console.print(renderable)
            return
        # In a file the blanks with which rich fills up a line are in the way.
        with self._console.capture() as drawn:
            self._console.print(renderable)
        sys.stdout.write("".join(f"{line.rstrip()}\n" for line in drawn.get().splitlines()))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
        """Print rows under column names, or a sentence when there are none.

        `>name` aligns to the right. `?name` is left out, the last one first, where a terminal is too narrow for all.
        """
        if self.json:
            return
        filled = [[_cell(value) for value in row] for row in rows]
        if not filled:
            self.say(empty)
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        kept = _fitting(columns, filled, self._console.width)
        for place in kept:
            name = _plain(columns[place])
            is_right = ">" in columns[place][: -len(name)]
            table.add_column(
                name,
                justify="right" if is_right else "left",
                overflow="fold",
                no_wrap=name in _WHOLE,
                min_width=len(name),
            )
        for row in filled:
            table.add_row(*(row[place] for place in kept))
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
_GAP = 2
"""Blanks between columns."""
_WHOLE = frozenset(
    {"id", "size", "entered", "left", "status", "state", "tries", "created", "updated", "started", "time"}
)
"""Columns that are never broken over lines."""


def _console_on(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else _WIDE)


def _plain(column: str) -> str:
    return column.lstrip("?>")


def _fitting(columns: Sequence[str], rows: Sequence[Sequence[Text]], width: int) -> list[int]:
    """Return the places of the columns to show: optional ones go, the last first, until the rest fits."""
    needed = [
        max(len(_plain(column)), *(row[place].cell_len for row in rows)) + _GAP
        for place, column in enumerate(columns)
    ]
    kept = list(range(len(columns)))
    for place in reversed(range(len(columns))):
        if sum(needed[one] for one in kept) - _GAP <= width:
            break
        if columns[place].startswith("?"):
            kept.remove(place)
    return kept


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
