"""The bare thing under collect: one Starlette route, one SQLite writer, the same rows, the same durability.

Each line of a body becomes a row of the same columns as in the event log; requests that wait while a commit runs
share the next one. Nothing is checked, counted or authorized.
"""

import argparse
import asyncio
import queue
import socket
import sqlite3
import threading
import time
from pathlib import Path

import orjson
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_TABLE = """CREATE TABLE events (
    id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, account INTEGER NOT NULL, stream TEXT NOT NULL,
    received INTEGER NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL, hops INTEGER NOT NULL)"""
_INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

Waiting = tuple[asyncio.Future[None], list[bytes]]


class BareLog:
    """One thread that writes what waits, commit by commit."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._next_id = 1
        self._queue: queue.SimpleQueue[Waiting] = queue.SimpleQueue()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", _TABLE):
            self._connection.execute(statement)
        threading.Thread(target=self._run, daemon=True).start()

    async def append(self, bodies: list[bytes]) -> None:
        """Write events; return when they are on disk."""
        future = self._loop.create_future()
        self._queue.put((future, bodies))
        await future

    def _run(self) -> None:
        while True:
            batch = [self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get_nowait())
            self._connection.execute("BEGIN IMMEDIATE")
            for _, bodies in batch:
                self._connection.executemany(_INSERT, self._rows(bodies))
            self._connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(_release, [future for future, _ in batch])

    def _rows(self, bodies: list[bytes]) -> list[tuple[int, int, int, str, int, int, bytes, int]]:
        now, first = time.time_ns() // 1_000_000, self._next_id
        self._next_id += len(bodies)
        return [(first + place, 0, 1, "web", now, now, body, 0) for place, body in enumerate(bodies)]


def _release(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


async def _serve(listener: socket.socket, data: Path) -> None:
    log = BareLog(data, asyncio.get_running_loop())

    async def collect(request: Request) -> Response:
        await log.append((await request.body()).split(b"\n"))
        return Response(b'{"status":200}', media_type="application/json")

    application = Starlette(routes=[Route("/collect/{stream}", collect, methods=["POST"])])
    config = uvicorn.Config(application, http="httptools", ws="none", lifespan="off", log_level="critical")
    print(orjson.dumps({"port": listener.getsockname()[1]}).decode(), flush=True)
    await uvicorn.Server(config).serve([listener])


def run() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    with socket.create_server(("127.0.0.1", 0), backlog=2_048) as listener:
        uvloop.run(_serve(listener, parser.parse_args().data))


if __name__ == "__main__":
    run()
