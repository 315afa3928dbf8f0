"""Every row of a SQLite file, table by table; see `ports.contents`."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from gatepost.backends.sqlite.connection import connect
from gatepost.ports.contents import Key, Piece, StoredRow

_ROWS = 200
"""Rows read at once: short, for a profile may have a megabyte."""
_DAY = re.compile(r"_\d{8}$")
_PLACE = "rowid AS _place"


class SqliteContents:
    """Reads on a connection of its own each time, so that no read holds back the upkeep of the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def tables(self) -> list[str]:
        """Return the names of all tables, SQLite's own too."""
        with closing(connect(self._path)) as connection:
            found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            return [name for (name,) in found]

    def rows(self, table: str, after: Key) -> Piece:
        """Return some rows of a table in the order of its primary key."""
        with closing(connect(self._path)) as connection:
            connection.row_factory = sqlite3.Row
            key = _key(connection, table)
            if not key:
                return Piece([])
            found = _page(connection, table, key, after)
        kind = _DAY.sub("", table)
        rows = [StoredRow(kind, dict(row)) for row in found]
        more = tuple(found[-1][name] for name in key) if len(found) == _ROWS else None
        return Piece(rows, more)


def _key(connection: sqlite3.Connection, table: str) -> list[str]:
    """Return the columns of a table's primary key, or the place of a row where it has none."""
    columns = connection.execute("SELECT name, pk FROM pragma_table_info(?)", (table,)).fetchall()
    key = [name for name, place in sorted(columns, key=lambda column: column[1]) if place]
    return key or (["_place"] if columns else [])


def _page(connection: sqlite3.Connection, table: str, key: list[str], after: Key) -> list[sqlite3.Row]:
    columns = ", ".join("rowid" if name == "_place" else f'"{name}"' for name in key)
    shown = f"{_PLACE}, *" if key == ["_place"] else "*"
    marks = ", ".join("?" * len(key))
    where = f"WHERE ({columns}) > ({marks})" if after else ""
    query = f'SELECT {shown} FROM "{table}" {where} ORDER BY {columns} LIMIT {_ROWS}'  # noqa: S608 - names the file itself gave
    return connection.execute(query, after).fetchall()
