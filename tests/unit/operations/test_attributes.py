"""Somebody at the desk puts right what a profile holds: fields overwritten, merged in and emptied by hand."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from gatepost.core.provenance import BY_HAND
from gatepost.model.errors import InvalidInput, NotFound
from gatepost.operations import audiences
from gatepost.operations.attributes import get_attributes, merge_in, overwrite, remove
from gatepost.operations.audiences import AudienceDraft
from gatepost.operations.persons import events_of, person, traced
from tests.unit.operations.desk import SCHEMA, SHOP, Desk

ADA = ("card", "c1")


@pytest.fixture
def ada(shop: Desk) -> Desk:
    """Ada spent 40 in Rome, and there is an audience of those who spent much."""
    shop.run(audiences.create_audience(shop.context, SHOP, AudienceDraft("Rich", "spend > 100")))
    shop.collect("baskets", {"card": "c1", "total": 40, "town": "Rome"})
    return shop


def ordered(desk: Desk, order: Coroutine[Any, Any, None]) -> None:
    """Give an order while apply goes on beside."""

    async def work() -> None:
        asked = asyncio.create_task(order)
        while not asked.done():
            await asyncio.sleep(0)
            desk.turn()
        await asked

    desk.run(work())


def held(desk: Desk) -> dict[str, Any]:
    stored = dict(desk.run(get_attributes(desk.context, SHOP, ADA)))
    del stored["_id"]
    return stored


def rich(desk: Desk) -> list[object]:
    return [one["card"] for one in desk.run(audiences.scan(desk.context, SHOP, "rich")).entities]


def test_a_field_that_is_overwritten_holds_just_that_and_the_others_stay(ada: Desk) -> None:
    ordered(ada, overwrite(ada.context, SHOP, ADA, {"spend": 500}))

    assert {"card": "c1", "spend": 500, "town": "Rome"} == held(ada)
    assert ["c1"] == rich(ada)


def test_what_she_does_next_is_folded_onto_what_was_written(ada: Desk) -> None:
    ordered(ada, overwrite(ada.context, SHOP, ADA, {"spend": 90, "town": None}))
    ada.collect("baskets", {"card": "c1", "total": 11})

    assert {"card": "c1", "spend": 101} == held(ada)
    assert ["c1"] == rich(ada)


def test_a_value_merged_in_meets_what_the_field_holds(ada: Desk) -> None:
    ordered(ada, merge_in(ada.context, SHOP, ADA, {"spend": 5, "town": "Oslo"}))

    assert {"card": "c1", "spend": 45, "town": "Oslo"} == held(ada)


def test_named_fields_are_emptied_and_without_names_all_but_those_that_identify(ada: Desk) -> None:
    ordered(ada, remove(ada.context, SHOP, ADA, ["town"]))
    after_one = held(ada)
    ordered(ada, remove(ada.context, SHOP, ADA))

    assert {"card": "c1", "spend": 40} == after_one
    assert {"card": "c1"} == held(ada)


def test_who_is_named_by_id_is_written_by_her_strongest_identifier(ada: Desk) -> None:
    id_ = str(ada.run(get_attributes(ada.context, SHOP, ADA))["_id"])

    ordered(ada, overwrite(ada.context, SHOP, ("_id", id_), {"town": "Bern"}))

    assert held(ada)["town"] == "Bern"


def test_a_written_value_is_shown_as_written_by_hand_and_handed_out_with_the_rest(ada: Desk) -> None:
    ordered(ada, overwrite(ada.context, SHOP, ADA, {"spend": 7}))
    who = ada.run(person(ada.context, SHOP, "card=c1"))

    async def streams() -> list[str]:
        return [event.stream async for event in events_of(ada.context, who)]

    (origin,) = ada.run(traced(ada.context, who)).sources["spend"].origins
    assert (BY_HAND, 7) == (origin.mapping.expression, origin.value)
    assert ["baskets", "attributes"] == ada.run(streams())


def test_a_write_counts_as_no_event(ada: Desk) -> None:
    ordered(ada, merge_in(ada.context, SHOP, ADA, {"spend": 7}))
    who = ada.run(person(ada.context, SHOP, "card=c1"))

    assert (1, ["baskets"]) == (who.entity["_num_events"], who.entity["_streamnames"])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"twon": "Rome"}, "no field twon; did you mean town"),
        ({"card": "c2"}, "identifies profiles"),
        ({"spend": "much"}, "spend holds number"),
        ({}, "no field is named"),
    ],
)
def test_what_cannot_be_written_is_refused_with_the_reason(
    ada: Desk, values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason):
        ordered(ada, overwrite(ada.context, SHOP, ADA, values))

    assert {"card": "c1", "spend": 40, "town": "Rome"} == held(ada)


def test_nobody_is_made_by_a_write(ada: Desk) -> None:
    with pytest.raises(NotFound, match="card=c9"):
        ordered(ada, overwrite(ada.context, SHOP, ("card", "c9"), {"town": "Rome"}))


def test_what_a_field_asserts_holds_for_what_is_written_too(ada: Desk) -> None:
    part: Any = SCHEMA["schema"]
    fields = {**part["fields"], "town": {"type": "string", "assertions": {"format": "alpha"}}}
    ada.configure({**SCHEMA, "schema": {**part, "fields": fields}})

    with pytest.raises(InvalidInput, match="town asserts"):
        ordered(ada, overwrite(ada.context, SHOP, ADA, {"town": "R2D2"}))

    assert "Rome" == held(ada)["town"]
