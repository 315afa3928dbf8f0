"""Two people were taken for one; the merge is undone, and each has again what is hers."""

import msgspec
import pytest

from gatepost.model.event import RecordKind, Submission
from gatepost.model.merge import MergeCommand
from gatepost.model.profile import Profile
from gatepost.model.times import DAY, to_rfc3339
from tests.factories import ACCOUNT
from tests.pipeline import START, Pipeline


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
