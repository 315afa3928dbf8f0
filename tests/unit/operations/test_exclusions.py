"""Single people are kept out of an audience by hand, and let in again."""

import asyncio

import pytest

from gatepost.model.errors import InvalidInput, NotFound
from gatepost.model.jsonvalue import JsonObject
from gatepost.operations import audiences
from gatepost.operations.audiences import AudienceDraft
from gatepost.operations.exclusions import Excluded, exclude
from gatepost.operations.explanations import explain
from tests.unit.operations.desk import SHOP, Desk


@pytest.fixture
def rich(shop: Desk) -> Desk:
    """Three customers who spent enough to be rich."""
    baskets: list[JsonObject] = [{"card": f"c{n}", "total": n * 10} for n in (4, 5, 6)]
    shop.collect("baskets", *baskets)
    shop.run(audiences.create_audience(shop.context, SHOP, AudienceDraft("Rich", "spend > 30")))
    shop.fold()
    return shop


def order(desk: Desk, *identifiers: str, undo: bool = False) -> Excluded:
    """Give an order while apply goes on beside."""

    async def ordered() -> Excluded:
        asked = asyncio.create_task(exclude(desk.context, SHOP, "rich", identifiers, undo=undo))
        while not asked.done():
            await asyncio.sleep(0)
            desk.turn()
        return await asked

    return desk.run(ordered())


def cards(desk: Desk) -> list[object]:
    page = desk.run(audiences.scan(desk.context, SHOP, "rich"))
    return [entity["card"] for entity in page.entities]


def test_a_member_leaves_and_stays_out_whatever_she_spends(rich: Desk) -> None:
    order(rich, "card=c5", "c6")
    rich.collect("baskets", {"card": "c5", "total": 1_000})

    assert cards(rich) == ["c4"]


def test_who_is_let_in_again_is_where_the_rule_says(rich: Desk) -> None:
    order(rich, "c5", "c6")

    order(rich, "c5", undo=True)

    assert cards(rich) == ["c4", "c5"]


def test_the_explanation_says_since_when(rich: Desk) -> None:
    order(rich, "c5")

    told = rich.run(explain(rich.context, SHOP, "rich", "c5"))

    assert told.excluded == rich.clock.audience()
    assert told.rule.matches
    assert told.membership is not None
    assert not told.membership.inside


def test_who_is_named_twice_is_excluded_once(rich: Desk) -> None:
    assert len(order(rich, "c5", "card=c5").profiles) == 1


def test_nobody_is_excluded_when_one_of_them_is_not_known(rich: Desk) -> None:
    with pytest.raises(NotFound, match="c9"):
        order(rich, "c5", "c9")

    assert cards(rich) == ["c4", "c5", "c6"]


def test_an_order_names_somebody(rich: Desk) -> None:
    with pytest.raises(InvalidInput, match="0 profiles"):
        order(rich)
