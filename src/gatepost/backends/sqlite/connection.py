"""Opening the two files, and the one thread that writes each."""

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from gatepost.model.errors import GatepostError, OperatorError, Unavailable

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_Item = tuple[Future[Any], Work[Any], bool]
"""Who waits, for what, and whether it needs the connection without a transaction."""

BUSY_MS = 10_000
"""How long a statement waits for another process that holds the file."""
_SHARED_COMMIT = 512
"""Pieces of work that may share one commit; more would make the first one wait."""


def open_database(path: Path, family: str, cache_kib: int) -> sqlite3.Connection:
    """Open a file in WAL mode with full sync and bring it to the newest migration of its family."""
    # Personal data: private from the first moment, whoever made the folder. The WAL takes the same mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    # SQLite before 3.46 spoils the checksums of its write-ahead log when work that spilled pages is rolled back to
    # a savepoint: a kill would lose every commit after it. Pages that stay in memory until the commit cannot spill.
    connection.execute("PRAGMA cache_spill = OFF")
    # What is deleted is zeroed where it lay, for pages that are written anyway; `remains` sees to the rest.
    connection.execute("PRAGMA secure_delete = FAST")
    migrate(connection, family, path)
    return connection


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection whose transactions are begun and ended by hand."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def migrate(connection: sqlite3.Connection, family: str, path: Path) -> None:
    """Run the numbered files this database has not seen, each in a transaction; refuse a newer database."""
    folder = files("gatepost.backends.sqlite") / "migrations"
    steps = sorted(
        f.name for f in folder.iterdir() if f.name.startswith(f"{family}_") and f.name.endswith(".sql")
    )
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(steps):
        known = f"version {version}, this one knows {len(steps)}"
        msg = f"{path} was written by a newer gatepost ({known}); upgrade gatepost"
        raise OperatorError(msg)
    for number, name in enumerate(steps[version:], start=version + 1):
        sql = (folder / name).read_text(encoding="utf-8")
        connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")


class Writer:
    """Owns the one connection that writes a file; work queued while a commit runs shares the next."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        name: str,
        committed: Callable[[sqlite3.Connection], None] = lambda _: None,
    ) -> None:
        self._connection = connection
        self._committed = committed
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"gatepost-{name}", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T]) -> Future[T]:
        """Queue work; the future is done when its commit is on disk."""
        return self._put(work, alone=False)

    def submit_alone(self, work: Work[T]) -> Future[T]:
        """Queue work that takes the connection outside any transaction, such as a checkpoint."""
        return self._put(work, alone=True)

    async def run(self, work: Work[T]) -> T:
        """Queue work and wait for its commit."""
        return await asyncio.wrap_future(self.submit(work))

    def close(self) -> None:
        """Finish what is queued, then close the connection."""
        if not self._closed.is_set():
            self._closed.set()
            self._queue.put(None)
            self._thread.join()
            self._connection.close()

    def _put(self, work: Work[T], *, alone: bool) -> Future[T]:
        future: Future[T] = Future()
        if self._closed.is_set():
            future.set_exception(Unavailable("gatepost is stopping"))
        else:
            self._queue.put((future, work, alone))
        return future

    def _run(self) -> None:
        last: _Item | None
        while (first := self._queue.get()) is not None:
            batch, last = self._gathered(first)
            # From here on nobody can cancel them, so that every future can be given its result.
            self._commit([(f, w) for f, w, _ in batch if f.set_running_or_notify_cancel()])
            if last is None:
                return
            if last[2] and last[0].set_running_or_notify_cancel():
                self._do_alone(last[0], last[1])

    def _gathered(self, first: _Item) -> tuple[list[_Item], _Item | None]:
        """Return what shares a commit, and what ended the gathering: work of its own, the end, or nothing new."""
        batch: list[_Item] = []
        item: _Item | None = first
        while item is not None and not item[2]:
            batch.append(item)
            if len(batch) == _SHARED_COMMIT or self._queue.empty():
                break
            item = self._queue.get_nowait()
        return batch, item

    def _do_alone(self, future: Future[Any], work: Work[Any]) -> None:
        try:
            value = work(self._connection)
        except BaseException as error:  # noqa: BLE001 - whoever waits is told, and the thread goes on
            future.set_exception(_translated(error))
        else:
            future.set_result(value)

    def _commit(self, batch: list[tuple[Future[Any], Work[Any]]]) -> None:
        connection = self._connection
        done: list[tuple[Future[Any], Any]] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            done = [(f, v) for f, w in batch for ok, v in [self._attempt(f, w)] if ok]
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            for future, _ in batch:
                if not future.done():
                    future.set_exception(_translated(error))
            return
        self._committed(connection)
        for future, value in done:
            future.set_result(value)

    def _attempt(self, future: Future[Any], work: Work[Any]) -> tuple[bool, Any]:
        """Run one piece inside a savepoint, so that its failure undoes nothing of its neighbours."""
        connection = self._connection
        connection.execute("SAVEPOINT piece")
        try:
            value = work(connection)
        except BaseException as error:
            if not connection.in_transaction:
                # Some errors (a full disk) end the whole transaction by themselves.
                raise _ended(error) from error
            connection.execute("ROLLBACK TO piece")
            connection.execute("RELEASE piece")
            future.set_exception(_translated(error))
            return False, None
        connection.execute("RELEASE piece")
        return True, value

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _ended(error: BaseException) -> sqlite3.Error:
    return error if isinstance(error, sqlite3.Error) else sqlite3.OperationalError(str(error))


def _translated(error: BaseException) -> BaseException:
    """Say in the product's words what SQLite could not do."""
    if isinstance(error, GatepostError) or not isinstance(error, sqlite3.OperationalError):
        return error
    msg = f"the data folder cannot be written now ({error}); free some space or look at its disk"
    unavailable = Unavailable(msg, retry_after=10)
    unavailable.__cause__ = error
    return unavailable
