"""The store in its SQLite file: one writer thread, a few readers beside it."""

import asyncio
import queue
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from gatepost.backends.sqlite.catalog import SqliteCatalog, SqliteLedger
from gatepost.backends.sqlite.connection import Writer, connect, open_database
from gatepost.backends.sqlite.contents import SqliteContents
from gatepost.backends.sqlite.deliveries import SqliteDeliveries
from gatepost.backends.sqlite.erasures import SqliteErasures
from gatepost.backends.sqlite.merges import SqliteMerges
from gatepost.backends.sqlite.outbox import SqliteOutbox
from gatepost.backends.sqlite.profiles import SqliteMemberships, SqliteProfiles
from gatepost.backends.sqlite.remains import SqliteRemains
from gatepost.ports.store import Transaction

T = TypeVar("T")

_READERS = 2
_CACHE_KIB = 64 * 1024


class SqliteTransaction:
    """The ports over one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @cached_property
    def profiles(self) -> SqliteProfiles:
        """Profiles, identifiers and timers."""
        return SqliteProfiles(self._connection)

    @cached_property
    def memberships(self) -> SqliteMemberships:
        """Who is in which audience."""
        return SqliteMemberships(self._connection)

    @cached_property
    def outbox(self) -> SqliteOutbox:
        """Deliveries waiting to leave."""
        return SqliteOutbox(self._connection)

    @cached_property
    def deliveries(self) -> SqliteDeliveries:
        """Deliveries to look at."""
        return SqliteDeliveries(self._connection)

    @cached_property
    def catalog(self) -> SqliteCatalog:
        """What is configured."""
        return SqliteCatalog(self._connection)

    @cached_property
    def merges(self) -> SqliteMerges:
        """What is remembered of merges."""
        return SqliteMerges(self._connection)

    @cached_property
    def erasures(self) -> SqliteErasures:
        """Who was erased, and who is being erased."""
        return SqliteErasures(self._connection)

    @cached_property
    def ledger(self) -> SqliteLedger:
        """The store's own books."""
        return SqliteLedger(self._connection)


class SqliteStore:
    """The store of one process; see `ports.store.Store`."""

    def __init__(self, path: Path) -> None:
        connection = open_database(path, "state", _CACHE_KIB)
        self._transaction = SqliteTransaction(connection)
        self._writer = Writer(connection, "state")
        self.remains = SqliteRemains(self._writer, path)
        self.contents = SqliteContents(path)
        self._readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        for _ in range(_READERS):
            self._readers.put(connect(path))
        self._pool = ThreadPoolExecutor(_READERS, thread_name_prefix="gatepost-read")

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run work that writes."""
        return await self._writer.run(lambda _: work(self._transaction))

    def write_blocking(self, work: Callable[[Transaction], T]) -> T:
        """Run work that writes, from another thread."""
        return self._writer.submit(lambda _: work(self._transaction)).result()

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run work that only reads, on one snapshot."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, work)

    def close(self) -> None:
        """Finish what was begun and close."""
        self._writer.close()
        self._pool.shutdown()
        while not self._readers.empty():
            self._readers.get().close()

    def _read(self, work: Callable[[Transaction], T]) -> T:
        connection = self._readers.get()
        try:
            connection.execute("BEGIN")
            return work(SqliteTransaction(connection))
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._readers.put(connection)
