"""What deletion leaves in a SQLite file: free pages, torn pages, and the write-ahead log.

Freed cells are zeroed at once (`secure_delete = FAST`), which costs no write of its own. Free pages are overwritten
by a table that takes them all; what neither reaches goes when the file is written anew.
"""

import sqlite3
from collections.abc import Collection
from pathlib import Path

from gatepost.backends.sqlite.connection import BUSY_MS, Writer
from gatepost.model.errors import OperatorError
from gatepost.ports.remains import Looked

_PAGES = 512
"""Free pages overwritten in one transaction."""
_PIECE = 32 * 1024 * 1024
"""Bytes of a file read at once."""
_SMALL = 64 * 1024 * 1024
"""Bytes up to which a file is written anew in well under a second."""
_PATIENCE_MS = 1_500
"""How long the writer waits for readers of the write-ahead log; reads are shorter, and everybody waits meanwhile."""
_SHORTEST = 6
"""Characters a text must have to be told from chance."""


class SqliteRemains:
    """See `ports.remains`."""

    def __init__(self, writer: Writer, path: Path) -> None:
        self._writer = writer
        self._path = path

    def sweep(self) -> bool:
        """Overwrite some free pages."""
        return self._writer.submit(_sweep).result()

    def look(self, texts: Collection[bytes], start: int) -> Looked:
        """Read a piece of the file for texts."""
        wanted = [text for text in texts if len(text) >= _SHORTEST]
        if start == 0:
            self._writer.submit_alone(_empty_wal).result()
        overlap = max(map(len, wanted), default=0)
        with self._path.open("rb") as file:
            file.seek(max(0, start - overlap))
            piece = file.read(_PIECE + overlap).lower()
        found = any(text in piece for text in wanted)
        return Looked(found, start + _PIECE if start + _PIECE < self._path.stat().st_size else None)

    def rewrite(self) -> None:
        """Write the file anew and empty its write-ahead log."""
        self._writer.submit_alone(_rewrite).result()

    def small(self) -> bool:
        """Say whether a rewrite costs next to nothing."""
        return self._path.stat().st_size <= _SMALL


def _sweep(connection: sqlite3.Connection) -> bool:
    connection.execute("CREATE TABLE IF NOT EXISTS sweep (zeros BLOB)")
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    if free:
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute("INSERT INTO sweep VALUES (zeroblob(?))", (min(free, _PAGES) * (page - 16),))
        return True
    connection.execute("DROP TABLE sweep")
    return False


def _rewrite(connection: sqlite3.Connection) -> None:
    # A whole file must not be held in memory; there is no savepoint here that a spill could harm.
    connection.execute("PRAGMA temp_store = DEFAULT")
    connection.execute("PRAGMA cache_spill = ON")
    try:
        connection.execute("VACUUM")
    finally:
        connection.execute("PRAGMA cache_spill = OFF")
        connection.execute("PRAGMA temp_store = MEMORY")
    _empty_wal(connection)


def _empty_wal(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    if busy:
        msg = "the write-ahead log cannot be emptied while something else reads the file; it is tried again"
        raise OperatorError(msg)
