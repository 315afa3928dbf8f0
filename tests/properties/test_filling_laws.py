"""A new audience over the past decides as if it had been there all along, however live events fall into its filling."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.model.times import DAY, HOUR
from gatepost.operations.filters import new_sources
from gatepost.ports.catalog import Duty
from gatepost.ports.store import Transaction
from gatepost.stages import duties
from tests.factories import ACCOUNT
from tests.pipeline import Pipeline, make_audience

OLD = 'count("web", "1d") >= 1'
NEW = (
    'count("web", "3d") >= 2',
    'NOT count("web", "3d", total > 1) >= 1',
    'sum("event.total", "40h") > 3',
    'distinct("event.url", "3d") >= 2',
    'AND ( INCLUDE a1, last("web") > "now-2d" )',
)
EVENTS = st.fixed_dictionaries(
    {"total": st.integers(0, 3), "url": st.sampled_from(["/", "/shoes"])},
    optional={
        "user": st.sampled_from(["ada", "bob"]),
        "cookie": st.sampled_from(["c1", "c2", "c3"]),
    },
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), EVENTS, st.integers(-2 * DAY, 0)),
        st.tuples(st.just("wait"), st.just({}), st.integers(1, 30).map(lambda hours: hours * HOUR)),
        st.tuples(st.just("turn"), st.just({}), st.just(0)),
    ),
    max_size=10,
)
Steps = list[tuple[str, dict[str, Any], int]]


def live(pipeline: Pipeline, steps: Steps) -> None:
    for what, body, amount in steps:
        if what == "send":
            pipeline.send(at=pipeline.clock.audience() + amount, **body)
        elif what == "wait":
            pipeline.clock.move(pipeline.clock.audience() + amount)
            pipeline.log.append_clock(pipeline.clock.audience()).result()
        else:
            pipeline.apply.run_once()


def create(pipeline: Pipeline, text: str) -> None:
    """Save a new audience, as the operation does."""
    audience = make_audience(2, text)

    def work(tx: Transaction) -> None:
        sources = new_sources(audience.filter, [make_audience(1, OLD)])
        tx.catalog.put(ACCOUNT, audience.id, audience)
        tx.ledger.add_duty(
            Duty(account=ACCOUNT, kind="evaluate", subject=audience.id, audience=2, sources=sources)
        )

    pipeline.store.write_blocking(work)


@settings(max_examples=60, deadline=None)
@given(before=STEPS, during=STEPS, text=st.sampled_from(NEW))
def test_it_decides_as_if_it_had_always_been_there(before: Steps, during: Steps, text: str) -> None:
    step, duties.STEP = duties.STEP, 1
    try:
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            late, early = Pipeline(Path(one)), Pipeline(Path(two))
            late.configure(OLD)
            early.configure(OLD, text)
            for pipeline in (late, early):
                live(pipeline, before)
                pipeline.settle()
            create(late, text)
            for pipeline in (late, early):
                live(pipeline, during)
                pipeline.settle()

            assert late.inside(2) == early.inside(2)
            assert [p.windows for p in late.profiles()] == [p.windows for p in early.profiles()]
            assert [p.due for p in late.profiles()] == [p.due for p in early.profiles()]
            late.close()
            early.close()
    finally:
        duties.STEP = step


@settings(max_examples=40, deadline=None)
@given(before=STEPS, during=STEPS)
def test_nobody_enters_for_want_of_a_past(before: Steps, during: Steps) -> None:
    step, duties.STEP = duties.STEP, 1
    text = 'NOT count("web", "60d") >= 1'
    try:
        with tempfile.TemporaryDirectory() as folder:
            pipeline = Pipeline(Path(folder))
            pipeline.configure(OLD)
            live(pipeline, [*before, ("send", {"user": "ada", "total": 1, "url": "/"}, 0)])
            pipeline.settle()
            create(pipeline, text)
            live(pipeline, [one for one in during if one[0] != "wait"])
            pipeline.settle()

            # Everybody there is came with an event of the last sixty days.
            assert [] == pipeline.inside(2)
            assert [] == [trigger for trigger in pipeline.triggers() if trigger[1] == 2]
            pipeline.close()
    finally:
        duties.STEP = step
