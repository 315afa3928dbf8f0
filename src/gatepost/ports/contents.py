"""The seam to everything a file stores, row by row, whatever it means."""

from typing import Protocol

import msgspec

Key = tuple[object, ...]
"""Where a row stands in its table."""


class StoredRow(msgspec.Struct, frozen=True):
    """One row as it is stored."""

    kind: str
    """The table's name, without the day that it may hold."""
    cells: dict[str, object]


class Piece(msgspec.Struct, frozen=True):
    """Some rows of a table."""

    rows: list[StoredRow]
    next: Key | None = None
    """What to go on after; None at the table's end."""


class Contents(Protocol):
    """The rows of one file; every method blocks, and sees what is committed."""

    def tables(self) -> list[str]:
        """Return the names of all tables."""

    def rows(self, table: str, after: Key) -> Piece:
        """Return some rows of a table after a key, empty to begin with; none when the table is gone."""
