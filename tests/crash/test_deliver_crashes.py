"""Deliver is stopped at every point between claim and settlement: at most one repeat, same id, same bytes."""

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from pathlib import Path

import msgspec
import orjson
import pytest

from gatepost.backends.clock import SystemClock
from gatepost.backends.sqlite.log import SqliteLog
from gatepost.backends.sqlite.store import SqliteStore
from gatepost.core.addresses import AllowList
from gatepost.core.retry import RetryOptions
from gatepost.model.delivery import Delivery, DeliveryState
from gatepost.model.erasure import Withdrawn
from gatepost.model.request import Answer, Request
from gatepost.outbound.keyring import open_key_ring
from gatepost.ports.outbox import DeliveryFilter
from gatepost.providers.contract import DELIVERY_HEADER
from gatepost.providers.registry import installed_providers
from gatepost.rendering import HelperRenderer, RenderOptions
from gatepost.stages.courier import Courier
from gatepost.stages.deliver import DeliverOptions, DeliverParts, DeliverStage
from gatepost.stages.orders import OrderBook
from tests.crash.images import Images
from tests.factories import ACCOUNT
from tests.pipeline import Pipeline, make_job

Receipt = tuple[str, bytes, int]
"""Delivery id, body, and the status it was answered with."""

Moment = Callable[[], Awaitable[None]]

SHOPPERS = ("ada", "bob", "eve", "joan")
AT_ONCE = RetryOptions(schedule=(0.001,), jitter=0)


class Destination:
    """A sender whose receiver is down for every third delivery at first; both ends of a call are moments."""

    def __init__(self, receipts: Sequence[Receipt], moment: Moment) -> None:
        self.receipts = [*receipts]
        self._moment = moment

    async def send(self, request: Request) -> Answer:
        """Receive."""
        await self._moment()
        id_ = dict(request.headers)[DELIVERY_HEADER]
        again = any(id_ == known for known, _, _ in self.receipts)
        status = 503 if int(id_, 16) % 3 == 0 and not again else 200
        self.receipts.append((id_, request.body, status))
        await self._moment()
        return Answer(status=status, body=orjson.dumps({"seen": id_}))

    async def close(self) -> None:
        """Nothing is open."""


class Ending(msgspec.Struct, frozen=True):
    """How everything ended."""

    receipts: list[Receipt]
    deliveries: list[Delivery]
    """Oldest first."""
    answers: list[str]
    """The deliveries whose answer came back as an event."""


class Life:
    """Deliver on a folder, from its start until nothing is left to do."""

    def __init__(self, folder: Path, receipts: Sequence[Receipt] = ()) -> None:
        self.store = SqliteStore(folder / "state")
        self.log = SqliteLog(folder / "log", SystemClock())
        self.destination = Destination(receipts, self._moment)
        self.images: Images | None = None
        self._keys = open_key_ring(folder, None)

    def lived(self) -> Ending:
        """Deliver everything, close, and tell how it ended."""
        asyncio.run(self._run())
        return self.ending()

    def ending(self) -> Ending:
        """Close, and tell how it ended."""
        wanted = DeliveryFilter(account=ACCOUNT, limit=10_000)
        listed = self.store.write_blocking(lambda tx: tx.deliveries.listed(wanted))
        answers = [event for event in self.log.read(0, 10_000) if event.stream == "answers"]
        self.log.close()
        self.store.close()
        return Ending(
            receipts=self.destination.receipts,
            deliveries=[item.delivery for item in reversed(listed)],
            answers=[orjson.loads(event.body)["response"]["seen"] for event in answers],
        )

    async def _run(self) -> None:
        stage = self.stage()
        running = asyncio.create_task(stage.run())
        await until_empty(self.store)
        if self.images:
            self.images.leave(self.store)
        await stage.stop()
        await running

    def stage(self) -> DeliverStage:
        """The stage under test, with its destination as the network."""
        clock = SystemClock()
        parts = DeliverParts(
            store=self.store,
            courier=Courier(self.destination, installed_providers(), self.log, clock, AllowList()),
            renderer=HelperRenderer(RenderOptions(workers=1)),
            orders=OrderBook(self._keys),
            clock=clock,
            roll=lambda: 0.0,
        )
        return DeliverStage(parts, DeliverOptions(retry=AT_ONCE))

    async def _moment(self) -> None:
        """Take a picture on the thread that writes, so that it writes nothing meanwhile."""
        images = self.images
        if images:
            await self.store.write(lambda _: images.take("the end of a call"))


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until something holds that sets no event."""
    while not holds():  # noqa: ASYNC110 - see above
        await asyncio.sleep(0)


async def until_empty(store: SqliteStore) -> None:
    """Poll until no delivery is unfinished."""
    async with asyncio.timeout(30):
        while await store.read(lambda tx: tx.outbox.destinations()):  # noqa: ASYNC110 - the store sets no event
            await asyncio.sleep(0.002)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with three triggers for each shopper: enter, enter, exit."""
    folder = tmp_path / "shop"
    folder.mkdir()
    pipeline = Pipeline(folder)
    pipeline.configure("spend > 50", "AND ( spend > 50, spend < 90 )", jobs=False)
    job = make_job(2, stream="answers")
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, job.id, job))
    for _ in range(2):
        for user in SHOPPERS:
            pipeline.send(user=user, total=60)
    pipeline.settle()
    pipeline.close()
    return folder


def test_deliver_killed_anywhere_repeats_at_most_once_and_loses_nothing(shop: Path, tmp_path: Path) -> None:
    life = Life(shop)
    images = life.images = Images(shop, tmp_path / "images", lambda: tuple(life.destination.receipts))
    images.watch(life.store)

    undisturbed = life.lived()

    assert images.statements > len(images.taken) > 20
    check(undisturbed, repeats=0, when="never killed")
    for image in images.taken:
        ending = Life(image.folder, image.seen).lived()
        check(ending, repeats=1, when=f"killed before {image.statement!r}, {len(image.seen)} received")


def check(ending: Ending, *, repeats: int, when: str) -> None:
    owners = {delivery.id: delivery.profile for delivery in ending.deliveries}
    times = Counter(id_ for id_, _, status in ending.receipts if status == 200)
    assert 3 * len(SHOPPERS) == len(owners), when
    assert {DeliveryState.DELIVERED} == {delivery.state for delivery in ending.deliveries}, when
    assert owners.keys() == times.keys(), when
    assert max(times.values()) <= 1 + repeats, when
    assert len(owners) == len({(id_, body) for id_, body, _ in ending.receipts}), f"{when}: a repeat differs"
    assert sorted(ending.answers) == sorted(owners), f"{when}: an answer was lost or counted twice"
    for profile in set(owners.values()):
        arrived = [id_ for id_, _, _ in ending.receipts if owners[id_] == profile]
        in_order = [id_ for id_, owner in owners.items() if owner == profile]
        assert in_order == [id_ for id_, _ in groupby(arrived)], f"{when}: out of order"


def test_what_is_settled_while_a_turn_is_being_written_lets_the_next_delivery_go(shop: Path) -> None:
    life = Life(shop)
    answered, written = asyncio.Event(), threading.Event()
    first_call = asyncio.Event()

    async def hold_the_first() -> None:
        first_call.set()
        await answered.wait()

    life.destination = Destination((), hold_the_first)

    async def story() -> None:
        stage = life.stage()
        running = asyncio.create_task(stage.run())
        await first_call.wait()
        # The writer is busy, the turn that a notice starts waits for it, and meanwhile the answers come in.
        busy = life.store._writer.submit(lambda _: written.wait(30))
        async with asyncio.timeout(30):
            await until(life.store._writer._queue.empty)
            stage.notify([1])
            await until(lambda: not life.store._writer._queue.empty())
            answered.set()
            await until(lambda: len(stage._settlements.entries.settlements) == len(SHOPPERS))
            written.set()
            await asyncio.wrap_future(busy)
        await until_empty(life.store)
        await stage.stop()
        await running

    asyncio.run(story())

    check(life.ending(), repeats=0, when="never killed")


def test_what_told_of_somebody_erased_leaves_only_as_it_is_told_anew(shop: Path) -> None:
    life = Life(shop)
    wanted = DeliveryFilter(account=ACCOUNT, profile=1)
    listed = life.store.write_blocking(lambda tx: tx.deliveries.listed(wanted))
    shared = [item.delivery for item in listed]

    async def story() -> None:
        stage = life.stage()
        # A worker may hold them as they were told before.
        stage.forget(Withdrawn(told_of_her=frozenset((one.seq, one.snapshot) for one in shared)))
        running = asyncio.create_task(stage.run())
        async with asyncio.timeout(30):
            await until(lambda: len(life.destination.receipts) >= 3 * (len(SHOPPERS) - 1))
        told = orjson.dumps({"_id": "1", "user": "somebody"})
        await life.store.write(lambda tx: tx.outbox.retell(shared, told))
        stage.notify([1])
        await until_empty(life.store)
        await stage.stop()
        await running

    asyncio.run(story())

    ending = life.ending()
    ids = {one.id for one in shared}
    said = [body for id_, body, _ in ending.receipts if id_ in ids]
    check(ending, repeats=0, when="never killed")
    assert 3 <= len(said)
    assert all(b"somebody" in body and b"ada" not in body for body in said)
