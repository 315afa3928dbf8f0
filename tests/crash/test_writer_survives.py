"""The thread that writes a file goes on, whatever becomes of those who asked it to."""

import asyncio
import threading
from pathlib import Path

from gatepost.backends.sqlite.store import SqliteStore
from tests.factories import ACCOUNT


def test_work_that_nobody_waits_for_any_more_harms_no_later_work(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state")
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: object) -> None:
        begun.set()
        go_on.wait(30)

    async def story() -> dict[str, int]:
        busy = asyncio.create_task(store.write(slow))
        await asyncio.to_thread(begun.wait, 30)
        given_up = asyncio.create_task(store.write(lambda tx: tx.ledger.count(ACCOUNT, {"given_up": 1})))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        go_on.set()
        await busy
        async with asyncio.timeout(30):
            await store.write(lambda tx: tx.ledger.count(ACCOUNT, {"later": 1}))
            return await store.read(lambda tx: tx.ledger.counters(ACCOUNT))

    counters = asyncio.run(story())

    store.close()
    assert 1 == counters["later"]
