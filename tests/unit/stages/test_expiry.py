"""What nobody gives again disappears by itself, at its own instant, and audiences notice."""

import msgspec

from gatepost.model.profile import EXPIRY, Profile
from gatepost.model.schema import Field, FieldType, MergeOperator
from gatepost.model.times import DAY, HOUR, SECOND, to_rfc3339
from tests.pipeline import SHOP, START, Pipeline, shop_with

VIEWED = Field(name="viewed", type=FieldType.STRINGS, merge=MergeOperator.MERGE, keep_days=30)
SHOES = 'viewed = "shoes"'


def test_an_interest_fades_thirty_days_after_it_was_last_shown(pipeline: Pipeline) -> None:
    pipeline.configure(SHOES, schema=shop_with(VIEWED, "url"))
    pipeline.send(user="ada", url="shoes")
    pipeline.after(10 * DAY)
    pipeline.send(user="ada", url="shoes")
    pipeline.settle()

    pipeline.after(30 * DAY - SECOND)
    just_before = pipeline.inside()
    pipeline.after(SECOND)

    assert ["ada"] == just_before
    assert [] == pipeline.inside()
    assert ("exit", 1, to_rfc3339(START + 40 * DAY)) == pipeline.triggers()[-1]


def test_only_the_interest_that_faded_goes(pipeline: Pipeline) -> None:
    pipeline.configure(SHOES, 'viewed = "hats"', schema=shop_with(VIEWED, "url"))
    pipeline.send(user="ada", url="shoes")
    pipeline.after(DAY)
    pipeline.send(user="ada", url="hats")
    pipeline.settle()

    pipeline.after(29 * DAY)

    assert ["hats"] == pipeline.profile().fields["viewed"]
    assert [] == pipeline.inside(1)
    assert ["ada"] == pipeline.inside(2)


def test_the_last_interest_that_fades_leaves_no_field_behind(pipeline: Pipeline) -> None:
    pipeline.configure("NOT EXISTS viewed", schema=shop_with(VIEWED, "url"))
    pipeline.send(user="ada", url="shoes")
    pipeline.settle()

    pipeline.after(30 * DAY)

    assert "viewed" not in pipeline.profile().fields
    assert ["ada"] == pipeline.inside()
    assert EXPIRY not in pipeline.profile().due


def test_an_event_that_comes_too_late_to_be_kept_changes_nothing(pipeline: Pipeline) -> None:
    pipeline.configure(SHOES, schema=shop_with(VIEWED, "url"))

    pipeline.send(user="ada", url="shoes", at=START - 30 * DAY)
    pipeline.settle()

    assert [] == pipeline.inside()
    assert 1 == pipeline.profile().events


def test_a_single_value_is_kept_as_long_as_it_is_given(pipeline: Pipeline) -> None:
    plan = Field(name="plan", keep_days=7)
    pipeline.configure('plan = "gold"', schema=shop_with(plan, "plan"))
    pipeline.send(user="ada", plan="gold")
    pipeline.after(6 * DAY)
    pipeline.send(user="ada", plan="gold")
    pipeline.settle()

    pipeline.after(6 * DAY)
    kept = pipeline.inside()
    pipeline.after(DAY)

    assert ["ada"] == kept
    assert [] == pipeline.inside()


def test_what_two_people_had_shown_fades_from_the_one_they_turn_out_to_be(pipeline: Pipeline) -> None:
    pipeline.configure(SHOES, 'viewed = "hats"', schema=shop_with(VIEWED, "url"))
    pipeline.send(cookie="c1", url="shoes")
    pipeline.after(DAY)
    pipeline.send(user="ada", url="hats")
    pipeline.send(user="ada", cookie="c1")
    pipeline.settle()

    pipeline.after(29 * DAY)
    one_left = pipeline.inside(1), pipeline.inside(2)
    pipeline.after(DAY)

    assert ([], ["ada"]) == one_left
    assert [] == pipeline.inside(2)


def test_a_shorter_time_to_keep_counts_for_what_is_held_already(pipeline: Pipeline) -> None:
    pipeline.configure(SHOES, schema=shop_with(VIEWED, "url"))
    pipeline.send(user="ada", url="shoes")
    pipeline.after(DAY)
    shorter = msgspec.structs.replace(VIEWED, keep_days=2)

    pipeline.configure(SHOES, schema=msgspec.structs.replace(shop_with(shorter, "url"), version=2))
    pipeline.add_duty("lapse", 0)
    pipeline.settle()
    pipeline.after(DAY - SECOND)
    just_before = pipeline.inside()
    pipeline.after(SECOND)

    assert ["ada"] == just_before
    assert [] == pipeline.inside()


def test_what_was_held_for_ever_counts_from_the_last_change_once_it_fades(pipeline: Pipeline) -> None:
    lasting = msgspec.structs.replace(VIEWED, keep_days=0)
    pipeline.configure(SHOES, schema=shop_with(lasting, "url"))
    pipeline.send(user="ada", url="shoes")
    pipeline.after(DAY)

    pipeline.configure(SHOES, schema=msgspec.structs.replace(shop_with(VIEWED, "url"), version=2))
    pipeline.add_duty("lapse", 0)
    pipeline.settle()
    pipeline.after(29 * DAY - SECOND)
    just_before = pipeline.inside()
    pipeline.after(SECOND)

    assert ["ada"] == just_before
    assert [] == pipeline.inside()


def test_a_full_set_lets_the_value_go_that_was_given_longest_ago(pipeline: Pipeline) -> None:
    recent = Field(name="recent", type=FieldType.STRINGS, merge=MergeOperator.MERGE, capacity=2)
    pipeline.configure('recent = "a"', schema=shop_with(recent, "url"))

    for hour, url in enumerate("abac"):
        pipeline.send(user="ada", url=url, at=START + hour * HOUR // 10)
    pipeline.settle()

    assert ["a", "c"] == pipeline.profile().fields["recent"]
    assert ["ada"] == pipeline.inside()


def test_a_profile_written_before_there_were_capacities_is_read_as_it_is() -> None:
    earlier = Profile(7, "7" * 32, fields={"viewed": ["shoes"]}, created=START)
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(earlier))[:17]

    read = msgspec.msgpack.decode(msgspec.msgpack.encode(stored), type=Profile)

    assert earlier == read


def test_a_field_that_keeps_everything_costs_a_profile_nothing(pipeline: Pipeline) -> None:
    pipeline.configure('products = "shoes"', schema=SHOP)

    pipeline.send(user="ada", event="purchase", product="shoes")
    pipeline.settle()

    profile = pipeline.profile()
    assert ({}, {}, {}) == (profile.given, profile.first, profile.due)


def test_a_count_by_day_lets_go_at_the_midnight_after_its_last_day(pipeline: Pipeline) -> None:
    visits = Field(name="visits_by_day", type=FieldType.BUCKETS, merge=MergeOperator.MERGE)
    pipeline.configure("timewindow(visits_by_day, 2, 7)", schema=shop_with(visits, "timebucket()"))
    pipeline.send(user="ada", at=START - 2 * DAY)
    pipeline.settle()
    once = pipeline.inside()
    pipeline.send(user="ada")
    pipeline.settle()
    twice = pipeline.inside()
    # The first visit's day leaves the window when the seventh day after it begins.
    leaves = (START // DAY - 2 + 7) * DAY

    pipeline.after(leaves - START - SECOND)
    just_before = pipeline.inside()
    pipeline.after(SECOND)

    assert ([], ["ada"], ["ada"], []) == (once, twice, just_before, pipeline.inside())
    assert ("exit", 1, to_rfc3339(leaves)) == pipeline.triggers()[-1]
