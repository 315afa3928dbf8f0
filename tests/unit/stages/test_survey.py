"""A new rule meets everybody stored: a process looks ahead, apply decides."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from gatepost.backends.sqlite import survey, surveying
from gatepost.backends.sqlite.connection import connect
from gatepost.backends.sqlite.past import SqlitePast
from gatepost.backends.sqlite.survey import SqliteSurveyor
from gatepost.model.event import RecordKind, Submission
from gatepost.model.merge import MergeCommand
from gatepost.model.times import DAY, to_rfc3339
from gatepost.ports.catalog import Duty
from gatepost.ports.survey import Found, SurveyLost
from gatepost.stages import duties
from tests.factories import ACCOUNT
from tests.pipeline import SHOP, START, Pipeline, make_audience
from tests.receiving import PATIENCE_SECONDS
from tests.surveying import PatientSurveyor

SHOPPERS = 12


@pytest.fixture
def busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """Twelve shoppers spent 0, 1, 2 ...; nobody asked about that so far, and any number is too many to walk."""
    monkeypatch.setattr(duties, "_FEW", 0)
    pipeline = Pipeline(tmp_path)
    pipeline.survey_with(SqliteSurveyor(tmp_path / "state", lambda: None))
    pipeline.configure("city = 'Rome'", "spend > 5", jobs=True)
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, "2", make_audience(2, "NOT *")))
    for number in range(SHOPPERS):
        pipeline.send(user=f"u{number:02}", total=number)
    pipeline.settle()
    yield pipeline
    pipeline.apply.stop()
    pipeline.close()


def change(pipeline: Pipeline, text: str, kind: str = "evaluate") -> None:
    """Give the second audience another rule, as the operation does."""
    audience = make_audience(2, text)
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, "2", audience))
    pipeline.add_duty(kind, audience=2, subject=audience.id)


def fill(pipeline: Pipeline, text: str, source: str = "count:web") -> None:
    """Give the second audience a rule over visits, or something else that nobody counted so far."""
    audience = make_audience(2, text)
    duty = Duty(account=ACCOUNT, kind="evaluate", subject=audience.id, audience=2, sources=(source,))
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, "2", audience))
    pipeline.store.write_blocking(lambda tx: tx.ledger.add_duty(duty))


def finish(pipeline: Pipeline) -> None:
    """Run turns until every duty is done; what a survey finds takes a moment."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while pipeline.store.write_blocking(lambda tx: tx.ledger.duties()):
        assert time.monotonic() < deadline
        pipeline.apply.run_once()
    pipeline.settle()


def duty(audience: int, cursor: int = 0) -> Duty:
    return Duty(id=7, account=ACCOUNT, kind="evaluate", subject="", audience=audience, cursor=cursor)


def found_by(pipeline: Pipeline, of: Duty) -> list[Found]:
    """All that a survey has to say."""
    with (
        closing(connect(pipeline.folder / "state")) as state,
        closing(connect(pipeline.folder / "log")) as log,
    ):
        return list(surveying.survey(state, SqlitePast(log), of))


def test_those_the_rule_concerns_enter_and_each_job_is_told_once(busy: Pipeline) -> None:
    change(busy, "spend > 5")

    finish(busy)

    assert busy.inside(2) == [f"u{number:02}" for number in range(6, SHOPPERS)]
    assert [way for way, audience, _ in busy.triggers() if audience == 2] == ["enter"] * 6


def test_a_rule_over_time_ends_to_the_second_for_everybody_it_found(busy: Pipeline) -> None:
    change(busy, 'last_visit > "now-2d"')
    finish(busy)
    inside = len(busy.inside(2))

    busy.after(3 * DAY)

    assert (inside, busy.inside(2)) == (SHOPPERS, [])
    exits = {at for way, audience, at in busy.triggers() if (way, audience) == ("exit", 2)}
    assert exits == {to_rfc3339(START + 2 * DAY)}


def test_a_rule_that_will_match_later_wakes_those_who_are_outside(busy: Pipeline) -> None:
    change(busy, 'last_visit < "now-2d"')
    finish(busy)

    busy.after(3 * DAY)

    assert len(busy.inside(2)) == SHOPPERS


def test_a_stop_in_the_middle_goes_on_from_there(busy: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duties, "STEP", 2)
    change(busy, "spend > 3")
    while not busy.inside(2):
        busy.apply.run_once()
    (begun,) = busy.store.write_blocking(lambda tx: tx.ledger.duties())

    busy.apply.stop()
    finish(busy)

    assert begun.cursor > 0
    assert len(busy.inside(2)) == 8
    assert [way for way, audience, _ in busy.triggers() if audience == 2] == ["enter"] * 8


def test_what_happens_meanwhile_is_told_once_whoever_is_first(
    busy: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "STEP", 1)
    change(busy, "spend > 5")
    while not busy.inside(2):
        busy.apply.run_once()

    for number in range(SHOPPERS):
        busy.send(user=f"u{number:02}", total=10)
    finish(busy)

    assert len(busy.inside(2)) == SHOPPERS
    assert [way for way, audience, _ in busy.triggers() if audience == 2] == ["enter"] * SHOPPERS


def test_windows_nobody_kept_are_filled_by_the_survey(
    busy: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "STEP", 5)
    fill(busy, 'AND ( count("web", "7d") >= 1, spend > 5 )')
    while not busy.profiles()[0].windows:
        busy.apply.run_once()

    busy.send(user="u00", total=10)
    busy.send(user="u11", total=10)
    finish(busy)

    assert busy.inside(2) == ["u00", *(f"u{number:02}" for number in range(6, SHOPPERS))]
    assert [len(p.windows["count:web"]) for p in busy.profiles()] == [2, *[1] * (SHOPPERS - 2), 2]
    assert [way for way, audience, _ in busy.triggers() if audience == 2] == ["enter"] * 7


def test_a_past_that_is_kept_no_longer_is_not_missed(busy: Pipeline) -> None:
    for _ in range(2):
        busy.after(DAY)
        busy.send(user="u03", total=0)
        busy.settle()
    dropped = busy.log.prune(START + DAY, busy.apply.position).result()
    fill(busy, 'count("web", "30d") >= 2')

    finish(busy)

    assert dropped == 1
    assert busy.inside(2) == ["u03"]


def test_an_old_event_fills_windows_with_what_it_meant_in_its_time(busy: Pipeline) -> None:
    unspent = tuple(mapping for mapping in SHOP.mappings if mapping.field != "spend")
    busy.publish(replace(SHOP, mappings=unspent))
    for number in range(SHOPPERS):
        busy.send(user=f"u{number:02}", total=10)
    busy.settle()
    fill(busy, 'sum("spend", "7d") > 8', "sum:spend")

    finish(busy)

    assert busy.inside(2) == ["u09", "u10", "u11"]
    assert [entry for _, entry in busy.profiles()[9].windows["sum:spend"]] == [9.0]


def test_two_who_are_parted_after_they_were_looked_at_have_each_their_own_past(busy: Pipeline) -> None:
    surveyor = PatientSurveyor(busy.folder)
    busy.survey_with(surveyor)
    busy.send(cookie="c1", total=1)
    busy.send(user="u00", cookie="c1", total=1)
    busy.settle()
    fill(busy, 'count("web", "7d") >= 3')
    busy.apply.run_once()
    surveyor.look()

    undo = msgspec.json.encode(MergeCommand(merge=1))
    busy.log.append(ACCOUNT, [Submission("", 0, undo, kind=RecordKind.UNMERGE)]).result()
    surveyor.eager = True
    finish(busy)

    surveyor.close()
    parted = {str(p.fields.get("user")): p.windows["count:web"] for p in busy.profiles()}
    assert (len(parted["u00"]), len(parted["None"])) == (2, 1)
    assert [one for one in busy.triggers() if one[1] == 2] == []


def test_a_lost_survey_costs_time_and_nothing_else(busy: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "_PROGRAM", "gatepost.no_such_program")
    change(busy, "spend > 5")

    finish(busy)

    assert len(busy.inside(2)) == 6


def test_a_survey_that_cannot_begin_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "_PROGRAM", "gatepost.no_such_program")
    surveyor = SqliteSurveyor(tmp_path / "state", lambda: None)

    with pytest.raises(SurveyLost, match="no_such_program"):
        _waited(surveyor, duty(1), 10)


def test_only_those_who_would_be_treated_otherwise_are_named(
    busy: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveying, "_AT_ONCE", 2)
    monkeypatch.setattr(surveying, "SLICE", 4)
    busy.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, "2", make_audience(2, "spend > 8")))

    found = found_by(busy, duty(2))
    rest = found_by(busy, duty(2, cursor=10))

    assert found == [Found([], 4), Found([], 8), Found([10, 11, 12], 12, last=True)]
    assert rest == [Found([11, 12], 12, last=True)]


def test_a_step_takes_as_many_as_it_can_and_leaves_the_rest(busy: Pipeline) -> None:
    busy.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, "2", make_audience(2, "spend > 5")))
    surveyor = SqliteSurveyor(busy.folder / "state", lambda: None)

    first = _waited(surveyor, duty(2), 4)
    second = _waited(surveyor, duty(2, cursor=first.until), 4)
    again = _waited(surveyor, duty(2, cursor=first.until), 1)
    surveyor.end()

    assert first == Found([7, 8, 9, 10], 10)
    assert second == Found([11, 12], 12, last=True)
    assert again == Found([11], 11)


def _waited(surveyor: SqliteSurveyor, of: Duty, most: int) -> Found:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := surveyor.found(of, most)) is None:
        assert time.monotonic() < deadline
    return found
