"""A new audience over the past decides as if it had been there all along, however live events fall into its filling."""

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.backends.sqlite import surveying
from gatepost.model.event import RecordKind, Submission
from gatepost.model.merge import MergeCommand
from gatepost.model.times import DAY, HOUR
from gatepost.operations.filters import new_sources
from gatepost.ports.catalog import Duty
from gatepost.ports.store import Transaction
from gatepost.stages import duties
from tests.factories import ACCOUNT
from tests.pipeline import SHOP, Pipeline, make_audience
from tests.surveying import PatientSurveyor

Step = tuple[str, dict[str, Any], int]
Steps = list[Step]

OLD = 'count("web", "1d") >= 1'
NEW = (
    'count("web", "3d") >= 2',
    'NOT count("web", "3d", total > 1) >= 1',
    'sum("event.total", "40h") > 3',
    'distinct("event.url", "3d") >= 2',
    'AND ( INCLUDE a1, last("web") > "now-2d" )',
    'sum("spend", "40h") > 3',
)
SCHEMAS = (
    SHOP,
    msgspec.structs.replace(SHOP, mappings=tuple(one for one in SHOP.mappings if one.field != "spend")),
)
"""What is published in turn: an amount is spent money, or not."""
EVENTS = st.fixed_dictionaries(
    {"total": st.integers(0, 3), "url": st.sampled_from(["/", "/shoes"])},
    optional={
        "user": st.sampled_from(["ada", "bob"]),
        "cookie": st.sampled_from(["c1", "c2", "c3"]),
    },
)
STEP: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("send"), EVENTS, st.integers(-2 * DAY, 0)),
    st.tuples(st.just("wait"), st.just({}), st.integers(1, 30).map(lambda hours: hours * HOUR)),
    st.tuples(st.just("turn"), st.just({}), st.just(0)),
    st.tuples(st.just("publish"), st.just({}), st.integers(0, 1)),
    st.tuples(st.sampled_from(["unmerge", "unmerge", "rejoin"]), st.just({}), st.integers(1, 2)),
)
STEPS = st.lists(STEP, max_size=10)
UNITED: Steps = [
    ("send", {"user": "ada", "total": 2, "url": "/"}, -HOUR),
    ("send", {"cookie": "c1", "total": 3, "url": "/"}, 0),
    ("send", {"user": "ada", "cookie": "c1", "total": 1, "url": "/shoes"}, 0),
]
"""Two who are one by now, and whom an unmerge parts."""
TURN: Step = ("turn", {}, 0)
LOOK: Step = ("look", {}, 0)
UNMERGE: Step = ("unmerge", {}, 1)
WATCHED = st.lists(
    st.one_of(
        STEP,
        st.tuples(st.sampled_from(["turn", "look", "look", "lose", "other"]), st.just({}), st.just(0)),
    ),
    max_size=24,
)
"""Steps among which somebody looks ahead, so that what she found may be old when it is used."""


def live(pipeline: Pipeline, steps: Steps) -> None:
    for what, body, amount in steps:
        if what == "send":
            pipeline.send(at=pipeline.clock.audience() + amount, **body)
        elif what == "wait":
            pipeline.clock.move(pipeline.clock.audience() + amount)
            pipeline.log.append_clock(pipeline.clock.audience()).result()
        elif what == "turn":
            pipeline.apply.run_once()
        elif what == "publish":
            pipeline.publish(SCHEMAS[amount])
        else:
            command(pipeline, MergeCommand(merge=amount, rejoin=what == "rejoin"))


def command(pipeline: Pipeline, wanted: MergeCommand) -> None:
    body = msgspec.json.encode(wanted)
    pipeline.log.append(ACCOUNT, [Submission("", 0, body, kind=RecordKind.UNMERGE)]).result()


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


class Ahead:
    """A pipeline that is surveyed in slices of one, and the twin whose audience was always there."""

    def __init__(self, folder: Path, text: str) -> None:
        (folder / "late").mkdir()
        (folder / "early").mkdir()
        self.late, self.early = Pipeline(folder / "late"), Pipeline(folder / "early")
        self.late.configure(OLD)
        self.early.configure(OLD, text)
        self.surveyor = PatientSurveyor(folder / "late")
        self.late.survey_with(self.surveyor)

    def both(self, steps: Steps) -> None:
        for pipeline in (self.late, self.early):
            live(pipeline, steps)

    def step(self, step: Step) -> None:
        match step[0]:
            case "look":
                self.surveyor.look()
            case "lose":
                self.surveyor.end()
            case "other":
                # What is configured changes, though not for this audience.
                third = make_audience(3, "visits > 1000")
                self.late.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, third.id, third))
            case _:
                self.both([step])

    def finish(self) -> None:
        self.surveyor.eager = True
        self.early.settle()
        self.late.settle()
        while self.late.store.write_blocking(lambda tx: tx.ledger.duties()):
            self.late.settle()

    def close(self) -> None:
        self.surveyor.close()
        self.late.close()
        self.early.close()


def check_ahead(before: Steps, during: Steps, text: str) -> None:
    """Fill a new audience for one while somebody looks ahead, and hold it against its twin."""
    with pytest.MonkeyPatch.context() as patched, tempfile.TemporaryDirectory() as folder:
        patched.setattr(surveying, "FILLED", 1)
        patched.setattr(duties, "_FEW", 0)
        ahead = Ahead(Path(folder), text)
        ahead.both(before)
        for pipeline in (ahead.late, ahead.early):
            pipeline.settle()
        create(ahead.late, text)
        for step in during:
            ahead.step(step)

        ahead.finish()

        late, early = ahead.late, ahead.early
        assert late.inside(2) == early.inside(2)
        assert [p.windows for p in late.profiles()] == [p.windows for p in early.profiles()]
        assert [p.due for p in late.profiles()] == [p.due for p in early.profiles()]
        ahead.close()


@settings(max_examples=200, deadline=None)
@given(before=STEPS, during=WATCHED, text=st.sampled_from(NEW))
def test_it_does_so_too_when_somebody_looked_ahead(before: Steps, during: Steps, text: str) -> None:
    check_ahead(before, during, text)


@settings(max_examples=60, deadline=None)
@given(
    during=st.lists(st.sampled_from([TURN, LOOK, UNMERGE, *UNITED]), max_size=8), text=st.sampled_from(NEW)
)
def test_it_does_so_too_when_two_are_parted_meanwhile(during: Steps, text: str) -> None:
    check_ahead(UNITED, [TURN, LOOK, *during], text)


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
