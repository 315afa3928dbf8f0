"""Pictures of a data folder, as a killed process would leave it: what it wrote stays in the page cache.

A picture is taken before every SQL statement of the thread that writes, which stands still meanwhile.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from gatepost.backends.sqlite.log import SqliteLog
from gatepost.backends.sqlite.store import SqliteStore


class Image(msgspec.Struct, frozen=True):
    """The files at one moment, and what the world outside had seen by then."""

    folder: Path
    seen: tuple[Any, ...]
    statement: str


class Images:
    """Takes pictures; moments that left the same files to the same world are kept once."""

    def __init__(self, folder: Path, into: Path, seen: Callable[[], tuple[Any, ...]] = lambda: ()) -> None:
        self._folder = folder
        self._into = into
        self._seen = seen
        self._known: set[object] = set()
        self.statements = 0
        self.taken: list[Image] = []
        into.mkdir()

    def watch(self, part: SqliteStore | SqliteLog) -> None:
        """Take a picture before every statement that a part writes with."""
        writing_connection(part).set_trace_callback(self.take)

    def leave(self, part: SqliteStore | SqliteLog) -> None:
        """Take no more pictures of a part."""
        writing_connection(part).set_trace_callback(None)

    def take(self, statement: str) -> None:
        """Take a picture now; the caller sees to it that nobody writes."""
        files = {path.name: path.read_bytes() for path in self._files()}
        seen = self._seen()
        digest = hashlib.sha256()
        for name, content in sorted(files.items()):
            digest.update(f"{name}:{len(content)}:".encode() + content)
        key = (digest.digest(), seen)
        if key not in self._known:
            self._known.add(key)
            self._keep(files, seen, statement)
        # SQLite swallows what a callback raises, so only a picture that succeeded is counted.
        self.statements += 1

    def _keep(self, files: dict[str, bytes], seen: tuple[Any, ...], statement: str) -> None:
        folder = self._into / f"{len(self.taken):04}"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        self.taken.append(Image(folder, seen, " ".join(statement.split())[:80]))

    def _files(self) -> Iterator[Path]:
        """The databases and their logs; the shared index is rebuilt from them by whoever opens first."""
        for name in ("state", "log"):
            for suffix in ("", "-wal"):
                path = self._folder / f"{name}{suffix}"
                if path.exists():
                    yield path


def writing_connection(part: SqliteStore | SqliteLog) -> sqlite3.Connection:
    """The one connection that writes a file."""
    return part._writer._connection
