import pytest
from msgspec import structs

from gatepost.model.audience import AudienceSize
from gatepost.model.errors import FilterError, InvalidInput
from gatepost.model.jsonvalue import JsonObject
from gatepost.model.times import MINUTE
from gatepost.operations import audiences, members, walks
from gatepost.operations.audiences import AudienceDraft, PageWish
from gatepost.operations.members import Count
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
    first = busy.run(audiences.scan(busy.context, SHOP, which, PageWish(limit=3)))
    last = busy.run(audiences.scan(busy.context, SHOP, which, PageWish(start=first.next, limit=3)))

    assert [entity["card"] for entity in first.entities] == ["c4", "c5", "c6"]
    assert [entity["card"] for entity in last.entities] == ["c7"]
    assert (first.total, last.total, last.next) == (4, 4, "")


def test_a_page_that_is_just_full_is_the_last(busy: Desk) -> None:
    page = busy.run(audiences.scan(busy.context, SHOP, "rich", PageWish(limit=4)))

    assert (len(page.entities), page.next) == (4, "")


def test_fields_narrow_a_member_to_what_is_asked_for(busy: Desk) -> None:
    page = busy.run(
        audiences.scan(busy.context, SHOP, "rich", PageWish(limit=1, fields=["spend", "_segments"]))
    )

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
    monkeypatch.setattr(walks, "SLICE", 2)

    counted = busy.run(audiences.ad_hoc_size(busy.context, SHOP, "spend < 50"))
    page = busy.run(audiences.scan(busy.context, SHOP, "FILTER spend < 50", PageWish(limit=2)))

    assert counted.size == 4
    assert (len(page.entities), page.total) == (2, 4)


def test_a_saved_audience_can_be_used_in_a_filter_that_is_not(busy: Desk) -> None:
    assert busy.run(audiences.ad_hoc_size(busy.context, SHOP, "AND (INCLUDE rich, spend < 60)")).size == 2


def test_a_window_nobody_keeps_is_filled_from_the_past_to_look_through_it(busy: Desk) -> None:
    busy.collect("baskets", {"card": "c2", "total": 1}, {"card": "c2", "total": 1})

    counted = busy.run(audiences.ad_hoc_size(busy.context, SHOP, 'count("baskets", "7d") >= 3'))
    page = busy.run(audiences.scan(busy.context, SHOP, 'FILTER count("baskets", "7d") >= 3'))

    assert counted == Count(1, estimated=False)
    assert [entity["card"] for entity in page.entities] == ["c2"]
    assert (page.total, page.estimated, page.next) == (1, False, "")


def test_of_many_some_stand_for_all_and_the_answer_says_so(
    busy: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "MOST_FILLED", 4)
    monkeypatch.setattr(walks, "SLICE", 2)
    rule = 'AND (count("baskets", "7d") >= 1, spend > 20)'

    counted = busy.run(audiences.ad_hoc_size(busy.context, SHOP, rule))
    page = busy.run(audiences.scan(busy.context, SHOP, f"FILTER {rule}"))

    assert counted == Count(4, estimated=True)
    assert (len(page.entities), page.total, page.estimated) == (2, 4, True)


def test_a_saved_window_is_read_from_the_profiles(busy: Desk) -> None:
    draft = AudienceDraft("Regulars", 'count("baskets", "7d") > 0')
    busy.run(audiences.create_audience(busy.context, SHOP, draft))
    busy.fold()

    filled = busy.run(audiences.ad_hoc_size(busy.context, SHOP, 'count("baskets", "3d") > 0'))
    assert filled == Count(7)


def test_a_page_can_be_gone_on_from_for_ten_minutes(busy: Desk) -> None:
    first = busy.run(audiences.scan(busy.context, SHOP, "rich", PageWish(limit=3)))
    place, _, issued = first.next.rpartition(".")

    old = f"{place}.{int(issued) - 11 * MINUTE}"

    with pytest.raises(InvalidInput, match="10 minutes"):
        busy.run(audiences.scan(busy.context, SHOP, "rich", PageWish(start=old)))


@pytest.mark.parametrize("which", ["rich", "FILTER spend > 30"])
def test_members_come_in_the_order_of_a_field(busy: Desk, which: str) -> None:
    busy.collect("baskets", {"card": "c6", "town": "Ghent"}, {"card": "c4", "town": "Brno"})
    wish = PageWish(limit=3, sort="town", descending=True)

    first = busy.run(audiences.scan(busy.context, SHOP, which, wish))
    last = busy.run(audiences.scan(busy.context, SHOP, which, structs.replace(wish, start=first.next)))

    assert [entity["card"] for entity in first.entities] == ["c6", "c4", "c5"]
    assert [entity["card"] for entity in last.entities] == ["c7"]
    assert (first.total, last.next) == (4, "")


def test_what_cannot_be_sorted_is_refused(busy: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MOST_SORTED", 2)

    for which, field, why in (
        ("rich", "spend", "more than 2"),
        ("rich", "shoes", "no field shoes"),
        ('FILTER count("baskets", "7d") > 0', "spend", "windows"),
    ):
        with pytest.raises(InvalidInput, match=why):
            busy.run(audiences.scan(busy.context, SHOP, which, PageWish(sort=field)))


def test_meta_and_public_audiences_come_on_request(busy: Desk) -> None:
    draft = AudienceDraft("Rich", "spend > 30", is_public=True)
    busy.run(audiences.update_audience(busy.context, SHOP, "rich", draft))

    (entity,) = busy.run(
        audiences.scan(
            busy.context, SHOP, "rich", PageWish(limit=1, fields=["spend"], meta=True, segments=True)
        )
    ).entities

    assert entity["segments"] == ["rich"]
    assert entity["meta"] == {"by_fields": ["card"], "conflicts": 0, "format": "json", "name": "user"}


@pytest.mark.parametrize("start", ["x", "-1", "1.2.3", "9" * 19])
def test_a_start_that_no_page_named_is_refused(busy: Desk, start: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        busy.run(audiences.scan(busy.context, SHOP, "rich", PageWish(start=start)))

    assert refused.value.path == "start"


def test_validating_looks_at_the_language_only(busy: Desk) -> None:
    del busy
    audiences.validate("FILTER nobody_knows_this > 5")

    with pytest.raises(FilterError):
        audiences.validate("FILTER > 5")


def test_everybody_and_the_unknown_are_audiences_by_themselves(busy: Desk) -> None:
    everybody = busy.run(audiences.scan(busy.context, SHOP, "all", PageWish(limit=2)))
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
