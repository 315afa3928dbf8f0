import pytest

from gatepost.model.errors import InvalidInput
from gatepost.operations import audiences, profiles
from gatepost.operations.audiences import AudienceDraft
from tests.unit.operations.desk import NEIGHBOUR, SHOP, Desk


@pytest.fixture
def busy(shop: Desk) -> Desk:
    for name, public in (("Rich", False), ("Local", True)):
        filter_ = "spend > 100" if name == "Rich" else 'town = "Bruges"'
        draft = AudienceDraft(name, filter_, is_public=public)
        shop.run(audiences.create_audience(shop.context, SHOP, draft))
    shop.collect("baskets", {"card": "a", "total": 500, "town": "Bruges"})
    return shop


def test_a_profile_is_found_by_its_identifier_and_by_its_id(busy: Desk) -> None:
    found = busy.run(profiles.find_entity(busy.context, SHOP, "card", "a"))
    assert found is not None
    data = found["data"]
    assert isinstance(data, dict)

    same = busy.run(profiles.find_entity(busy.context, SHOP, "_id", str(data["_id"])))

    assert same == found
    assert (data["spend"], data["town"]) == (500, "Bruges")
    assert data["_segments"] == ["all", "local", "rich"]
    assert found["meta"] == {"by_fields": ["card"], "conflicts": 0, "format": "json", "name": "user"}


def test_browsers_see_public_audiences_only_and_the_fields_they_ask_for(busy: Desk) -> None:
    found = busy.run(
        profiles.find_entity(busy.context, SHOP, "card", "a", profiles.EntityQuery(fields=["town"]))
    )

    assert found is not None
    data = found["data"]
    assert isinstance(data, dict)
    assert {name: value for name, value in data.items() if name != "_id"} == {
        "town": "Bruges",
        "segments": ["local"],
    }


def test_nobody_is_found_by_what_nobody_has(busy: Desk) -> None:
    assert busy.run(profiles.find_entity(busy.context, SHOP, "card", "b")) is None
    assert busy.run(profiles.find_entity(busy.context, SHOP, "_uid", "a")) is None
    assert busy.run(profiles.find_entity(busy.context, NEIGHBOUR, "_id", "a")) is None


def test_a_field_that_does_not_identify_is_refused_with_those_that_do(busy: Desk) -> None:
    with pytest.raises(InvalidInput, match="card, _id"):
        busy.run(profiles.find_entity(busy.context, SHOP, "town", "Bruges"))
