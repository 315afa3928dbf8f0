"""An audience is evaluated again on request, and anybody can see how far that is."""

import msgspec
import pytest

from gatepost.model.audience import Audience
from gatepost.model.errors import NotFound
from gatepost.model.jsonvalue import JsonObject
from gatepost.operations import audiences
from gatepost.operations.audiences import AudienceDraft
from gatepost.operations.duties import Underway, evaluating, reevaluate, underway
from gatepost.stages import duties
from tests.unit.operations.desk import SHOP, Desk


@pytest.fixture
def drifted(shop: Desk) -> Desk:
    """Seven customers; the rule was changed behind gatepost's back, as a restored copy of a file may do."""
    baskets: list[JsonObject] = [{"card": f"c{n}", "total": n * 10} for n in range(1, 8)]
    shop.collect("baskets", *baskets)
    rich = shop.run(audiences.create_audience(shop.context, SHOP, AudienceDraft("Rich", "spend > 60")))
    shop.fold()
    changed = msgspec.structs.replace(rich, filter="FILTER spend > 30")
    shop.write(lambda tx: tx.catalog.put(SHOP, rich.id, changed))
    return shop


def rich_of(desk: Desk) -> Audience:
    return desk.run(audiences.get_audience(desk.context, SHOP, "rich"))


def test_who_is_not_where_the_rule_says_is_put_there(drifted: Desk) -> None:
    drifted.run(reevaluate(drifted.context, SHOP, "rich"))
    begun = drifted.run(evaluating(drifted.context, rich_of(drifted)))
    drifted.fold()

    assert begun == 0.0
    assert drifted.run(evaluating(drifted.context, rich_of(drifted))) is None
    assert drifted.run(audiences.sizes(drifted.context, SHOP))[rich_of(drifted).id].size == 4


def test_asking_twice_walks_once(drifted: Desk) -> None:
    drifted.run(reevaluate(drifted.context, SHOP, "rich"))
    drifted.run(reevaluate(drifted.context, SHOP, rich_of(drifted).id))

    found = drifted.read(lambda tx: underway(tx, SHOP))

    assert found == [Underway(kind="evaluate", audience="rich", done=0.0)]


def test_the_share_that_is_done_grows(drifted: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duties, "STEP", 2)
    drifted.run(reevaluate(drifted.context, SHOP, "rich"))

    drifted.turn()
    first = drifted.run(evaluating(drifted.context, rich_of(drifted)))
    drifted.turn()
    second = drifted.run(evaluating(drifted.context, rich_of(drifted)))

    assert (first, second) == (0.2857, 0.5714)


def test_an_audience_that_is_not_there_cannot_be_evaluated(shop: Desk) -> None:
    with pytest.raises(NotFound):
        shop.run(reevaluate(shop.context, SHOP, "nobody"))
