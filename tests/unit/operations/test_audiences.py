import pytest

from gatepost.model.audience import Audience
from gatepost.model.errors import Conflict, FilterError, InvalidInput, NotFound
from gatepost.operations import audiences
from gatepost.operations.audiences import AudienceDraft
from tests.unit.operations.desk import NEIGHBOUR, SHOP, Desk


def made(desk: Desk, name: str, filter_: str, **members: str) -> Audience:
    draft = AudienceDraft(name, filter_, **members)  # type: ignore[arg-type]  # texts only, as the tests use them
    return desk.run(audiences.create_audience(desk.context, SHOP, draft))


def members(desk: Desk, which: str) -> list[object]:
    page = desk.run(audiences.scan(desk.context, SHOP, which))
    return [entity["card"] for entity in page.entities]


def test_a_new_audience_takes_in_the_profiles_that_are_there_already(shop: Desk) -> None:
    shop.collect("baskets", {"card": "rich", "total": 500}, {"card": "poor", "total": 5})

    made(shop, "Big spenders", "FILTER spend > 100")
    shop.fold()

    assert members(shop, "big_spenders") == ["rich"]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Big spenders!", "big_spenders"),
        ("  Été à Liège ", "ete_a_liege"),
        ("Клиенты", "audience"),
        ("30 days", "30_days"),
    ],
)
def test_the_slug_comes_from_the_name(shop: Desk, name: str, slug: str) -> None:
    assert made(shop, name, "*").slug == slug


def test_a_slug_that_is_taken_gets_a_number(shop: Desk) -> None:
    slugs = [made(shop, "Regulars", "*").slug for _ in range(3)]

    assert slugs == ["regulars", "regulars_1", "regulars_2"]


def test_an_unknown_field_is_refused_at_its_place_with_the_nearest_name(shop: Desk) -> None:
    with pytest.raises(FilterError, match="did you mean spend") as refused:
        made(shop, "Typo", 'AND (\n  town = "Bruges",\n  spent > 5\n)')

    assert (refused.value.line, refused.value.column) == (3, 3)
    assert shop.run(audiences.list_audiences(shop.context, SHOP)) == []


@pytest.mark.parametrize("filter_", ['sum("spent", "7d") > 5', 'sum("town", "7d") > 5'])
def test_a_sum_over_what_does_not_add_up_is_refused(shop: Desk, filter_: str) -> None:
    with pytest.raises(FilterError):
        made(shop, "Typo", filter_)


def test_a_window_names_a_field_of_the_profile_or_says_that_it_is_the_events_own(shop: Desk) -> None:
    with pytest.raises(FilterError, match=r'a field of the event itself is written "event\.sku"') as refused:
        made(shop, "Curious", 'AND (spend > 5, distinct("sku", "7d") > 2)')

    assert (refused.value.line, refused.value.column) == (1, 17)
    assert made(shop, "Curious", 'distinct("event.sku", "7d", event = "view") > 2').slug == "curious"
    assert made(shop, "Movers", 'distinct("town", "52w") > 2').slug == "movers"


def test_force_allows_fields_that_are_still_to_come(shop: Desk) -> None:
    draft = AudienceDraft("Early", "loyalty_points > 5")

    stored = shop.run(audiences.create_audience(shop.context, SHOP, draft, force=True))

    assert stored.slug == "early"


def test_an_audience_may_include_others_but_not_itself(shop: Desk) -> None:
    made(shop, "Rich", "spend > 100")
    both = made(shop, "Rich locals", 'AND (INCLUDE rich, town = "Bruges")')

    with pytest.raises(FilterError, match="no audience poor"):
        made(shop, "Poor locals", "INCLUDE poor")
    draft = AudienceDraft("Rich", "INCLUDE rich_locals")
    with pytest.raises(FilterError, match="circle"):
        shop.run(audiences.update_audience(shop.context, SHOP, "rich", draft))

    assert both.slug == "rich_locals"


def test_a_changed_filter_moves_members_also_of_those_who_include_it(shop: Desk) -> None:
    made(shop, "Rich", "spend > 100")
    made(shop, "Rich locals", 'AND (INCLUDE rich, town = "Bruges")')
    shop.collect("baskets", {"card": "a", "total": 50, "town": "Bruges"})
    assert members(shop, "rich_locals") == []

    shop.run(audiences.update_audience(shop.context, SHOP, "rich", AudienceDraft("Rich", "spend > 10")))
    shop.fold()

    assert members(shop, "rich") == ["a"]
    assert members(shop, "rich_locals") == ["a"]


def test_a_name_may_change_without_anybody_being_looked_at_again(shop: Desk) -> None:
    made(shop, "Rich", "spend > 100")
    shop.fold()

    draft = AudienceDraft("Wealthy", "spend > 100", description="more than 100")
    renamed = shop.run(audiences.update_audience(shop.context, SHOP, "rich", draft))

    assert (renamed.name, renamed.slug) == ("Wealthy", "rich")
    assert shop.read(lambda tx: tx.ledger.duties()) == []


def test_an_update_may_not_take_the_slug_of_another(shop: Desk) -> None:
    made(shop, "Rich", "spend > 100")
    made(shop, "Poor", "spend < 1")

    draft = AudienceDraft("Poor", "spend < 1", slug="rich")

    with pytest.raises(InvalidInput, match="Slug is already used"):
        shop.run(audiences.update_audience(shop.context, SHOP, "poor", draft))


def test_a_slug_that_others_include_may_not_change(shop: Desk) -> None:
    made(shop, "Rich", "spend > 100")
    made(shop, "Not rich", "NOT INCLUDE rich")

    draft = AudienceDraft("Rich", "spend > 100", slug="wealthy")

    with pytest.raises(Conflict, match="not_rich"):
        shop.run(audiences.update_audience(shop.context, SHOP, "rich", draft))


def test_a_filter_with_an_alias_creates_and_then_replaces(shop: Desk) -> None:
    text = "FILTER spend > 100 ALIAS Rich"

    first = shop.run(audiences.upsert_by_alias(shop.context, SHOP, text))
    second = shop.run(audiences.upsert_by_alias(shop.context, SHOP, "FILTER spend > 10 ALIAS rich"))

    assert (first.slug, first.name, first.filter) == ("rich", "rich", "FILTER spend > 100")
    assert (second.id, second.filter) == (first.id, "FILTER spend > 10")
    with pytest.raises(InvalidInput, match="ALIAS"):
        shop.run(audiences.upsert_by_alias(shop.context, SHOP, "FILTER spend > 10"))


def test_a_deleted_audience_is_left_by_everybody_and_then_gone(shop: Desk) -> None:
    made(shop, "Rich", "spend > 100")
    shop.collect("baskets", {"card": "a", "total": 500})

    shop.run(audiences.delete_audience(shop.context, SHOP, ["rich"]))
    with pytest.raises(NotFound):
        shop.run(audiences.get_audience(shop.context, SHOP, "rich"))
    shop.fold()

    assert shop.run(audiences.list_audiences(shop.context, SHOP)) == []
    assert made(shop, "Rich", "spend > 1000").slug == "rich"


def test_an_audience_that_others_include_stays_unless_they_go_too(shop: Desk) -> None:
    made(shop, "Rich", "spend > 100")
    made(shop, "Not rich", "NOT INCLUDE rich")

    with pytest.raises(Conflict, match="not_rich"):
        shop.run(audiences.delete_audience(shop.context, SHOP, ["rich"]))
    shop.run(audiences.delete_audience(shop.context, SHOP, ["rich", "not_rich"]))

    assert shop.run(audiences.list_audiences(shop.context, SHOP)) == []


def test_a_neighbour_finds_nothing(shop: Desk) -> None:
    rich = made(shop, "Rich", "spend > 100")

    for name in (rich.id, rich.slug):
        with pytest.raises(NotFound):
            shop.run(audiences.get_audience(shop.context, NEIGHBOUR, name))
        with pytest.raises(NotFound):
            shop.run(audiences.delete_audience(shop.context, NEIGHBOUR, [name]))
        with pytest.raises(NotFound):
            shop.run(audiences.scan(shop.context, NEIGHBOUR, name))

    assert shop.run(audiences.sizes(shop.context, NEIGHBOUR)) == {}


def test_there_is_only_the_table_user(shop: Desk) -> None:
    with pytest.raises(InvalidInput, match="content"):
        made(shop, "Articles", "FILTER * FROM content")


def test_a_rule_that_can_never_be_true_is_saved_and_doubted(shop: Desk) -> None:
    saved = shop.run(audiences.create_audience(shop.context, SHOP, AudienceDraft("Rich", 'spend > "much"')))

    doubts = shop.run(audiences.audience_doubts(shop.context, saved))

    assert doubts == [
        'spend is of the type number, so comparing it with "much" is never true; compare it with a number'
    ]
