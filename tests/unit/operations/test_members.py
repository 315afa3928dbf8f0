import pytest

from gatepost.model.audience import AudienceSize
from gatepost.model.errors import FilterError, InvalidInput
from gatepost.model.jsonvalue import JsonObject
from gatepost.operations import audiences, members
from gatepost.operations.audiences import AudienceDraft
from tests.unit.operations.desk import SHOP, Desk


@pytest.fixture
def busy(shop: Desk) -> Desk:
    """A shop with seven customers, who spent 10, 20 ... 70."""
    baskets: list[JsonObject] = [{"card": f"c{n}", "total": n * 10} for n in range(1, 8)]
    shop.collect("baskets", *baskets)
    shop.run(audiences.create_audience(shop.context, SHOP, AudienceDraft("Rich", "spend > 30")))
    shop.fold()
    return shop


@pytest.mark.parametrize("which", ["rich", "FILTER spend > 30"])
def test_members_come_page_by_page(busy: Desk, which: str) -> None:
    first = busy.run(audiences.scan(busy.context, SHOP, which, limit=3))
    last = busy.run(audiences.scan(busy.context, SHOP, which, start=first.next, limit=3))

    assert [entity["card"] for entity in first.entities] == ["c4", "c5", "c6"]
    assert [entity["card"] for entity in last.entities] == ["c7"]
    assert (first.total, last.total, last.next) == (4, 4, "")


def test_a_page_that_is_just_full_is_the_last(busy: Desk) -> None:
    page = busy.run(audiences.scan(busy.context, SHOP, "rich", limit=4))

    assert (len(page.entities), page.next) == (4, "")


def test_fields_narrow_a_member_to_what_is_asked_for(busy: Desk) -> None:
    page = busy.run(audiences.scan(busy.context, SHOP, "rich", limit=1, fields=["spend", "_segments"]))

    (entity,) = page.entities
    assert {name: entity[name] for name in entity if name != "_id"} == {
        "spend": 40,
        "_segments": ["all", "rich"],
    }


def test_sizes_are_told_by_audience(busy: Desk) -> None:
    rich = busy.run(audiences.get_audience(busy.context, SHOP, "rich"))

    counted = busy.run(audiences.sizes(busy.context, SHOP))

    assert counted == {rich.id: AudienceSize(size=4, entered=4, left=0)}


def test_a_filter_is_counted_without_being_saved_across_slices(
    busy: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "SLICE", 2)

    counted = busy.run(audiences.ad_hoc_size(busy.context, SHOP, "spend < 50"))
    page = busy.run(audiences.scan(busy.context, SHOP, "FILTER spend < 50", limit=2))

    assert counted == 4
    assert (len(page.entities), page.total) == (2, 4)


def test_a_saved_audience_can_be_used_in_a_filter_that_is_not(busy: Desk) -> None:
    assert busy.run(audiences.ad_hoc_size(busy.context, SHOP, "AND (INCLUDE rich, spend < 60)")) == 2


def test_a_window_nobody_keeps_is_refused_rather_than_counted_as_nought(busy: Desk) -> None:
    with pytest.raises(InvalidInput, match='count\\("baskets", "7d"\\)'):
        busy.run(audiences.ad_hoc_size(busy.context, SHOP, 'count("baskets", "7d") > 0'))

    draft = AudienceDraft("Regulars", 'count("baskets", "7d") > 0')
    busy.run(audiences.create_audience(busy.context, SHOP, draft))
    busy.fold()

    filled_from_the_past = busy.run(audiences.ad_hoc_size(busy.context, SHOP, 'count("baskets", "3d") > 0'))
    assert filled_from_the_past == 7


@pytest.mark.parametrize("start", ["x", "-1", "1.2.3", "9" * 19])
def test_a_start_that_no_page_named_is_refused(busy: Desk, start: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        busy.run(audiences.scan(busy.context, SHOP, "rich", start=start))

    assert refused.value.path == "start"


def test_validating_looks_at_the_language_only(busy: Desk) -> None:
    del busy
    audiences.validate("FILTER nobody_knows_this > 5")

    with pytest.raises(FilterError):
        audiences.validate("FILTER > 5")


def test_everybody_and_the_unknown_are_audiences_by_themselves(busy: Desk) -> None:
    everybody = busy.run(audiences.scan(busy.context, SHOP, "all", limit=2))
    unknown = busy.run(audiences.scan(busy.context, SHOP, "anonymous_profiles"))
    sizes = [
        busy.run(members.builtin_size(busy.context, SHOP, slug)) for slug in ("all", "anonymous_profiles")
    ]

    assert (everybody.total, unknown.total) == (7, 0)
    assert sizes == [7, 0]


def test_a_rule_may_include_the_audiences_that_are_there_by_themselves(busy: Desk) -> None:
    rule = "AND (INCLUDE all, NOT INCLUDE anonymous_profiles, spend > 50)"

    made = busy.run(audiences.create_audience(busy.context, SHOP, AudienceDraft("Known", rule)))
    busy.fold()

    assert busy.run(audiences.sizes(busy.context, SHOP))[made.id].size == 2


@pytest.mark.parametrize("draft", [AudienceDraft("All", "spend > 1"), AudienceDraft("x", "*", slug="ALL")])
def test_their_names_are_taken(busy: Desk, draft: AudienceDraft) -> None:
    with pytest.raises(InvalidInput, match="there by itself"):
        busy.run(audiences.create_audience(busy.context, SHOP, draft))
