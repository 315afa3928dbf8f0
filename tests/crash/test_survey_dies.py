"""The process that looks ahead for a walk is killed wherever it is: whom a rule concerns is told once all the same."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from gatepost.backends.sqlite import survey, surveying
from gatepost.backends.sqlite.connection import connect
from gatepost.backends.sqlite.past import SqlitePast
from gatepost.backends.sqlite.survey import SqliteSurveyor
from gatepost.ports.catalog import Duty
from gatepost.stages import duties
from tests.factories import ACCOUNT
from tests.pipeline import Pipeline, make_audience
from tests.receiving import PATIENCE_SECONDS

SHOPPERS = 12
RULE = "spend > 5"
INSIDE = [f"u{number:02}" for number in range(6, SHOPPERS)]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Path) -> Iterator[Pipeline]:
    """Twelve shoppers spent 0, 1, 2 ...; the survey of them can be killed, and any number is too many to walk."""
    monkeypatch.setattr(duties, "_FEW", 0)
    monkeypatch.setattr(duties, "STEP", 2)
    monkeypatch.setattr(surveying, "SLICE", 4)
    monkeypatch.setattr(surveying, "_AT_ONCE", 2)
    monkeypatch.setattr(survey, "_PROGRAM", "tests.crash.dying_survey")
    monkeypatch.setenv("PYTHONPATH", str(repository))
    pipeline = Pipeline(tmp_path)
    pipeline.configure("city = 'Rome'", "spend > 50")
    for number in range(SHOPPERS):
        pipeline.send(user=f"u{number:02}", total=number)
    pipeline.settle()
    pipeline.survey_with(SqliteSurveyor(tmp_path / "state", lambda: None))
    yield pipeline
    pipeline.apply.stop()
    pipeline.close()


def edit(pipeline: Pipeline) -> None:
    """Give the second audience another rule, as the operation does."""
    audience = make_audience(2, RULE)
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, audience.id, audience))
    pipeline.add_duty("evaluate", audience=2, subject=audience.id)


def die_after(pipeline: Pipeline, said: int) -> None:
    """Have every survey killed once it has said so many bytes."""
    (pipeline.folder / "dies-after").write_text(str(said))


def lines_of(pipeline: Pipeline) -> list[int]:
    """How many bytes each line of a whole survey takes."""
    (duty,) = unfinished(pipeline)
    with (
        closing(connect(pipeline.folder / "state")) as state,
        closing(connect(pipeline.folder / "log")) as log,
    ):
        found = surveying.survey(state, SqlitePast(log), duty)
        return [len(msgspec.json.encode(one)) + 1 for one in found]


def unfinished(pipeline: Pipeline) -> list[Duty]:
    return pipeline.store.write_blocking(lambda tx: tx.ledger.duties())


def finish(pipeline: Pipeline) -> list[int]:
    """Run turns until every duty is done; return how far the walk had got before each."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    reached = []
    while walk := unfinished(pipeline):
        assert time.monotonic() < deadline, f"the walk stands still at {walk}"
        reached.append(walk[0].cursor)
        pipeline.apply.run_once()
    pipeline.settle()
    return reached


def ways(pipeline: Pipeline) -> Counter[str]:
    return Counter(way for way, audience, _ in pipeline.triggers() if audience == 2)


POINTS = {
    "before it has said anything": lambda _: 0,
    "in the middle of its first line": lambda lines: lines[0] // 2,
    "between two lines": lambda lines: lines[0],
    "in the middle of the second": lambda lines: lines[0] + lines[1] - 2,
    "one byte before its end": lambda lines: sum(lines) - 1,
    "when all is said and nothing is settled": sum,
}


@pytest.mark.parametrize("point", POINTS)
def test_the_walk_goes_on_wherever_its_survey_was_killed(shop: Pipeline, point: str) -> None:
    edit(shop)
    lines = lines_of(shop)
    die_after(shop, POINTS[point](lines))

    reached = finish(shop)

    assert len(lines) == 3
    assert shop.inside(2) == INSIDE
    assert ways(shop) == {"enter": len(INSIDE)}
    assert reached == sorted(reached)


def test_a_machine_that_starts_no_more_processes_only_makes_the_walk_slower(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(shop.folder / "no-such-program"))
    edit(shop)

    finish(shop)

    assert shop.inside(2) == INSIDE


def test_events_are_applied_while_surveys_die_and_who_they_move_is_told_once(shop: Pipeline) -> None:
    edit(shop)
    die_after(shop, lines_of(shop)[0] + 3)
    moved = []

    while unfinished(shop):
        shop.send(user="u00", total=1)
        shop.send(user="u11", total=-1)
        shop.apply.run_once()
        moved.append(float(str(shop.profiles()[0].fields["spend"])))
    shop.settle()

    fresh = [str(p.fields["user"]) for p in shop.profiles() if float(str(p.fields["spend"])) > 5]
    assert moved == sorted(set(moved))
    assert shop.inside(2) == fresh
    assert ways(shop)["enter"] - ways(shop)["exit"] == len(fresh)
    assert all(
        membership.transition == (1 if membership.inside else 2)
        for profile in shop.profiles()
        if (membership := profile.memberships.get(2)) is not None
    )


def test_whoever_starts_again_in_the_middle_surveys_the_rest(shop: Pipeline) -> None:
    edit(shop)
    die_after(shop, sum(lines_of(shop)[:2]))
    while not shop.inside(2):
        shop.apply.run_once()
    (begun,) = unfinished(shop)

    die_after(shop, 1_000_000)
    shop.apply.stop()
    shop.survey_with(SqliteSurveyor(shop.folder / "state", lambda: None))
    reached = finish(shop)

    assert 0 < begun.cursor == reached[0]
    assert shop.inside(2) == INSIDE
    assert ways(shop) == {"enter": len(INSIDE)}
