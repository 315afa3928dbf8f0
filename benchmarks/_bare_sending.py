"""The bare things under deliver: aiohttp in a loop, and the same behind an outbox of one SQLite table."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

HEADERS = {"Content-Type": "application/json"}
_LEASE_MS = 120_000


@asynccontextmanager
async def session(connections: int) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session that keeps this many connections."""
    connector = aiohttp.TCPConnector(limit=connections, limit_per_host=connections)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as opened:
        yield opened


async def post(opened: aiohttp.ClientSession, url: str, body: bytes) -> int:
    """Send one body and read the whole answer."""
    async with opened.post(url, data=body, headers=HEADERS) as answer:
        await answer.read()
        return answer.status


async def posted(url: str, bodies: Sequence[bytes], connections: int) -> float:
    """Send every body; return the seconds it took."""
    waiting = iter(bodies)

    async def work(opened: aiohttp.ClientSession) -> None:
        for body in waiting:
            await post(opened, url, body)

    async with session(connections) as opened:
        began = time.perf_counter()
        await asyncio.gather(*(work(opened) for _ in range(connections)))
        return time.perf_counter() - began


async def posted_from_outbox(path: Path, url: str, bodies: Sequence[bytes], connections: int) -> float:
    """Send every body from an outbox: claim under a lease, send, settle; return the seconds it took."""
    outbox = _BareOutbox(path, bodies)
    woken, settled, under_way = asyncio.Event(), list[int](), 0
    loop = asyncio.get_running_loop()

    async def work(opened: aiohttp.ClientSession, seq: int, body: bytes) -> None:
        await post(opened, url, body)
        settled.append(seq)
        woken.set()

    with ThreadPoolExecutor(1) as writer:
        async with session(connections) as opened, asyncio.TaskGroup() as tasks:
            began, left = time.perf_counter(), len(bodies)
            while left:
                woken.clear()
                done, settled = settled, []
                left, under_way = left - len(done), under_way - len(done)
                room = connections - under_way
                claimed = await loop.run_in_executor(writer, outbox.turn, done, room)
                under_way += len(claimed)
                for seq, body in claimed:
                    tasks.create_task(work(opened, seq, body))
                if left and not settled:
                    await woken.wait()
            return time.perf_counter() - began


class _BareOutbox:
    """One table; a turn settles and claims in one durable transaction."""

    def __init__(self, path: Path, bodies: Sequence[bytes]) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        execute = self._connection.execute
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            execute(f"PRAGMA {pragma}")
        execute("CREATE TABLE outbox (seq INTEGER PRIMARY KEY, state INTEGER, lease INTEGER, body BLOB)")
        execute("CREATE INDEX waiting ON outbox (seq) WHERE state = 0")
        rows = [(body,) for body in bodies]
        execute("BEGIN")
        self._connection.executemany("INSERT INTO outbox (state, lease, body) VALUES (0, 0, ?)", rows)
        execute("COMMIT")

    def turn(self, settled: Sequence[int], room: int) -> list[tuple[int, bytes]]:
        """Settle what arrived and lease what is next."""
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        settle = "UPDATE outbox SET state = 2, lease = 0, body = NULL WHERE seq = ? AND state = 1"
        self._connection.executemany(settle, [(seq,) for seq in settled])
        claim = (
            "UPDATE outbox SET state = 1, lease = ? WHERE seq IN "
            "(SELECT seq FROM outbox WHERE state = 0 ORDER BY seq LIMIT ?) RETURNING seq, body"
        )
        claimed = execute(claim, (int(time.time() * 1000) + _LEASE_MS, room)).fetchall() if room else []
        execute("COMMIT")
        return claimed
