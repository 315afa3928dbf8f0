"""Latency: from the answer to an event to the first byte at the receiver, at 500 events a second.

A real gatepost in its own process; the sender of events and the receiver of deliveries share this one, and its clock.
The baseline is what cannot be saved: two small durable commits and one aiohttp post.
"""

import asyncio
import itertools
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import uvloop

from benchmarks import _accounts as accounts
from benchmarks._bare_sending import post, session
from benchmarks._common import Budget, Figure, Options, Run, alternated, options, percentile, scratch
from benchmarks._paced import Connections, collect_request, paced
from benchmarks._programs import gatepost
from benchmarks._receiver import Receiver
from gatepost.backends.sqlite.store import SqliteStore
from gatepost.ports.store import Transaction

LATENCY = Budget(ours=10)
RATE = 500
_CONNECTIONS = 16
_PATIENCE_S = 20
_KEY = b'"user_id":"'
_SAMPLES = 300


def main() -> None:
    given = options("Measure latency: from an accepted event to the first byte at its receiver.")
    run = Run("latency", given)
    with scratch() as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        measured = Latency(folder, given, runner)
        with measured.started():
            ours, baseline = alternated(measured.ours, measured.baseline, given.rounds)
        parts = {
            "p99": Figure(*measured.tails, "ms, p99", less_is_better=True),
            "accept": Figure(measured.accepts, measured.commits, "ms, p50", less_is_better=True),
        }
        run.report(
            Figure(ours, baseline, "ms, p50", less_is_better=True, extra={"rate": RATE}), LATENCY, parts
        )


class Latency:
    """The rounds; all have the same gatepost, which idles while the bare things are measured."""

    def __init__(self, folder: Path, given: Options, runner: asyncio.Runner) -> None:
        self._folder = folder
        self._runner = runner
        self._seconds = 1.0 if given.quick else 5.0
        self._users = itertools.count(1)
        self._wanted = 0
        self._arrived = asyncio.Event()
        self._began: dict[bytes, float] = {}
        self._answered: dict[bytes, float] = {}
        self.tails: tuple[list[float], list[float]] = ([], [])
        """The 99th percentiles, ours and the baseline's."""
        self.accepts: list[float] = []
        self.commits: list[float] = []

    @contextmanager
    def started(self) -> Iterator[None]:
        """Run the receiver here and a gatepost that sends to it."""
        server = self._runner.run(self._listen())
        port = server.sockets[0].getsockname()[1]
        self._url = f"http://127.0.0.1:{port}/hook"
        data = self._folder / "data"
        data.mkdir()
        store = SqliteStore(data / "state")
        self._token = store.write_blocking(self._configured)
        store.close()
        with gatepost(data, "--allow-host", f"127.0.0.1:{port}") as running:
            self._port = running["port"]
            self._runner.run(self._paced(0.5))
            yield
        server.close()

    def ours(self) -> float:
        """Measure gatepost."""
        accepts = self._runner.run(self._paced(self._seconds))
        waits = [(self._began[user] - at) * 1000 for user, at in self._answered.items()]
        self.tails[0].append(percentile(waits, 0.99))
        self.accepts.append(percentile(accepts, 0.5))
        return percentile(waits, 0.5)

    def baseline(self) -> float:
        """Measure two durable commits and a post, one after the other."""
        commits = _commits(self._folder / "bare")
        posts = self._runner.run(self._posts())
        self.tails[1].append(2 * percentile(commits, 0.99) + percentile(posts, 0.99))
        self.commits.append(percentile(commits, 0.5))
        return 2 * percentile(commits, 0.5) + percentile(posts, 0.5)

    def _configured(self, tx: Transaction) -> str:
        token = accounts.put_account(tx, [accounts.everybody()])
        accounts.put_job(tx, 1, self._url)
        return token

    async def _listen(self) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: Receiver(self._note), "127.0.0.1", 0)

    def _note(self, data: bytes) -> None:
        """Note the instant at which a delivery's first bytes came; its body may come a little later."""
        now = time.perf_counter()
        start = data.find(_KEY)
        if start >= 0:
            user = data[start + len(_KEY) :].split(b'"', 1)[0]
            self._began.setdefault(user, now)
        if len(self._began) >= self._wanted:
            self._arrived.set()

    async def _paced(self, seconds: float) -> list[float]:
        """Send events evenly until each has arrived; return the milliseconds to each answer."""
        self._wanted = int(seconds * RATE)
        self._began, self._answered, self._arrived = {}, {}, asyncio.Event()
        async with Connections(self._port, _CONNECTIONS) as connections:
            waits = await paced(lambda: self._sent(connections), RATE, seconds)
        await asyncio.wait_for(self._arrived.wait(), _PATIENCE_S)
        return waits

    async def _sent(self, connections: Connections) -> float:
        user = accounts.user_id(next(self._users)).encode()
        body = b'{"user_id":"%s","sku":"A-0001","price":3.5}' % user
        request = collect_request(f"/collect/json/{accounts.STREAM}", self._token, body)
        return await connections.answered(request, lambda: self._note_answer(user))

    def _note_answer(self, user: bytes) -> None:
        self._answered[user] = time.perf_counter()

    async def _posts(self) -> list[float]:
        waits = []
        async with session(1) as opened:
            for _ in range(_SAMPLES):
                sent = time.perf_counter()
                await post(opened, self._url, b'{"data":{}}')
                waits.append((time.perf_counter() - sent) * 1000)
        return waits


def _commits(path: Path) -> list[float]:
    """Return the milliseconds of small durable commits, one after the other."""
    waits = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, body BLOB)")
        for _ in range(_SAMPLES):
            began = time.perf_counter()
            connection.execute("INSERT INTO events (body) VALUES (?)", (b"x" * 400,))
            waits.append((time.perf_counter() - began) * 1000)
    return waits


if __name__ == "__main__":
    main()
