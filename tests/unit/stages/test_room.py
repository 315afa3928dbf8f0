"""However much comes, a profile stays of a size that can be kept, and what had to go is counted."""

from typing import Any

import msgspec
import pytest

from gatepost.core import sizes
from gatepost.core.entities import entity_of
from gatepost.model.profile import Profile
from gatepost.model.schema import Field, FieldType, MergeOperator, Schema
from gatepost.operations.members import entity_plan
from tests.factories import ACCOUNT
from tests.pipeline import SHOP, START, Pipeline

WITH_CAPACITY = msgspec.structs.replace(
    SHOP,
    fields=tuple(
        msgspec.structs.replace(one, capacity=3) if one.name == "cookie" else one for one in SHOP.fields
    ),
)


def shown(pipeline: Pipeline, profile: Profile) -> dict[str, Any]:
    plan = pipeline.store.write_blocking(lambda tx: entity_plan(tx, ACCOUNT))
    return entity_of(profile, plan)


def leads_to(pipeline: Pipeline, field: str, value: str) -> int | None:
    found = pipeline.store.write_blocking(lambda tx: tx.profiles.find(ACCOUNT, [(field, value)]))
    return found.get((field, value))


@pytest.mark.parametrize(("schema", "room"), [(SHOP, 49), (WITH_CAPACITY, 3)], ids=["limit", "capacity"])
def test_a_shared_login_with_hundreds_of_cookies_keeps_those_seen_first_most_recently(
    pipeline: Pipeline, schema: Schema, room: int
) -> None:
    pipeline.configure("visits > 0", schema=schema)

    for number in range(300):
        pipeline.send(user="kiosk", cookie=f"c{number:03}", url="/", at=START + number)
    pipeline.settle()

    profile = pipeline.profile()
    kept = [f"c{number:03}" for number in range(300 - room, 300)]
    assert kept == profile.fields["cookie"]
    assert kept == sorted(profile.identifiers["cookie"])
    assert 300 == profile.events
    assert 300 - room == profile.released == pipeline.counters()["identifiers_released"]
    assert 300 - room == shown(pipeline, profile)["_num_identifiers_released"]
    assert leads_to(pipeline, "cookie", "c000") is None
    assert leads_to(pipeline, "cookie", "c299") == profile.number


def test_a_cookie_that_had_to_go_is_taken_on_again_by_the_next_login(pipeline: Pipeline) -> None:
    pipeline.configure("visits > 0", schema=WITH_CAPACITY)
    for number in range(4):
        pipeline.send(user="ada", cookie=f"c{number}", at=START + number)
    pipeline.settle()

    pipeline.send(user="ada", cookie="c0", at=START + 10)
    pipeline.settle()

    assert ["c2", "c3", "c0"] == pipeline.profile().fields["cookie"]


def test_two_people_who_become_one_keep_no_more_than_one_would(pipeline: Pipeline) -> None:
    pipeline.configure("visits > 0", schema=WITH_CAPACITY)
    for number, user in enumerate(["ada"] * 3 + [""] * 3):
        pipeline.send(user=user, cookie=f"c{number}", email="" if user else "a@x.co", at=START + number)
    pipeline.settle()

    pipeline.send(user="ada", email="a@x.co")
    pipeline.settle()

    assert {"c3", "c4", "c5"} == set(pipeline.profile().identifiers["cookie"])


def test_one_event_with_thousands_of_identifiers_brings_as_many_as_a_profile_has(pipeline: Pipeline) -> None:
    pipeline.configure("visits > 0")

    pipeline.send(user="ada", cookie=[f"c{number}" for number in range(5_000)])
    pipeline.settle()

    assert 50 == sum(map(len, pipeline.profile().identifiers.values()))
    assert 4_951 == pipeline.counters()["identifiers_blocked"]


def test_a_profile_that_is_full_goes_on_but_for_its_sets_and_maps(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "LARGEST_PROFILE", 4_000)
    pipeline.configure("spend > 150")

    for number in range(200):
        pipeline.send(user="ada", event="purchase", product=f"product-{number:030}", total=1)
    pipeline.settle()

    profile = pipeline.profile()
    assert 3_000 < len(msgspec.msgpack.encode(profile)) < 4_500
    assert 200 == profile.events == profile.fields["spend"]
    assert ["ada"] == pipeline.inside()
    assert profile.refused == pipeline.counters()["events_too_large"] > 50
    assert profile.refused == shown(pipeline, profile)["_dropped_events_too_large"]


def test_what_fades_makes_a_full_profile_take_in_values_again() -> None:
    field = Field(name="viewed", type=FieldType.STRINGS, merge=MergeOperator.MERGE)
    profile = Profile(
        1, "1" * 32, fields={"viewed": ["x" * sizes.LARGEST_PROFILE]}, weight=sizes.LARGEST_PROFILE
    )
    turned_away = 0
    while sizes.weigh(profile, 1_000, 100):
        sizes.fitting(profile, [(field, ["y"])])
        turned_away += 1
        if turned_away == 3:
            del profile.fields["viewed"]

    assert 64 == turned_away == profile.refused
    assert profile.weight < 200
