"""Whatever happens, and whenever it ends: who is stored as a member is who fulfils the rule, and it was told once."""

import tempfile
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.model.times import DAY
from gatepost.stages import duties
from tests.membership import RULES, Life

EVENTS = st.fixed_dictionaries(
    {"total": st.integers(0, 4), "url": st.sampled_from(["/", "/shoes", "/hats"])},
    optional={
        "user": st.sampled_from(["ada", "bob"]),
        "email": st.sampled_from(["a@x.co", "b@x.co", "c@x.co"]),
        "cookie": st.sampled_from(["c1", "c2", "c3", "c4"]),
        "city": st.sampled_from(["Rome", "Oslo", "Bern"]),
        "mood": st.dictionaries(st.sampled_from(["am", "pm"]), st.integers(0, 3), min_size=1),
        "event": st.just("purchase"),
        "product": st.sampled_from(["tea", "mug"]),
    },
)
LINKS = st.fixed_dictionaries(
    {
        "cookie": st.lists(st.sampled_from(["c1", "c2", "c3", "c4"]), min_size=2, max_size=2),
        "total": st.just(1),
    },
    optional={"user": st.sampled_from(["ada", "bob"]), "email": st.sampled_from(["a@x.co", "b@x.co"])},
)
"""Events that make one person of several."""
CHOICE = st.integers(0, 11)
RULE_SETS = st.lists(st.integers(0, len(RULES) - 1), min_size=1, max_size=4, unique=True)
WRITES = st.tuples(
    st.sampled_from(
        [("user", "ada"), ("user", "bob"), ("email", "a@x.co"), ("cookie", "c1"), ("cookie", "c2")]
    ),
    CHOICE,
)
"""Whose attributes are written by hand, and which."""
STEPS = st.one_of(
    st.tuples(st.just("send"), st.tuples(EVENTS, st.integers(-3 * DAY, DAY))),
    st.tuples(st.just("send"), st.tuples(EVENTS, st.just(0))),
    st.tuples(st.just("send"), st.tuples(LINKS, st.just(0))),
    st.tuples(st.just("wait"), st.integers(0, 40)),
    st.tuples(st.just("turn"), st.integers(1, 2)),
    st.tuples(st.just("create"), CHOICE),
    st.tuples(st.just("write"), WRITES),
    st.tuples(st.sampled_from(["include", "edit", "delete"]), CHOICE),
    st.tuples(st.sampled_from(["unmerge", "rejoin"]), CHOICE),
    st.tuples(st.just("publish"), CHOICE),
    st.tuples(st.just("crash"), st.integers(0, 2)),
    st.tuples(st.just("check"), st.none()),
)
Steps = list[tuple[str, Any]]


def live(life: Life, steps: Steps) -> None:
    for what, value in steps:
        if what == "check":
            life.check()
        else:
            life.step(what, value)
    life.check()


@settings(max_examples=60)
@given(
    rules=RULE_SETS,
    limit=st.sampled_from([2, 3, 50]),
    steps=st.lists(STEPS, max_size=24),
)
def test_what_is_stored_is_what_the_rules_say_through_any_history(
    rules: list[int], limit: int, steps: Steps
) -> None:
    step, duties.STEP = duties.STEP, 1
    try:
        with tempfile.TemporaryDirectory() as folder:
            life = Life(Path(folder), limit)
            for rule in rules:
                life.do_create(rule)
            live(life, steps)
            life.pipeline.close()
    finally:
        duties.STEP = step


HISTORIES = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.tuples(EVENTS, st.integers(-2 * DAY, DAY))),
        st.tuples(st.just("wait"), st.integers(1, 60)),
        st.tuples(st.just("write"), WRITES),
        st.tuples(st.sampled_from(["edit", "unmerge", "publish"]), CHOICE),
    ),
    max_size=14,
)


@settings(max_examples=40)
@given(rules=RULE_SETS, steps=HISTORIES)
def test_a_jump_of_time_triggers_what_many_small_steps_trigger(rules: list[int], steps: Steps) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        jumping, stepping = Life(Path(one)), Life(Path(other))
        for life, finest in ((jumping, 60), (stepping, 1)):
            for rule in rules:
                life.do_create(rule)
            for what, value in steps:
                if what == "wait":
                    for hours in [finest] * (value // finest) + [value % finest]:
                        life.do_pass(hours)
                        life.pipeline.settle()
                else:
                    life.step(what, value)
                    life.pipeline.settle()

        assert jumping.pipeline.triggers() == stepping.pipeline.triggers()
        jumping.pipeline.close()
        stepping.pipeline.close()


@settings(max_examples=40)
@given(
    events=st.lists(
        st.fixed_dictionaries(
            {
                "cookie": st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=2),
                "total": st.integers(1, 9),
            }
        ),
        max_size=14,
    ),
    chance=st.randoms(use_true_random=False),
)
def test_who_is_one_person_does_not_depend_on_the_order_of_events(
    events: list[dict[str, Any]], chance: Random
) -> None:
    shuffled = chance.sample(events, len(events))
    found = []
    for order in (events, shuffled):
        with tempfile.TemporaryDirectory() as folder:
            life = Life(Path(folder))
            life.do_create(0)
            for body in order:
                life.do_send((body, 0))
            life.check()
            people = [(sorted(p.identifiers["cookie"]), p.fields["spend"]) for p in life.pipeline.profiles()]
            found.append((sorted(people), life.pipeline.inside()))
            life.pipeline.close()

    assert found[0] == found[1]
