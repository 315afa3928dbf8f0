"""How long an audience lives is said when it is saved, and checked."""

import msgspec
import pytest

from gatepost.model.audience import Audience
from gatepost.model.errors import Conflict, InvalidInput
from gatepost.model.jsonvalue import JsonObject
from gatepost.model.times import DAY, to_rfc3339
from gatepost.operations import audiences
from gatepost.operations.audiences import AudienceDraft
from gatepost.operations.configuration.problems import ConfigurationInvalid
from gatepost.operations.lifetimes import expiry_of
from tests.unit.operations.desk import NOON, SHOP, Desk

SALE = AudienceDraft("Sale", "spend > 30", expires=NOON + DAY)


def create(desk: Desk, draft: AudienceDraft) -> Audience:
    return desk.run(audiences.create_audience(desk.context, SHOP, draft))


def slugs(desk: Desk) -> list[str]:
    return [one.slug for one in desk.run(audiences.list_audiences(desk.context, SHOP))]


def test_an_audience_is_gone_once_its_end_has_come(shop: Desk) -> None:
    create(shop, SALE)
    shop.collect("baskets", {"card": "c1", "total": 40})
    before = slugs(shop)

    shop.pass_days(2)

    assert (before, slugs(shop)) == (["sale"], [])


def test_an_end_can_be_moved_and_taken_away(shop: Desk) -> None:
    sale = create(shop, SALE)
    shop.collect("baskets", {"card": "c1", "total": 40})

    for draft in (msgspec.structs.replace(SALE, expires=0), AudienceDraft("Sale", "spend > 20")):
        shop.run(audiences.update_audience(shop.context, SHOP, sale.id, draft, confirm=True))
        shop.pass_days(2)

    assert slugs(shop) == ["sale"]
    assert shop.run(audiences.sizes(shop.context, SHOP))[sale.id].size == 1


def test_an_end_that_has_passed_is_refused(shop: Desk) -> None:
    with pytest.raises(InvalidInput, match="has passed"):
        create(shop, AudienceDraft("Sale", "spend > 30", expires=NOON))


@pytest.mark.parametrize("text", ["soonish", "tomorrow or so"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="2027-01-31"):
        expiry_of(text, "expires_at")


def test_nobody_includes_an_audience_that_ends_before(shop: Desk) -> None:
    create(shop, SALE)

    with pytest.raises(Conflict, match="includes sale"):
        create(shop, AudienceDraft("Guests", "INCLUDE sale"))
    create(shop, AudienceDraft("Day guests", "INCLUDE sale", expires=NOON + DAY))

    assert slugs(shop) == ["sale", "day_guests"]


def test_what_others_include_gets_no_end(shop: Desk) -> None:
    stays = create(shop, AudienceDraft("Stays", "spend > 30"))
    create(shop, AudienceDraft("Guests", "INCLUDE stays"))

    with pytest.raises(Conflict, match="guests includes stays"):
        shop.run(audiences.update_audience(shop.context, SHOP, stays.id, SALE))


def test_a_document_says_when_an_audience_ends(shop: Desk) -> None:
    document: JsonObject = {
        "audiences": {"sale": {"filter": "spend > 30", "expires": to_rfc3339(NOON + DAY)}}
    }

    first = shop.configure(document)
    again = shop.configure(document)
    shop.pass_days(2)

    assert (first.changed, again.changed) == (True, False)
    assert slugs(shop) == []
    with pytest.raises(ConfigurationInvalid, match="has passed"):
        shop.configure(document)
