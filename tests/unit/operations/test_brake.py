"""A slip of the pen in a rule must not send an exit to everybody."""

import pytest

from gatepost.model.errors import Conflict
from gatepost.operations import audiences, configuration
from gatepost.operations.audiences import AudienceDraft
from tests.unit.operations.desk import SHOP, Desk

SHOPPERS = 40


@pytest.fixture
def busy(shop: Desk) -> Desk:
    """Forty shoppers who spent 1, 2, ... 40; those above 10 are spenders."""
    shop.run(audiences.create_audience(shop.context, SHOP, AudienceDraft("Spenders", "spend > 10")))
    shop.run(audiences.create_audience(shop.context, SHOP, AudienceDraft("Others", "NOT INCLUDE spenders")))
    for spent in range(1, SHOPPERS + 1):
        shop.collect("baskets", {"card": f"c{spent}", "total": spent})
    shop.fold()
    return shop


def change(shop: Desk, text: str, *, confirm: bool = False) -> str:
    draft = AudienceDraft("Spenders", text)
    changed = shop.run(audiences.update_audience(shop.context, SHOP, "spenders", draft, confirm=confirm))
    return changed.filter


def test_a_change_that_moves_few_just_happens(busy: Desk) -> None:
    assert change(busy, "spend > 11") == "spend > 11"


def test_a_change_that_moves_many_says_how_many_and_wants_a_confirmation(busy: Desk) -> None:
    with pytest.raises(Conflict) as refused:
        change(busy, "spend > 35")
    unchanged = busy.run(audiences.get_audience(busy.context, SHOP, "spenders"))

    assert "25 of 30 members would leave spenders, 0 would enter" in refused.value.message
    assert "0 of 10 members would leave others, 25 would enter" in refused.value.message
    assert "confirm=true" in refused.value.message
    assert unchanged.filter == "spend > 10"
    assert change(busy, "spend > 35", confirm=True) == "spend > 35"


def test_what_was_told_is_what_happens(busy: Desk) -> None:
    told = busy.run(audiences.shifts(busy.context, SHOP, "spenders", "AND (spend > 20, spend < 38)"))
    before = busy.read(lambda tx: tx.memberships.sizes(SHOP))[1]

    change(busy, "AND (spend > 20, spend < 38)", confirm=True)
    busy.fold()
    after = busy.read(lambda tx: tx.memberships.sizes(SHOP))[1]

    assert (told[0].size, told[0].entering, told[0].leaving) == (30, 0, 13)
    assert (after.entered - before.entered, after.left - before.left) == (0, 13)


def test_a_filter_with_an_alias_is_braked_too(busy: Desk) -> None:
    text = "FILTER spend > 35 ALIAS spenders"

    with pytest.raises(Conflict, match="wants a confirmation"):
        busy.run(audiences.upsert_by_alias(busy.context, SHOP, text))
    replaced = busy.run(audiences.upsert_by_alias(busy.context, SHOP, text, confirm=True))

    assert replaced.filter == "FILTER spend > 35"


@pytest.mark.parametrize(("filter_", "braked"), [("spend > 11", False), ("spend > 35", True)])
def test_a_document_is_braked_and_its_dry_run_says_how_many(busy: Desk, filter_: str, braked: bool) -> None:
    document = configuration.read_declaration({"audiences": {"spenders": {"filter": filter_}}})
    planned = busy.run(configuration.apply_configuration(busy.context, SHOP, document, dry_run=True))

    assert any("members would leave spenders" in warning for warning in planned.warnings)
    if braked:
        with pytest.raises(Conflict, match="more than 10 %"):
            busy.run(configuration.apply_configuration(busy.context, SHOP, document))
    applied = busy.run(configuration.apply_configuration(busy.context, SHOP, document, confirm=braked))

    assert applied.changed


def test_a_rule_about_what_a_profile_knows_of_itself_is_braked_too(busy: Desk) -> None:
    told = busy.run(audiences.shifts(busy.context, SHOP, "spenders", "AND (spend > 20, _num_events = 1)"))

    assert (told[0].size, told[0].entering, told[0].leaving) == (30, 0, 10)


def test_a_rule_about_a_past_that_nobody_kept_wants_a_confirmation(busy: Desk) -> None:
    with pytest.raises(Conflict, match="how many would enter or leave spenders cannot be told"):
        change(busy, 'NOT count("baskets", "30d") >= 1')

    change(busy, 'NOT count("baskets", "30d") >= 1', confirm=True)
    busy.fold()

    assert change(busy, 'NOT count("baskets", "20d") >= 1'), "what is kept for 30 days can be told for 20"
