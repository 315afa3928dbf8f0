"""Deliver: deliveries a second from the outbox to settled, single-user bodies to one destination.

The baseline is aiohttp posting the same bodies in a bare loop. `parts` hold the same behind a bare SQLite outbox,
a thousand destinations beside ten, and the Insider entrance template through the helper processes.
"""

import asyncio
import itertools
import random
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import orjson
import uvloop

from benchmarks import _accounts as accounts
from benchmarks._bare_sending import posted, posted_from_outbox
from benchmarks._common import Budget, Figure, Options, Run, alternated, options, scratch
from benchmarks._programs import program
from gatepost.app import tune_interpreter
from gatepost.backends.clock import SystemClock
from gatepost.backends.sqlite.log import SqliteLog
from gatepost.backends.sqlite.store import SqliteStore
from gatepost.core.addresses import parse_allow_list
from gatepost.core.entities import entity_of
from gatepost.core.payloads import default_payload, triggered_entity
from gatepost.core.plans import AccountPlan
from gatepost.core.templates.context import segment_event
from gatepost.core.templates.presets import preset
from gatepost.model.audience import Crossing
from gatepost.model.catalog import Template, TemplateType
from gatepost.model.delivery import Delivery
from gatepost.model.jsonvalue import JsonObject
from gatepost.outbound.keyring import open_key_ring
from gatepost.outbound.sender import HttpSender, SendOptions
from gatepost.ports.outbox import Enqueued
from gatepost.ports.renderer import RenderContext
from gatepost.ports.store import Transaction
from gatepost.providers.registry import installed_providers
from gatepost.rendering import HelperRenderer
from gatepost.stages.courier import Courier
from gatepost.stages.deliver import DeliverOptions, DeliverParts, DeliverStage
from gatepost.stages.orders import OrderBook

DELIVER = Budget(ours=8_000, baseline=12_300)
CONNECTIONS = 256
"""Requests under way at one destination, the product's own default."""
_TEMPLATE = Template(
    id="e" * 32,
    account=accounts.ACCOUNT,
    name="insider_enter",
    type=TemplateType.JSONNET,
    source=preset("insider_enter"),
)


def main() -> None:
    given = options("Measure deliver: from the outbox to settled, beside bare aiohttp.")
    tune_interpreter()
    run = Run("deliver", given)
    with scratch() as folder, program("benchmarks._receiver") as receiver:
        measured = Deliver(folder, receiver["port"], given)
        ours, baseline = alternated(measured.ours, measured.baseline, given.rounds)
        parts = {
            "sqlite_outbox_baseline": Figure(ours, measured.outbox_rates(given.rounds), "deliveries/s"),
            "destinations": measured.destinations(),
            "template": measured.template(),
        }
        run.report(Figure(ours, baseline, "deliveries/s", extra={"connections": CONNECTIONS}), DELIVER, parts)


class Deliver:
    """The rounds; each has an outbox of its own and the one receiver."""

    def __init__(self, folder: Path, port: int, given: Options) -> None:
        self._folder = folder
        self._url = f"http://127.0.0.1:{port}/hook"
        self._allow = parse_allow_list((f"127.0.0.1:{port}",))
        self._quick = given.quick
        self._count = 500 if given.quick else 10_000
        plan = AccountPlan(accounts.schema(), [accounts.everybody()], (), set())
        self._snapshots = [
            orjson.dumps(entity_of(accounts.profile(n), plan)) for n in range(1, self._count + 1)
        ]
        self._rounds = itertools.count()

    def ours(self) -> float:
        """Measure the stage with one destination."""
        return self._rate(self._count, destinations=1)

    def baseline(self) -> float:
        """Measure aiohttp alone."""
        return self._count / uvloop.run(posted(self._url, self._bodies(), CONNECTIONS))

    def outbox_rates(self, rounds: int) -> list[float]:
        """Measure aiohttp behind a bare outbox."""
        seconds = [
            uvloop.run(posted_from_outbox(self._path(), self._url, self._bodies(), CONNECTIONS))
            for _ in range(max(1, rounds - 1))
        ]
        return [self._count / spent for spent in seconds]

    def destinations(self) -> Figure:
        """Measure ten destinations and a thousand: the more, the fewer deliveries each has."""
        few, many = (2, 20) if self._quick else (10, 1_000)
        count = len(self._snapshots) // 2
        ours, baseline = alternated(
            lambda: self._rate(count, destinations=many), lambda: self._rate(count, destinations=few), 1
        )
        return Figure(ours, baseline, f"deliveries/s, {many} destinations beside {few}")

    def template(self) -> Figure:
        """Measure with a template: the helper processes alone are the baseline."""
        count = 100 if self._quick else 1_000
        ours, baseline = alternated(
            lambda: self._rate(count, destinations=1, template=_TEMPLATE.id),
            lambda: count / uvloop.run(self._rendered(count)),
            1,
        )
        return Figure(ours, baseline, "deliveries/s with the Insider entrance template")

    def _rate(self, count: int, *, destinations: int, template: str = "") -> float:
        return count / uvloop.run(self._delivered(count, destinations, template))

    async def _delivered(self, count: int, destinations: int, template: str) -> float:
        """Fill an outbox and empty it; return the seconds until everything was settled."""
        path = self._path()
        store, clock = SqliteStore(path), SystemClock()
        log = SqliteLog(path.with_suffix(".log"), clock)
        await store.write(lambda tx: self._fill(tx, count, destinations, template))
        sender, renderer = HttpSender(SendOptions(allow=self._allow)), HelperRenderer()
        courier = Courier(sender, installed_providers(), log, clock, self._allow)
        orders = OrderBook(open_key_ring(self._folder, None))
        parts = DeliverParts(
            store=store, courier=courier, renderer=renderer, orders=orders, clock=clock, roll=random.random
        )
        if template:
            await renderer.start()
        stage = DeliverStage(parts, DeliverOptions())
        began = time.perf_counter()
        running = asyncio.create_task(stage.run())
        await _emptied(path)
        elapsed = time.perf_counter() - began
        await stage.stop()
        await running
        await renderer.close()
        await sender.close()
        _check_delivered(await store.read(lambda tx: tx.deliveries.counts(accounts.ACCOUNT)), count)
        log.close()
        store.close()
        return elapsed

    async def _rendered(self, count: int) -> float:
        """Render what the stage would, in batches of the size it claims; return the seconds."""
        contexts = [
            RenderContext(entity=orjson.dumps(self._entity(snapshot))) for snapshot in self._snapshots[:count]
        ]
        async with HelperRenderer() as renderer:
            began = time.perf_counter()
            batches = [contexts[first : first + 64] for first in range(0, count, 64)]
            await asyncio.gather(
                *(renderer.render(_TEMPLATE.type, _TEMPLATE.source, batch) for batch in batches)
            )
            return time.perf_counter() - began

    def _fill(self, tx: Transaction, count: int, destinations: int, template: str) -> None:
        accounts.put_account(tx, [accounts.everybody()])
        tx.catalog.put(accounts.ACCOUNT, _TEMPLATE.id, _TEMPLATE)
        jobs = [accounts.put_job(tx, n, self._url, template) for n in range(1, destinations + 1)]
        batches = []
        for number, snapshot in enumerate(self._snapshots[:count], start=1):
            job = jobs[number % destinations]
            delivery = Delivery(
                id=f"{number:032x}",
                account=accounts.ACCOUNT,
                job=job.id,
                destination=job.destination,
                profile=number,
                audience=1,
                crossing=Crossing.ENTER,
                at=accounts.NOW,
                transition=1,
                snapshot=0,
                created=accounts.NOW,
            )
            batches.append(Enqueued(snapshot, (delivery,)))
        tx.outbox.enqueue(batches)

    def _entity(self, snapshot: bytes) -> JsonObject:
        audience = accounts.everybody()
        event = segment_event(audience.id, audience.slug, Crossing.ENTER, accounts.NOW)
        return triggered_entity(snapshot, event, ())

    def _bodies(self) -> Sequence[bytes]:
        job = f"{1:032x}"
        return [
            orjson.dumps(default_payload(self._entity(snapshot), job, accounts.NOW))
            for snapshot in self._snapshots
        ]

    def _path(self) -> Path:
        return self._folder / f"state-{next(self._rounds)}"


async def _emptied(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        while connection.execute("SELECT EXISTS (SELECT 1 FROM outbox)").fetchone()[0]:  # noqa: ASYNC110 - no event tells of another connection's commit
            await asyncio.sleep(0.005)


def _check_delivered(counts: dict[str, int], count: int) -> None:
    if counts["delivered"] != count:
        raise SystemExit(f"of {count} deliveries {counts['delivered']} arrived: {counts}")


if __name__ == "__main__":
    main()
