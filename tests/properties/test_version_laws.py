"""A version of the schema folds what was received after it was published, and the past stays as it was folded."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.core.plans import AccountPlan
from gatepost.core.refolding import refolded
from gatepost.model.profile import Profile
from gatepost.operations.records import versions_of
from tests.factories import ACCOUNT
from tests.membership import CHANGES, WRITES, Life

RULES = (0, 2, 4)
"""Over `spend`, its sum in a window, and `visits`."""
SAID = st.fixed_dictionaries(
    {"total": st.integers(0, 6), "city": st.sampled_from(["Rome", "Oslo", "Bern"])},
    optional={"url": st.just("/"), "mood": st.fixed_dictionaries({"am": st.integers(0, 3)})},
)
NAMES = st.sampled_from([{"user": "ada"}, {"cookie": "c1"}])
CHANGE = st.sampled_from([place for place, (name, *_) in enumerate(CHANGES) if name not in ("email", "user")])
EVENT = st.tuples(st.just("send"), st.builds(lambda name, said: (name | said, 0), NAMES, SAID))
PUBLISH = st.tuples(st.just("publish"), CHANGE)
WRITE = st.tuples(
    st.just("write"),
    st.tuples(st.sampled_from([("user", "ada"), ("cookie", "c1")]), st.integers(0, len(WRITES) - 1)),
)
HAPPENED = st.one_of(EVENT, EVENT, PUBLISH, WRITE, st.tuples(st.just("pass"), st.integers(1, 30)))
LAGGING = st.one_of(HAPPENED, st.tuples(st.sampled_from(["turn", "crash"]), st.integers(0, 1)))
Steps = list[tuple[str, Any]]


def begun(folders: ExitStack) -> Life:
    life = Life(Path(folders.enter_context(tempfile.TemporaryDirectory())))
    folders.callback(life.close)
    for rule in RULES:
        life.do_create(rule)
    return life


def lived(life: Life, steps: Steps, *, at_once: bool) -> None:
    """Live through steps; `at_once` applies each before the next happens."""
    for what, value in steps:
        life.step(what, value)
        if at_once:
            life.pipeline.settle()
    life.pipeline.settle()


def held(profile: Profile) -> dict[str, Any]:
    """All that events made of a profile."""
    document = msgspec.structs.asdict(profile)
    folded = ("fields", "stamps", "given", "first", "windows", "streams", "events", "identifiers")
    return {name: document[name] for name in folded}


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(LAGGING, max_size=16))
def test_how_far_apply_is_behind_does_not_show(steps: Steps) -> None:
    with ExitStack() as folders:
        prompt, behind = begun(folders), begun(folders)

        lived(prompt, [one for one in steps if one[0] not in ("turn", "crash")], at_once=True)
        lived(behind, steps, at_once=False)

        assert [held(one) for one in prompt.pipeline.profiles()] == [
            held(one) for one in behind.pipeline.profiles()
        ]
        assert prompt.schema.version == behind.schema.version


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(LAGGING, max_size=16))
def test_folding_again_gives_the_same_profile_down_to_every_stamp(steps: Steps) -> None:
    with ExitStack() as folders:
        life = begun(folders)
        lived(life, steps, at_once=False)
        plan = AccountPlan(life.schema, life.audiences(), (), set())
        versions = life.pipeline.store.write_blocking(lambda tx: versions_of(tx, ACCOUNT, plan))

        for profile in life.pipeline.profiles():
            events, now = life.pipeline.log.fetch(profile.trail), life.pipeline.clock.audience()
            *_, last = refolded(versions, profile.identifiers, events, now)

            assert held(last.profile) == held(profile)


@settings(max_examples=60, deadline=None)
@given(before=st.lists(HAPPENED, max_size=8), since=st.lists(HAPPENED, max_size=8))
def test_two_who_are_parted_are_as_if_they_had_never_met(before: Steps, since: Steps) -> None:
    first = [("send", ({"user": "ada", "total": 1}, 0)), ("send", ({"cookie": "c1", "total": 2}, 0))]
    met, apart = {"user": "ada", "cookie": "c1", "total": 3}, {"user": "ada", "total": 3}
    with ExitStack() as folders:
        joined, never = begun(folders), begun(folders)

        lived(joined, [*first, *before, ("send", (met, 0)), *since, ("unmerge", 0)], at_once=True)
        lived(never, [*first, *before, ("send", (apart, 0)), *since], at_once=True)

        assert 1 == joined.pipeline.counters()["unmerges"]
        assert [held(one) for one in joined.pipeline.profiles()] == [
            held(one) for one in never.pipeline.profiles()
        ]
