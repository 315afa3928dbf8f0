"""When will she leave? The audience's own end counts, and so does an exclusion by hand."""

import asyncio

import pytest

from gatepost.model.times import DAY, Instant
from gatepost.operations.audiences import AudienceDraft, create_audience
from gatepost.operations.exclusions import exclude
from gatepost.operations.explanations import Explanation, explain
from tests.unit.operations.desk import NOON, SHOP, Desk


def recent(desk: Desk, expires: Instant) -> Explanation:
    """Explain an audience of the last three days' customers, for one who came just now."""
    draft = AudienceDraft("Recent", 'count("baskets", "3d") >= 1', expires=expires)
    desk.run(create_audience(desk.context, SHOP, draft))
    desk.collect("baskets", {"card": "c1", "total": 5})
    return desk.run(explain(desk.context, SHOP, "recent", "c1"))


@pytest.mark.parametrize(("end", "leaves"), [(0, 3 * DAY), (DAY, DAY), (5 * DAY, 3 * DAY)])
def test_she_leaves_with_the_audience_when_that_ends_first(shop: Desk, end: int, leaves: int) -> None:
    told = recent(shop, NOON + end if end else 0)

    assert told.next_change == NOON + leaves
    assert told.rule.next_change == NOON + 3 * DAY


def test_who_is_kept_out_by_hand_does_not_enter_by_herself(shop: Desk) -> None:
    recent(shop, 0)

    async def kept_out() -> None:
        asked = asyncio.create_task(exclude(shop.context, SHOP, "recent", ["c1"]))
        while not asked.done():
            await asyncio.sleep(0)
            shop.turn()

    shop.run(kept_out())
    told = shop.run(explain(shop.context, SHOP, "recent", "c1"))

    assert told.next_change is None
    assert told.rule.next_change == NOON + 3 * DAY
