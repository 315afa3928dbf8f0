"""Years of the past are loaded without telling anybody, and audiences are right afterwards."""

import msgspec

from gatepost.model.event import RecordKind
from gatepost.model.times import DAY, HOUR, Instant, to_rfc3339
from tests.factories import ACCOUNT, make_submission
from tests.pipeline import START, Pipeline


def load(pipeline: Pipeline, *, user: str, at: Instant) -> None:
    """Append one event of the past, as a bulk body with `triggers=false` does."""
    event = make_submission(at=at, user=user, total=5)
    quiet = msgspec.structs.replace(event, kind=RecordKind.HISTORY)
    pipeline.log.append(ACCOUNT, [quiet]).result()


def test_members_by_the_past_are_inside_and_no_job_is_told(pipeline: Pipeline) -> None:
    pipeline.configure("spend >= 10", 'count("web", "30d") >= 1')
    for days_ago in (400, 40, 20):
        load(pipeline, user="ada", at=START - days_ago * DAY)
    pipeline.settle()

    assert ["ada"] == pipeline.inside(1)
    assert ["ada"] == pipeline.inside(2)
    assert [] == pipeline.triggers()


def test_what_happens_after_the_load_is_told_as_always(pipeline: Pipeline) -> None:
    pipeline.configure('count("web", "30d") >= 1', "spend >= 15")
    for hours_ago in (31, 30):
        load(pipeline, user="ada", at=START - hours_ago * HOUR)
    pipeline.settle()

    pipeline.send(user="ada", total=5)
    pipeline.after(31 * DAY)

    assert [
        ("enter", 2, to_rfc3339(START)),
        ("exit", 1, to_rfc3339(START + 30 * DAY)),
    ] == pipeline.triggers()


def test_the_past_and_the_present_fold_alike(pipeline: Pipeline) -> None:
    pipeline.configure("spend >= 10")
    load(pipeline, user="ada", at=START)
    pipeline.send(user="bob", total=5, at=START)
    pipeline.settle()

    loaded, live = pipeline.profiles()

    assert {**loaded.fields, "user": "bob"} == live.fields
    assert loaded.events == live.events == 1
