"""What is past keeping goes, whole days at a time."""

import asyncio

from gatepost.model.delivery import DeliveryState
from gatepost.model.times import DAY
from gatepost.ports.outbox import Claim, DeliveryFilter, Enqueued, Settlement
from gatepost.stages.prune import PruneStage, Retention
from tests.factories import ACCOUNT, make_delivery
from tests.pipeline import START, Pipeline


def test_days_of_applied_events_go_and_later_ones_stay(pipeline: Pipeline) -> None:
    pipeline.configure()
    for _ in range(4):
        pipeline.send(user="ada")
        pipeline.clock.move(pipeline.clock.audience() + DAY)
    pipeline.settle()

    prune = PruneStage(pipeline.log, pipeline.store, pipeline.clock, Retention(history=2 * DAY))
    dropped = asyncio.run(prune.run_once())

    kept = [event.received for event in pipeline.log.read(0, 10)]
    assert 2 == dropped
    assert [START + 2 * DAY, START + 3 * DAY] == kept


def test_a_day_that_is_not_applied_yet_is_kept(pipeline: Pipeline) -> None:
    pipeline.configure()
    for _ in range(3):
        pipeline.send(user="ada")
        pipeline.clock.move(pipeline.clock.audience() + DAY)

    prune = PruneStage(pipeline.log, pipeline.store, pipeline.clock, Retention(history=0))
    dropped = asyncio.run(prune.run_once())

    assert 0 == dropped
    assert 3 == len(pipeline.log.read(0, 10))


def test_finished_deliveries_are_kept_for_their_time(pipeline: Pipeline) -> None:
    now = pipeline.clock.wall()

    def finish(at: int, name: str) -> None:
        delivery = make_delivery(name)
        pipeline.store.write_blocking(lambda tx: tx.outbox.enqueue([Enqueued(b"{}", (delivery,))]))
        claims = [Claim(destination=5, limit=1)]
        (held,) = pipeline.store.write_blocking(lambda tx: tx.outbox.claim("a", claims, at, at))
        done = Settlement(delivery=held, state=DeliveryState.DELIVERED)
        pipeline.store.write_blocking(lambda tx: tx.outbox.settle("a", [done], at))

    finish(now - 40 * DAY, "old")
    finish(now, "new")

    prune = PruneStage(pipeline.log, pipeline.store, pipeline.clock, Retention())
    asyncio.run(prune.run_once())

    wanted = DeliveryFilter(account=ACCOUNT)
    listed = pipeline.store.write_blocking(lambda tx: tx.deliveries.listed(wanted))
    assert [make_delivery("new").id] == [item.delivery.id for item in listed]
