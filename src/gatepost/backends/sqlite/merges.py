"""Merges in SQLite; see `ports.merges`."""

import sqlite3
import zlib
from typing import Any

import msgspec

from gatepost.backends.sqlite.queries import load_queries
from gatepost.model.merge import Merge
from gatepost.model.times import Instant

_SQL = load_queries("merges.sql")
_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Merge).decode


class SqliteMerges:
    """Merges inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def keep(self, merge: Merge) -> None:
        """Remember a merge."""
        row = (merge.account, merge.survivor.number, merge.at, packed(merge))
        self._connection.execute(_SQL["keep"], row)

    def get(self, account: int, id_: int) -> Merge | None:
        """Return one merge."""
        row = self._connection.execute(_SQL["get"], (account, id_)).fetchone()
        return merge_of(row) if row else None

    def of(self, account: int, survivor: int) -> list[Merge]:
        """Return the merges that a profile survived."""
        return [merge_of(row) for row in self._connection.execute(_SQL["of"], (account, survivor))]

    def newest(self, account: int, survivor: int) -> Merge | None:
        """Return the latest merge that was not undone."""
        row = self._connection.execute(_SQL["newest"], (account, survivor)).fetchone()
        return merge_of(row) if row else None

    def undo(self, account: int, id_: int, at: Instant) -> None:
        """Note that a merge was undone."""
        self._connection.execute(_SQL["undo"], (at, account, id_))

    def prune(self, before: Instant, limit: int) -> int:
        """Forget old merges."""
        return self._connection.execute(_SQL["prune"], (before, limit)).rowcount


def packed(merge: Merge) -> bytes:
    """Return the document of a merge's row."""
    return zlib.compress(_ENCODE(merge), 1)


def merge_of(row: tuple[Any, ...]) -> Merge:
    """Return the merge of a row: its id, when it was undone, its document."""
    id_, undone, document = row
    merge = _DECODE(zlib.decompress(document))
    merge.id, merge.undone = id_, undone
    return merge
