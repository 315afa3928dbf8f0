"""Deliver: claims what is due under a lease, composes, sends and settles, with no transaction open in between.

Everything that has to be written goes into one transaction a turn, so the number of syncs does not grow with the
number of deliveries. Each destination has a lane of its own, so a slow or dead one delays nobody else.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence

import msgspec
import structlog

from gatepost.core.addresses import erasing_reason
from gatepost.core.retry import RetryOptions
from gatepost.model.delivery import Delivery, DeliveryState, Outcome, Verdict
from gatepost.model.erasure import Withdrawn
from gatepost.model.errors import GatepostError
from gatepost.model.request import Answer
from gatepost.model.times import MINUTE, SECOND, Milliseconds
from gatepost.ports.clock import Clock
from gatepost.ports.renderer import Renderer
from gatepost.ports.store import Store, Transaction
from gatepost.providers.contract import PlannedRequest
from gatepost.stages.books import Entries, Stop, Turned, keep
from gatepost.stages.compose import (
    Composed,
    Draft,
    NotComposed,
    compose,
    draft,
    message_of,
    misdirected,
    restored,
    stored,
)
from gatepost.stages.courier import Courier, Exchanged
from gatepost.stages.lanes import Lanes, Trouble
from gatepost.stages.orders import Order, OrderBook
from gatepost.stages.settlements import Settlements

_LOG = structlog.get_logger("gatepost.deliver")

_ENGINE_PAUSE: Milliseconds = 2 * SECOND
_NAP: Milliseconds = 1 * SECOND
_ALL_LEASES = 2**62


class DeliverOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How deliver works."""

    worker: str = "up"
    lease: Milliseconds = 2 * MINUTE
    """Longer than the longest request, so a live worker never loses one."""
    under_way: int = 1_000
    """Deliveries in this process between claim and answer."""
    retry: RetryOptions = RetryOptions()


class DeliverParts(msgspec.Struct, frozen=True, kw_only=True):
    """What deliver works with."""

    store: Store
    courier: Courier
    renderer: Renderer
    orders: OrderBook
    clock: Clock
    roll: Callable[[], float]
    """Chance, from 0 to below 1."""


class DeliverStage:
    """The loop between the outbox and the destinations."""

    def __init__(self, parts: DeliverParts, options: DeliverOptions) -> None:
        self._store = parts.store
        self._courier = parts.courier
        self._renderer = parts.renderer
        self._orders = parts.orders
        self._clock = parts.clock
        self._options = options
        self._lanes = Lanes()
        self._kept: asyncio.Future[None] | None = None
        self._signal = asyncio.Event()
        self._settlements = Settlements(self._lanes, parts.clock, parts.roll, options.retry, self._signal.set)
        self._stopping = False
        self._ended = asyncio.Event()
        self._withdrawn = Withdrawn()
        self._tasks: dict[asyncio.Task[None], Sequence[Delivery]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def notify(self, destinations: Iterable[int]) -> None:
        """Say, from any thread, that destinations have something new."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._look, frozenset(destinations))

    def troubles(self) -> dict[int, Trouble]:
        """Return the destinations whose latest exchange failed, as far as this process knows."""
        return self._lanes.troubles()

    def forget(self, withdrawn: Withdrawn) -> None:
        """Say, from any thread, what may not be sent any more, whatever is under way."""
        self._withdrawn |= withdrawn

    async def run(self) -> None:
        """Run turns until stopped."""
        self._loop = asyncio.get_running_loop()
        found = False
        while not self._stopping:
            self._signal.clear()
            try:
                if not found:
                    await self._take_over()
                    found = True
                busy = await self._turn()
            except Exception as error:  # noqa: BLE001 - one turn's failure must never end the stage
                _LOG.error("deliver.waiting", error=f"{type(error).__name__}: {error}")
                await self._pause(SECOND)
                continue
            if not busy:
                await self._pause(self._lanes.nap(self._clock.wall(), self._orders.stopped, _NAP))
        self._ended.set()

    async def stop(self, grace_s: float = 5.0) -> None:
        """Claim nothing more, let requests under way end and settle, and give the rest back."""
        self._stopping = True
        self._signal.set()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace_s
        if self._loop is not None:
            # A turn under way may still start work, which has to be seen below.
            await self._ended.wait()
        while self._tasks and loop.time() < deadline:
            await self._keep_last()
            await asyncio.wait(self._tasks, timeout=0.05)
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._keep_last()

    async def _keep_last(self) -> None:
        """Settle what ended and give the rest back; on a full disk the next start finds it leased and repeats it."""
        try:
            await self._keep(self._settlements.take())
            if not self._tasks:
                await self._store.write(lambda tx: tx.outbox.rescue(_ALL_LEASES))
        except GatepostError as error:
            _LOG.error("deliver.waiting", error=error.message)

    async def _take_over(self) -> None:
        """Find what an earlier process left; the data folder has one owner, so every lease found is a dead one's."""
        await self._store.write(lambda tx: tx.outbox.rescue(_ALL_LEASES))
        self._lanes.look_now(await self._store.read(lambda tx: tx.outbox.destinations()))

    async def _turn(self) -> bool:
        """Write what there is to write, claim what is due; say whether there was anything."""
        entries = self._settlements.take()
        room = self._options.under_way - len(self._settlements)
        entries.claims = self._lanes.claims(self._clock.wall(), self._orders.caps, set(), room)
        if not (entries.claims or entries.settlements or entries.bodies):
            return False
        asked = [claim.destination for claim in entries.claims]
        self._lanes.ask(asked)
        try:
            turned = await self._keep(entries)
        except Exception:
            self._lanes.look_now(asked)
            raise
        self._lanes.answer(turned.due)
        self._start(turned)
        return True

    async def _keep(self, entries: Entries) -> Turned:
        """Run a turn's transaction; those who wait for their body to be on disk go on after it."""
        kept, self._kept = self._kept, None
        now = self._clock.wall()

        def work(tx: Transaction) -> Turned:
            self._orders.refresh(tx)
            # Only the catalog as of this transaction knows which destinations are open.
            entries.paused = frozenset(self._orders.paused)
            entries.homes = {id_: order.job.destination for id_, order in self._orders.orders.items()}
            entries.claims = [
                claim for claim in entries.claims if claim.destination not in self._orders.stopped
            ]
            return keep(tx, self._options.worker, entries, now, self._options.lease)

        try:
            turned = await self._store.write(work)
        except Exception:
            # Nothing was written: everything waits for the next turn, the waiters too.
            self._orders.forget()
            self._settlements.put_back(entries)
            self._kept = _chained(kept, self._kept)
            raise
        if kept is not None:
            kept.set_result(None)
        self._lanes.look_now(turned.moved)
        if entries.stops:
            self._orders.forget()
        return turned

    def _start(self, turned: Turned) -> None:
        """Begin the work on what was claimed, destination by destination."""
        groups: dict[int, list[Delivery]] = {}
        for delivery in turned.claimed:
            groups.setdefault(delivery.destination, []).append(delivery)
        self._settlements.hold(turned.claimed)
        for deliveries in groups.values():
            self._spawn(self._work(deliveries, turned.snapshots), deliveries)

    async def _work(self, deliveries: Sequence[Delivery], snapshots: dict[int, bytes]) -> None:
        """Compose, store and send the deliveries claimed for one destination."""
        ready: list[tuple[Draft, Composed]] = []
        fresh: list[Draft] = []
        for delivery in deliveries:
            item = self._draft(delivery, snapshots)
            if item is None:
                self._settlements.settle(delivery, DeliveryState.CANCELLED, "its job or audience is gone")
            elif delivery.body is not None and item.order.job.destination == delivery.destination:
                ready.append((item, restored(delivery.body)))
            else:
                fresh.append(item)
        new: list[tuple[Draft, Composed]] = []
        for item, composed in zip(
            fresh, await compose(self._renderer, fresh, self._clock.wall()), strict=True
        ):
            if isinstance(composed, NotComposed):
                self._not_composed(item.delivery, composed)
            else:
                new.append((item, composed))
        await self._store_bodies(new)
        self._send([*ready, *new])

    def _draft(self, delivery: Delivery, snapshots: dict[int, bytes]) -> Draft | None:
        order = self._orders.orders.get(delivery.job)
        audience = self._orders.audiences.get(delivery.audience)
        snapshot = snapshots.get(delivery.snapshot)
        if order is None or audience is None or snapshot is None:
            return None
        return draft(delivery, snapshot, order, (audience.id, audience.slug))

    def _not_composed(self, delivery: Delivery, why: NotComposed) -> None:
        if why.again:
            due = self._clock.wall() + _ENGINE_PAUSE
            self._settlements.settle(delivery, DeliveryState.RETRYING, why.reason, due=due)
        else:
            self._settlements.end(delivery, DeliveryState.OMITTED, why.reason)

    async def _store_bodies(self, composed: Sequence[tuple[Draft, Composed]]) -> None:
        """Wait until composed requests are on disk, so that a crash cannot change what a retry sends."""
        if not composed:
            return
        self._settlements.entries.bodies.update(
            {(d.delivery.seq, d.delivery.snapshot): stored(c) for d, c in composed}
        )
        if self._kept is None:
            self._kept = asyncio.get_running_loop().create_future()
        self._signal.set()
        await asyncio.shield(self._kept)

    def _send(self, ready: Sequence[tuple[Draft, Composed]]) -> None:
        """Start one task per planned request; a URL that is no longer allowed ends here."""
        drafts: dict[str, Draft] = {}
        messages = []
        for item, composed in ready:
            if self._is_withdrawn(item.delivery):
                continue
            if not self._may_go(item, composed.url):
                continue
            drafts[item.delivery.id] = item
            messages.append(message_of(item.delivery, composed, item.order))
        for planned in self._courier.plan(messages):
            carried = [drafts[id_] for id_ in planned.deliveries]
            self._spawn(self._exchange(planned, carried), [item.delivery for item in carried])

    def _is_withdrawn(self, delivery: Delivery) -> bool:
        """Say whether a delivery must not be sent as it was composed; one that was told anew is composed again."""
        if delivery.profile in self._withdrawn.profiles:
            self._settlements.settle(delivery, DeliveryState.CANCELLED, "erased")
        elif self._tells_of_erased(delivery):
            self._settlements.settle(delivery, DeliveryState.RETRYING, "told anew")
        else:
            return False
        return True

    def _tells_of_erased(self, delivery: Delivery) -> bool:
        gone = self._withdrawn
        return delivery.profile in gone.profiles or (delivery.seq, delivery.snapshot) in gone.told_of_her

    def _may_go(self, item: Draft, url: str) -> bool:
        """Say whether a final URL may be called; what an operator can allow later is tried again."""
        final = erasing_reason(url) or misdirected(url, item.order)
        if final:
            self._settlements.end(item.delivery, DeliveryState.REFUSED, final)
            return False
        refusal = self._courier.refusal(url)
        if refusal:
            self._settlements.unsent(item.delivery, refusal)
        return not refusal

    async def _exchange(self, planned: PlannedRequest, drafts: Sequence[Draft]) -> None:
        numbers = [item.delivery.attempts for item in drafts]
        exchanged = await self._courier.exchange(planned, drafts[0].order.auth, numbers)
        lane = self._lanes.lane(drafts[0].delivery.destination)
        lane.record(answered=_sensible(exchanged), now=self._clock.wall())
        for item, outcome, attempt in zip(drafts, exchanged.outcomes, exchanged.attempts, strict=True):
            final = await self._with_answer(item, outcome, exchanged.answer)
            if final.verdict is Verdict.STOP:
                self._settlements.entries.stops[item.delivery.destination] = _stop_of(
                    item.order, final.reason
                )
            self._settlements.attempted(item.delivery, final, attempt)

    async def _with_answer(self, item: Draft, outcome: Outcome, answer: Answer | None) -> Outcome:
        """Forward the answer of a job that asks for it; a delivery is not settled before that is on disk."""
        if outcome.verdict is not Verdict.DELIVERED or not item.order.stream or answer is None:
            return outcome
        if self._tells_of_erased(item.delivery):
            # What was sent before her erasure must not bring her back.
            return outcome
        if await self._courier.forward(item, answer):
            return outcome
        return Outcome(verdict=Verdict.RETRY, reason="its answer could not be stored")

    def _look(self, destinations: Iterable[int]) -> None:
        self._lanes.look_now(destinations)
        self._signal.set()

    async def _pause(self, milliseconds: Milliseconds) -> None:
        try:
            async with asyncio.timeout(milliseconds / 1000):
                await self._signal.wait()
        except TimeoutError:
            return

    def _spawn(self, work: Coroutine[None, None, None], deliveries: Sequence[Delivery]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = deliveries
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        deliveries = self._tasks.pop(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        # A bug of ours must neither lose a delivery nor hold its slot.
        _LOG.error("deliver.failed", error=f"{type(error).__name__}: {error}")
        for delivery in deliveries:
            self._settlements.unsent(delivery, "gatepost failed on it", retry_after=MINUTE)


def _stop_of(order: Order, reason: str) -> Stop:
    authorization = next(iter(order.job.auth_ids), "")
    return Stop(reason=reason, authorization=authorization, as_of=order.auth_as_of)


def _sensible(exchanged: Exchanged) -> bool:
    """Say whether the destination is there and working: anything but a retry is an answer."""
    return any(outcome.verdict is not Verdict.RETRY for outcome in exchanged.outcomes)


def _chained(
    earlier: asyncio.Future[None] | None, later: asyncio.Future[None] | None
) -> asyncio.Future[None] | None:
    """Return one future for the waiters of both."""
    if earlier is None or later is None:
        return earlier or later

    def pass_on(_: asyncio.Future[None]) -> None:
        earlier.set_result(None)

    later.add_done_callback(pass_on)
    return later
