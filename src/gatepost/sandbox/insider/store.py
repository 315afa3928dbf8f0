"""The SQLite file that lets profiles survive a restart, written a little behind the answers."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import orjson

from gatepost.model.errors import OperatorError
from gatepost.sandbox.insider.profiles import Changes, Profile, Profiles

_SCHEMA_VERSION = 1
_SCHEMA = """
BEGIN;
CREATE TABLE profiles (number INTEGER PRIMARY KEY, document BLOB NOT NULL) STRICT;
CREATE TABLE events (
    profile INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (profile, body)
) STRICT, WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
PRAGMA user_version = 1;
COMMIT;
"""

Row = tuple[int, bytes]


class ProfileStore:
    """Loads all profiles once and then takes batches of changes, each in one transaction."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Used by one thread at a time: the loop's before start and after stop, a worker's in between.
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1)
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            msg = f"cannot use {path}: {error}; stop the other sandbox that owns it, or choose another folder"
            raise OperatorError(msg) from error

    def _prepare(self) -> None:
        run = self._connection.execute
        # Exclusive, so that a second sandbox on the same folder is refused instead of interleaved.
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        version = run("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._connection.executescript(_SCHEMA)
        elif version != _SCHEMA_VERSION:
            msg = (
                f"the folder was written by another version (schema {version}, this one is {_SCHEMA_VERSION})"
            )
            raise sqlite3.DatabaseError(msg)
        # A write takes the exclusive lock now rather than at the first batch.
        run("INSERT OR IGNORE INTO counters VALUES ('last_number', 0)")

    def load(self) -> Profiles:
        """Return everything stored."""
        run = self._connection.execute
        profiles = Profiles(run("SELECT value FROM counters WHERE name = 'last_number'").fetchone()[0])
        events: dict[int, dict[bytes, None]] = {}
        for number, body in run("SELECT profile, body FROM events"):
            events.setdefault(number, {})[body] = None
        for number, document in run("SELECT number, document FROM profiles ORDER BY number"):
            profiles.load(Profile(number=number, events=events.get(number, {}), **orjson.loads(document)))
        return profiles

    def save(self, changes: Changes, rows: Iterable[Row]) -> None:
        """Write one batch, whole or not at all."""
        run, many = self._connection.execute, self._connection.executemany
        run("BEGIN IMMEDIATE")
        try:
            if changes.cleared:
                run("DELETE FROM profiles")
                run("DELETE FROM events")
            gone = [(number,) for number in changes.erased]
            many("INSERT OR REPLACE INTO profiles VALUES (?, ?)", rows)
            many("INSERT OR IGNORE INTO events VALUES (?, ?)", changes.events)
            many("DELETE FROM profiles WHERE number = ?", gone)
            many("DELETE FROM events WHERE profile = ?", gone)
            run("UPDATE counters SET value = ? WHERE name = 'last_number'", (changes.last_number,))
            run("COMMIT")
        except BaseException:
            run("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file; the write-ahead log is folded back into it."""
        self._connection.close()


class Writer:
    """Saves what changed, at most one interval behind; a batch that fails is kept and tried again."""

    def __init__(self, store: ProfileStore, take: Callable[[], Changes], interval: float = 0.2) -> None:
        self._store = store
        self._take = take
        self._interval = interval
        self._waiting: list[tuple[Changes, list[Row]]] = []
        self._lock = asyncio.Lock()
        self._stopping = asyncio.Event()
        self.trouble: str | None = None

    async def run(self) -> None:
        """Save until told to stop, and once more then."""
        while not self._stopping.is_set():
            # Not a cancelled task: cancelling would leave a thread behind in the middle of a batch.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._interval)
            await self.flush()

    def stop(self) -> None:
        """Let `run` save what is left and return."""
        self._stopping.set()

    async def flush(self) -> None:
        """Save everything that changed up to now."""
        async with self._lock:
            changes = self._take()
            if changes:
                # Documents are printed here, on the loop, so that no batch sees half a change.
                self._waiting.append((changes, list(_rows(changes))))
            if self._waiting:
                await asyncio.to_thread(self._save_waiting)

    def _save_waiting(self) -> None:
        try:
            while self._waiting:
                self._store.save(*self._waiting[0])
                del self._waiting[0]
            self.trouble = None
        except sqlite3.Error as error:
            self.trouble = f"profiles are not being saved: {error}"


def _rows(changes: Changes) -> Iterator[Row]:
    for profile in changes.changed.values():
        document = {
            "partner": profile.partner,
            "created": profile.created,
            "updated": profile.updated,
            "identifiers": profile.identifiers,
            "default": profile.default,
            "custom": profile.custom,
        }
        yield profile.number, orjson.dumps(document)
