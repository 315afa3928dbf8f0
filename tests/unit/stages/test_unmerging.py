"""Two people were taken for one; the merge is undone, and each has again what is hers."""

import msgspec
import pytest

from gatepost.model.delivery import Attempt, Delivery, DeliveryState
from gatepost.model.event import RecordKind, Submission
from gatepost.model.merge import MergeCommand
from gatepost.model.profile import Profile
from gatepost.model.schema import Field, FieldType, MergeOperator
from gatepost.model.times import DAY, HOUR, Instant, to_rfc3339
from gatepost.ports.outbox import Claim, Settlement
from tests.factories import ACCOUNT
from tests.pipeline import SHOP, START, Pipeline, shop_with


def unmerge(pipeline: Pipeline, merge: int = 1, *, rejoin: bool = False) -> None:
    """Ask for a merge to be undone, and let it happen."""
    body = msgspec.json.encode(MergeCommand(merge=merge, rejoin=rejoin))
    pipeline.log.append(ACCOUNT, [Submission("", 0, body, kind=RecordKind.UNMERGE)]).result()
    pipeline.settle()


def whole_trail(pipeline: Pipeline, profile: Profile) -> list[int]:
    """The ids of all events of a profile."""
    older = pipeline.store.write_blocking(lambda tx: tx.profiles.trail(ACCOUNT, profile.number))
    return [*older, *profile.trail]


def by_user(pipeline: Pipeline) -> dict[str, Profile]:
    return {str(profile.fields.get("user")): profile for profile in pipeline.profiles()}


def claimed(pipeline: Pipeline, now: Instant = START) -> list[Delivery]:
    """Take all that may go out now."""
    claims = [Claim(destination=1, limit=100)]
    return pipeline.store.write_blocking(lambda tx: tx.outbox.claim("w", claims, now, now + HOUR))


def settle(pipeline: Pipeline, delivery: Delivery, state: DeliveryState, due: Instant = 0) -> None:
    attempt = Attempt(delivery=delivery.id, number=1, started=START, duration=5)
    settlement = Settlement(delivery=delivery, state=state, due=due, attempt=attempt)
    pipeline.store.write_blocking(lambda tx: tx.outbox.settle("w", [settlement], START))


@pytest.fixture
def mistaken(pipeline: Pipeline) -> Pipeline:
    """Ada buys for 5, an unknown browser for 7; then she borrows that browser, and both are one."""
    pipeline.configure("spend > 10", "spend > 4", 'count("web", "7d") >= 3')
    pipeline.send(user="ada", total=5)
    pipeline.send(cookie="c1", total=7)
    pipeline.send(user="ada", cookie="c1", total=1)
    pipeline.settle()
    assert len(pipeline.profiles()) == 1
    return pipeline


def test_each_side_gets_its_own_events_back(mistaken: Pipeline) -> None:
    unmerge(mistaken)

    ada, browser = mistaken.profiles()
    assert (ada.fields["user"], ada.fields["spend"], ada.events) == ("ada", 6, 2)
    assert (browser.fields["cookie"], browser.fields["spend"], browser.events) == (["c1"], 7, 1)
    assert list(ada.identifiers) == ["user"]
    assert list(browser.identifiers) == ["cookie"]


def test_the_triggers_tell_what_differs_and_no_more(mistaken: Pipeline) -> None:
    before = mistaken.triggers()

    unmerge(mistaken)

    now = to_rfc3339(START)
    assert mistaken.triggers()[len(before) :] == [
        ("exit", 1, now),
        ("exit", 3, now),
        ("exit", 1, now),
        ("exit", 3, now),
    ]
    assert [0, 2, 0] == [len(mistaken.inside(number)) for number in (1, 2, 3)]
    sizes = mistaken.store.write_blocking(lambda tx: tx.memberships.sizes(ACCOUNT))
    assert {n: sizes[n].size for n in (1, 2, 3)} == {1: 0, 2: 2, 3: 0}


def test_what_comes_after_goes_to_the_right_one_and_they_stay_apart(mistaken: Pipeline) -> None:
    unmerge(mistaken)
    mistaken.send(cookie="c1", total=10)
    mistaken.send(user="ada", cookie="c1", total=100)
    mistaken.settle()

    ada, browser = mistaken.profiles()
    assert (ada.fields["spend"], browser.fields["spend"]) == (106, 17)
    assert ada.conflicts == 1
    assert 1 == mistaken.counters()["unmerges"]


def test_they_may_become_one_again_when_somebody_says_so(mistaken: Pipeline) -> None:
    unmerge(mistaken)
    unmerge(mistaken, rejoin=True)

    mistaken.send(user="ada", cookie="c1", total=2)
    mistaken.settle()

    assert mistaken.profile().fields["spend"] == 15


def test_only_the_newest_merge_of_a_profile_can_be_undone(mistaken: Pipeline) -> None:
    mistaken.send(cookie="c2", total=2)
    mistaken.send(user="ada", cookie="c2", total=1)
    mistaken.settle()

    unmerge(mistaken, 1)
    still_one = len(mistaken.profiles())
    unmerge(mistaken, 2)
    unmerge(mistaken, 1)

    assert still_one == 1
    assert {"spend": 7} == {"spend": by_user(mistaken)["ada"].fields["spend"]}
    assert 3 == len(mistaken.profiles())
    assert 1 == mistaken.counters()["unmerges_refused"]


def test_wakeups_of_both_go_on(mistaken: Pipeline) -> None:
    mistaken.configure("spend > 10", "spend > 4", 'count("web", "7d") >= 1')
    unmerge(mistaken)
    both = mistaken.inside(3)

    mistaken.after(8 * DAY)

    assert 2 == len(both)
    assert [] == mistaken.inside(3)


def test_a_long_past_is_divided_event_by_event(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 1000")
    for _ in range(150):
        pipeline.send(user="ada", total=1)
        pipeline.send(cookie="c1", total=2)
    pipeline.send(user="ada", cookie="c1", total=0)
    for _ in range(100):
        pipeline.send(user="ada", total=1)
        pipeline.send(cookie="c1", total=2)
    pipeline.settle()

    unmerge(pipeline)

    ada, browser = pipeline.profiles()
    trails = [whole_trail(pipeline, one) for one in (ada, browser)]
    assert (ada.fields["spend"], browser.fields["spend"]) == (250, 500)
    assert [251, 250] == [len(trail) for trail in trails]
    assert all(trail == sorted(set(trail)) for trail in trails)


def leading_to(pipeline: Pipeline, field: str, value: str) -> int | None:
    """The number of the profile to which an identifier leads."""
    found = pipeline.store.write_blocking(lambda tx: tx.profiles.find(ACCOUNT, [(field, value)]))
    return found.get((field, value))


def test_what_is_kept_for_a_while_goes_when_its_time_has_come(pipeline: Pipeline) -> None:
    pages = Field(name="pages", type=FieldType.STRINGS, merge=MergeOperator.MERGE, keep_days=2)
    pipeline.configure('pages = "/shoes"', schema=shop_with(pages, "url"))
    pipeline.send(user="ada", url="/shoes")
    pipeline.send(cookie="c1", url="/hats")
    pipeline.send(user="ada", cookie="c1", total=1)
    pipeline.settle()
    pipeline.after(DAY)

    unmerge(pipeline)
    still = pipeline.inside()
    pipeline.after(2 * DAY)

    assert still == ["ada"]
    assert pipeline.inside() == []
    assert [None, None] == [profile.fields.get("pages") for profile in pipeline.profiles()]


def test_what_had_gone_by_itself_does_not_come_back(pipeline: Pipeline) -> None:
    recent = Field(name="recent", type=FieldType.NUMBER, merge=MergeOperator.SUM, keep_days=1)
    pipeline.configure("recent > 5", schema=shop_with(recent, "tonumber(total)"))
    pipeline.send(user="ada", total=5)
    pipeline.send(cookie="c1", total=7)
    pipeline.send(user="ada", cookie="c1")
    pipeline.settle()
    pipeline.after(30 * HOUR)
    pipeline.send(user="ada", total=3)
    pipeline.settle()

    unmerge(pipeline)

    ada, browser = pipeline.profiles()
    assert ada.fields["recent"] == 3
    assert "recent" not in browser.fields
    assert pipeline.inside() == []


def test_an_identifier_that_made_room_and_is_somebody_elses_now_stays_theirs(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 1000", schema=msgspec.structs.replace(SHOP, identifiers_limit=3))
    pipeline.send(user="ada", email="a@x.co")
    pipeline.send(cookie="c1")
    pipeline.send(user="ada", cookie="c1")
    pipeline.send(user="ada", email="b@x.co")
    pipeline.send(cookie="c1", total=1)
    pipeline.settle()
    stranger = leading_to(pipeline, "cookie", "c1")

    unmerge(pipeline)

    assert leading_to(pipeline, "cookie", "c1") == stranger
    assert [["c1"]] == [p.fields["cookie"] for p in pipeline.profiles() if p.fields.get("cookie")]


def test_an_event_that_named_a_third_person_too_gives_nothing_of_hers_away(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 1000")
    pipeline.send(user="bob", email="bob@x.co")
    pipeline.send(user="ada")
    pipeline.send(cookie="c1")
    pipeline.send(user="ada", cookie="c1")
    pipeline.send(cookie="c1", email="bob@x.co")
    pipeline.send(user="ada", email="bob@x.co")
    pipeline.settle()
    bob = leading_to(pipeline, "email", "bob@x.co")

    unmerge(pipeline)

    assert leading_to(pipeline, "email", "bob@x.co") == bob
    assert [["bob@x.co"]] == [p.fields["email"] for p in pipeline.profiles() if p.fields.get("email")]


def test_an_identifier_of_a_field_that_left_the_schema_still_leads_to_somebody(mistaken: Pipeline) -> None:
    mistaken.send(user="ada", email="a@x.co")
    mistaken.settle()
    without = [mapping for mapping in SHOP.mappings if mapping.field != "email"]
    schema = msgspec.structs.replace(SHOP, version=2, mappings=tuple(without))
    mistaken.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, "2", schema))

    unmerge(mistaken)

    ada = by_user(mistaken)["ada"]
    assert leading_to(mistaken, "email", "a@x.co") == ada.number
    assert ada.identifiers["email"].keys() == {"a@x.co"}
    assert ada.fields["email"] == ["a@x.co"]


def test_two_who_were_parted_stay_apart_when_each_has_become_part_of_another(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 1000")
    pipeline.send(email="ada@x.co")
    pipeline.send(email="bob@x.co")
    pipeline.send(cookie="c1")
    pipeline.send(cookie="c2")
    pipeline.send(cookie=["c1", "c2"])
    pipeline.settle()
    unmerge(pipeline)
    pipeline.send(email="ada@x.co", cookie="c1")
    pipeline.send(email="bob@x.co", cookie="c2")

    pipeline.send(email="ada@x.co", cookie="c2")
    pipeline.settle()
    apart = len(pipeline.profiles())
    unmerge(pipeline, rejoin=True)
    pipeline.send(email="ada@x.co", cookie="c2")
    pipeline.settle()

    assert apart == 2
    assert ["ada@x.co", "bob@x.co"] == sorted(pipeline.profile().identifiers["email"])


def test_what_is_under_way_for_both_arrives_before_an_exit_of_either(mistaken: Pipeline) -> None:
    arrived = claimed(mistaken)

    unmerge(mistaken)
    meanwhile = claimed(mistaken)
    under_way = arrived
    while under_way:
        for delivery in under_way:
            settle(mistaken, delivery, DeliveryState.DELIVERED)
        under_way = claimed(mistaken)
        arrived = [*arrived, *under_way]

    assert meanwhile == []
    assert ["enter"] * 4 + ["exit"] * 4 == [one.crossing.value for one in arrived]
    assert 2 == len({one.profile for one in arrived[4:]})


def test_the_other_side_waits_for_a_retry_too(mistaken: Pipeline) -> None:
    (tried,) = claimed(mistaken)
    settle(mistaken, tried, DeliveryState.RETRYING, due=START + HOUR)

    unmerge(mistaken)

    assert claimed(mistaken) == []
    assert [tried.id] == [one.id for one in claimed(mistaken, now=START + HOUR)]


def test_what_windows_hold_of_events_that_are_kept_no_more_stays(pipeline: Pipeline) -> None:
    pipeline.configure('first("web") < "now-30d"', 'count("web", "600d") >= 2')
    pipeline.send(user="ada")
    pipeline.settle()
    pipeline.after(40 * DAY)
    pipeline.send(user="ada")
    pipeline.send(cookie="c1")
    pipeline.send(user="ada", cookie="c1")
    pipeline.settle()
    pipeline.log.prune(START + 20 * DAY, pipeline.apply.position).result()
    known = [pipeline.inside(number) for number in (1, 2)]

    unmerge(pipeline)

    assert [["ada"], ["ada"]] == known == [pipeline.inside(number) for number in (1, 2)]


def test_a_window_that_came_after_the_merge_is_filled_from_what_is_kept(pipeline: Pipeline) -> None:
    pipeline.configure('first("web") < "now-30d"')
    pipeline.send(user="ada")
    pipeline.settle()
    pipeline.after(40 * DAY)
    pipeline.send(user="ada")
    pipeline.send(cookie="c1")
    pipeline.send(user="ada", cookie="c1")
    pipeline.settle()
    pipeline.configure('first("web") < "now-30d"', 'count("web", "600d") >= 2')
    pipeline.log.prune(START + 20 * DAY, pipeline.apply.position).result()

    unmerge(pipeline)

    assert [["ada"], ["ada"]] == [pipeline.inside(number) for number in (1, 2)]


def test_who_was_parted_from_one_that_is_part_of_another_by_now_is_known_when_a_later_merge_is_undone(
    pipeline: Pipeline,
) -> None:
    """Two were parted; the one became part of Ada, the other of Bob meanwhile, and Ada is undone: they stay apart."""
    pipeline.configure("spend > 1000")
    pipeline.send(cookie="c1")
    pipeline.send(cookie="c2")
    pipeline.send(cookie=["c1", "c2"])
    pipeline.settle()
    unmerge(pipeline)
    pipeline.send(user="ada")
    pipeline.send(user="ada", cookie="c1")
    pipeline.send(email="bob@x.co")
    pipeline.send(email="bob@x.co", cookie="c2")
    pipeline.settle()
    unmerge(pipeline, 2)

    pipeline.send(email="eve@x.co")
    pipeline.send(email="eve@x.co", cookie="c1")
    pipeline.send(email="eve@x.co", cookie="c2")
    pipeline.settle()

    assert leading_to(pipeline, "cookie", "c1") != leading_to(pipeline, "cookie", "c2")


def test_who_was_parted_from_two_that_were_one_is_kept_apart_from_either_when_they_are_parted_too(
    pipeline: Pipeline,
) -> None:
    pipeline.configure("spend > 1000")
    pipeline.send(user="ada")
    pipeline.send(cookie="c1")
    pipeline.send(user="ada", cookie="c1")
    pipeline.send(email="bob@x.co")
    pipeline.send(email="bob@x.co", cookie="c1")
    pipeline.settle()
    unmerge(pipeline, 2)
    unmerge(pipeline, 1)

    pipeline.send(email="bob@x.co", cookie="c1")
    pipeline.settle()
    apart = leading_to(pipeline, "email", "bob@x.co") != leading_to(pipeline, "cookie", "c1")
    unmerge(pipeline, 2, rejoin=True)
    pipeline.send(email="bob@x.co", cookie="c1")
    pipeline.settle()

    assert apart
    assert leading_to(pipeline, "email", "bob@x.co") == leading_to(pipeline, "cookie", "c1")
    assert leading_to(pipeline, "email", "bob@x.co") != leading_to(pipeline, "user", "ada")


def test_whom_the_other_side_was_parted_from_before_the_merge_is_no_stranger_to_this_one(
    pipeline: Pipeline,
) -> None:
    pipeline.configure("spend > 1000")
    pipeline.send(email="bob@x.co")
    pipeline.send(cookie="c1")
    pipeline.send(email="bob@x.co", cookie="c1")
    pipeline.settle()
    unmerge(pipeline)
    pipeline.send(user="ada")
    pipeline.send(user="ada", cookie="c1")
    pipeline.settle()
    unmerge(pipeline, 2)

    pipeline.send(user="ada", email="bob@x.co")
    pipeline.settle()

    assert leading_to(pipeline, "user", "ada") == leading_to(pipeline, "email", "bob@x.co")
    assert leading_to(pipeline, "cookie", "c1") != leading_to(pipeline, "user", "ada")
