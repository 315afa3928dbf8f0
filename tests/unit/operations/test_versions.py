"""The schema changes while events wait, and what is told of the past is told as it was folded."""

from gatepost.model.jsonvalue import JsonObject
from gatepost.model.times import HOUR
from gatepost.operations.explanations import explain
from gatepost.operations.members import ad_hoc_size
from gatepost.operations.persons import person, traced
from gatepost.operations.schemas import schema_versions
from tests.unit.operations.desk import NOON, SHOP, Desk


def schema(spend: str = "sum", town: str = "town", kept: int = 0) -> JsonObject:
    """A document's schema with another operator, another source of the town, or days for which it is kept."""
    mappings: list[JsonObject] = [
        {"stream": "baskets", "field": "card", "expression": "card"},
        {"stream": "baskets", "field": "spend", "expression": "tonumber(total)"},
        {"stream": "baskets", "field": "town", "expression": town},
    ]
    fields: JsonObject = {
        "card": {"type": "string", "identifier": True},
        "spend": {"type": "number", "merge": spend},
        "town": {"type": "string", "keep_days": kept},
    }
    return {"schema": {"ranks": ["card"], "fields": fields, "mappings": [*mappings]}}


def buy(desk: Desk, total: int, **more: str) -> None:
    desk.receive("baskets", {"card": "a1", "total": total, **more})
    desk.clock.move(desk.clock.audience() + HOUR)


def test_events_that_wait_are_folded_by_the_version_they_found(desk: Desk) -> None:
    desk.configure(schema())
    buy(desk, 5, town="Rome", name="Bologna")

    desk.configure(schema(town="name"))
    desk.receive("baskets", {"card": "b2", "town": "Rome", "name": "Bologna"})
    desk.fold()

    profiles = desk.read(lambda tx: tx.profiles.scan(SHOP, 0, 10))
    newer, older = desk.run(schema_versions(desk.context, SHOP))
    assert ["Rome", "Bologna"] == [one.fields["town"] for one in profiles]
    assert (2, profiles[0].trail, NOON + HOUR) == (newer.version, [newer.after], newer.since)
    assert (1, 0, NOON) == (older.version, older.after, older.since)


def test_an_explanation_tells_of_the_past_as_it_was_folded(desk: Desk) -> None:
    desk.configure(schema(), {"audiences": {"rich": {"filter": "spend > 100"}}})
    desk.fold()
    buy(desk, 60)
    buy(desk, 60)
    desk.fold()
    desk.configure(schema(spend="max"))
    buy(desk, 70)
    desk.fold()

    told = desk.run(explain(desk.context, SHOP, "rich", "a1"))

    assert (True, NOON + HOUR, 2) == (told.rule.matches, told.rule.since, told.rule.events)


def test_an_explanation_begins_with_the_first_event_and_not_with_the_schema(desk: Desk) -> None:
    desk.configure(schema(kept=5), {"audiences": {"lost": {"filter": "NOT EXISTS town"}}})
    desk.clock.move(NOON + HOUR)
    buy(desk, 5)
    desk.fold()

    told = desk.run(explain(desk.context, SHOP, "lost", "a1"))

    assert (True, NOON + HOUR) == (told.rule.matches, told.rule.since)


def test_each_field_names_the_mapping_that_gave_it(desk: Desk) -> None:
    desk.configure(schema())
    buy(desk, 5, town="Rome", name="Bologna")
    desk.fold()
    desk.configure(schema(town="postcode"))
    buy(desk, 7, town="Oslo")
    desk.fold()

    found = desk.run(traced(desk.context, desk.run(person(desk.context, SHOP, "a1"))))

    town, spend = found.sources["town"], found.sources["spend"]
    assert [("town", "Rome")] == [(one.mapping.expression, one.value) for one in town.origins]
    assert (12, 2) == (spend.value, spend.events)


def test_a_window_nobody_keeps_is_tried_on_what_old_mappings_gave(desk: Desk) -> None:
    desk.configure(schema())
    buy(desk, 5, town="Rome")
    desk.fold()
    desk.configure(schema(town="postcode"))
    buy(desk, 7, town="Oslo", postcode="Bern")
    desk.fold()

    count = desk.run(ad_hoc_size(desk.context, SHOP, 'FILTER distinct("town", "3d") = 2'))

    assert 1 == count.size


def test_a_time_values_are_kept_for_counts_from_the_first_event_of_its_version(desk: Desk) -> None:
    desk.configure(schema(kept=5))
    buy(desk, 5, town="Rome")
    desk.configure(schema(kept=1), confirm=True)
    desk.fold()
    held = desk.read(lambda tx: tx.profiles.scan(SHOP, 0, 10))[0].fields["town"]

    desk.pass_days(1)

    (profile,) = desk.read(lambda tx: tx.profiles.scan(SHOP, 0, 10))
    assert ("Rome", False) == (held, "town" in profile.fields)
