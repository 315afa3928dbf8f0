"""An audience's size, hour by hour."""

import orjson
import pytest

from gatepost.model.errors import InvalidInput
from gatepost.model.event import Submission
from gatepost.model.times import DAY, HOUR
from gatepost.operations import audiences
from gatepost.operations.audiences import AudienceDraft
from gatepost.operations.sizes import size_history
from gatepost.stages.prune import PruneStage, Retention
from tests.unit.operations.desk import NOON, SHOP, Desk


@pytest.fixture
def rich(shop: Desk) -> Desk:
    """An audience that nobody is in yet."""
    shop.run(audiences.create_audience(shop.context, SHOP, AudienceDraft("Rich", "spend > 30")))
    shop.fold()
    return shop


def told(desk: Desk, limit: int = 168) -> list[tuple[int, int, int, int]]:
    """Hours since noon, size, entered, left."""
    found = desk.run(size_history(desk.context, SHOP, "rich", limit))
    return [((hour.at - NOON) // HOUR, hour.size, hour.entered, hour.left) for hour in found.hours]


def pass_hours(desk: Desk, hours: int) -> None:
    desk.clock.move(desk.clock.audience() + hours * HOUR)
    desk.fold()


def spend(desk: Desk, card: str, total: int) -> None:
    desk.collect("baskets", {"card": card, "total": total})


def test_every_hour_has_its_size_and_quiet_hours_repeat_the_last(rich: Desk) -> None:
    spend(rich, "c1", 40)
    spend(rich, "c2", 50)
    pass_hours(rich, 3)
    spend(rich, "c3", 60)
    pass_hours(rich, 1)

    assert told(rich) == [(0, 2, 2, 0), (1, 2, 0, 0), (2, 2, 0, 0), (3, 3, 1, 0), (4, 3, 0, 0)]


def test_a_shorter_look_back_knows_what_was_before(rich: Desk) -> None:
    spend(rich, "c1", 40)
    pass_hours(rich, 5)
    spend(rich, "c2", 40)

    assert told(rich, limit=2) == [(4, 1, 0, 0), (5, 2, 1, 0)]


def test_changes_of_several_hours_folded_at_once_keep_their_hours(rich: Desk) -> None:
    for card in ("c1", "c2", "c3"):
        rich.context.log.append(
            SHOP, [Submission("baskets", 0, orjson.dumps({"card": card, "total": 40}))]
        ).result()
        rich.clock.move(rich.clock.audience() + HOUR)
    rich.fold()

    assert told(rich) == [(0, 1, 1, 0), (1, 2, 1, 0), (2, 3, 1, 0), (3, 3, 0, 0)]


def test_nothing_noted_means_the_size_as_it_is(rich: Desk) -> None:
    assert told(rich) == [(0, 0, 0, 0)]


def test_only_what_is_past_keeping_goes_and_the_size_it_left_stays(rich: Desk) -> None:
    spend(rich, "c1", 40)
    pass_hours(rich, 2)
    spend(rich, "c2", 40)
    rich.pass_days(500)
    spend(rich, "c3", 40)

    stage = PruneStage(rich.context.log, rich.context.store, rich.clock, Retention(history=400 * DAY))
    rich.run(stage.run_once())
    kept = rich.read(lambda tx: tx.memberships.history(SHOP, 1, 0))

    assert [one.size for one in kept] == [2, 3]
    assert told(rich, limit=2)[-2:] == [(12_001, 2, 0, 0), (12_002, 3, 1, 0)]


def test_nobody_asks_for_more_hours_than_are_kept(rich: Desk) -> None:
    with pytest.raises(InvalidInput, match="9,600"):
        told(rich, limit=10_000)
    with pytest.raises(InvalidInput):
        told(rich, limit=0)
