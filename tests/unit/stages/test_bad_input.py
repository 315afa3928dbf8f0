"""People and clocks out of all measure: memory is bounded, nothing is lost, and time goes one way."""

import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gatepost.backends.clock import HandClock
from gatepost.core import sizes
from gatepost.model.schema import Field, FieldType, MergeOperator
from gatepost.model.times import DAY, HOUR, Instant, to_rfc3339
from gatepost.stages import wakeups
from tests.factories import ACCOUNT, make_submission
from tests.pipeline import START, Pipeline, shop_with

MIDNIGHT: Instant = START - START % DAY + DAY


def send_all(pipeline: Pipeline, events: list[dict[str, Any]], at: Instant = 0) -> None:
    """Append many events at once, and apply them."""
    pipeline.log.append(ACCOUNT, [make_submission(at=at, **body) for body in events]).result()
    pipeline.settle()


def test_a_profile_that_meets_ten_thousand_identifiers_keeps_the_latest_and_every_event(
    pipeline: Pipeline,
) -> None:
    pipeline.configure("spend >= 10000")

    send_all(pipeline, [{"user": "kiosk", "cookie": f"c{number}", "total": 1} for number in range(10_000)])

    profile = pipeline.profile()
    assert profile.fields["spend"] == profile.events == 10_000
    assert sum(map(len, profile.identifiers.values())) == 50
    assert pipeline.counters()["identifiers_released"] == 10_000 - 49
    assert pipeline.inside() == ["kiosk"]
    assert len(msgspec.msgpack.encode(profile)) < 20_000


def test_two_giants_become_one_who_is_no_larger_than_a_giant_and_loses_no_event(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "LARGEST_PROFILE", 40_000)
    pipeline.configure("spend > 3000", 'count("web", "7d") >= 4000')
    for person in ({"user": "ada"}, {"cookie": "c1"}):
        of_hers = [
            {**person, "event": "purchase", "product": f"{person}-{number:060}", "total": 1}
            for number in range(2_000)
        ]
        send_all(pipeline, of_hers)
    giants = [len(msgspec.msgpack.encode(one)) for one in pipeline.profiles()]

    send_all(pipeline, [{"user": "ada", "cookie": "c1", "total": 1}])

    one = pipeline.profile()
    assert len(giants) == 2
    assert one.fields["spend"] == one.events == 4_001
    assert (pipeline.inside(1), pipeline.inside(2)) == (["ada"], ["ada"])
    assert len(msgspec.msgpack.encode(one)) <= sum(giants)
    assert "events_set_aside" not in pipeline.counters()


class LyingClock(HandClock):
    """A clock that somebody sets back."""

    def set(self, to: Instant) -> None:
        self._audience = to


def test_a_clock_that_is_set_back_moves_no_audience_time_back(tmp_path: Path) -> None:
    clock = LyingClock(START)
    lying = Pipeline(tmp_path, clock)
    lying.configure('count("web", "2h") >= 1', "spend > 1")
    lying.send(user="ada", total=1)
    lying.after(3 * HOUR)

    clock.set(START + HOUR)
    lying.send(user="ada", total=1)
    lying.settle()
    behind = lying.triggers()
    clock.set(START + 6 * HOUR)
    lying.after(0)
    lying.close()

    back = to_rfc3339(START + 3 * HOUR)
    assert behind[:2] == [("enter", 1, to_rfc3339(START)), ("exit", 1, to_rfc3339(START + 2 * HOUR))]
    assert all(at >= back for _, _, at in behind[2:])
    assert ("enter", 2, back) in behind
    assert [at for _, _, at in behind] == sorted(at for _, _, at in behind)


def test_a_running_audience_survives_a_field_that_changes_its_type(pipeline: Pipeline) -> None:
    def plan_as(type_: FieldType, merge: MergeOperator, version: int) -> Any:
        schema = shop_with(Field(name="plan", type=type_, merge=merge), "plan")
        return msgspec.structs.replace(schema, version=version)

    rule = 'OR ( plan = "7", plan > 5 )'
    pipeline.configure(rule, schema=plan_as(FieldType.STRING, MergeOperator.LATEST, 1))
    for user, plan in (("ada", "7"), ("bob", "gold"), ("cleo", "3")):
        pipeline.send(user=user, plan=plan)
    pipeline.settle()
    before = pipeline.inside()

    pipeline.configure(rule, schema=plan_as(FieldType.NUMBER, MergeOperator.MAX, 2))
    for user, plan in (("ada", "4"), ("bob", "9"), ("cleo", "gold")):
        pipeline.send(user=user, plan=plan)
    pipeline.settle()

    assert before == ["ada"]
    assert pipeline.inside() == ["bob"], "her 7 was a text; the number begins anew"
    assert "events_set_aside" not in pipeline.counters()
    assert len(pipeline.profiles()) == 3


@pytest.mark.parametrize(
    ("field", "expression", "held"),
    [
        (Field(name="born", type=FieldType.DATE), "now()", DAY),
        (Field(name="born", type=FieldType.DATE), "epochms()", DAY),
        (Field(name="born", type=FieldType.DATE), "todate(birthday)", 2 * DAY),
        (Field(name="born", type=FieldType.DATE), "since", 3 * DAY),
        (
            Field(name="born", type=FieldType.DATE_MAP, merge=MergeOperator.MERGE),
            "maptime(user)",
            {"ada": DAY},
        ),
        (Field(name="born", type=FieldType.DATES, merge=MergeOperator.MERGE), "todate(birthday)", [2 * DAY]),
        (
            Field(name="born", type=FieldType.BUCKETS, merge=MergeOperator.MERGE),
            "timebucket(now())",
            {"1": 1},
        ),
        (Field(name="born", type=FieldType.INT, merge=MergeOperator.COUNT), "now()", 1),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_time_of_1970_is_that_time_whether_computed_or_sent_as_seconds(
    pipeline: Pipeline, field: Field, expression: str, held: Any
) -> None:
    pipeline.configure("spend > 1", schema=shop_with(field, expression))

    pipeline.send(at=DAY, user="ada", birthday="1970-01-03", since=3 * DAY // 1_000)
    pipeline.settle()

    assert pipeline.profile().fields["born"] == held


@pytest.mark.parametrize("people", [300, 1_200])
def test_everybody_leaves_at_midnight_and_memory_does_not_grow_with_their_number(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, people: int
) -> None:
    monkeypatch.setattr(wakeups, "AT_ONCE", 50)
    pipeline.configure('last_visit > "now-1d"')
    send_all(pipeline, [{"user": f"u{number}"} for number in range(people)], at=MIDNIGHT - DAY)

    pipeline.clock.move(MIDNIGHT + HOUR)
    pipeline.log.append_clock(MIDNIGHT + HOUR).result()
    tracemalloc.start()
    pipeline.settle()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    exits = [at for way, _, at in pipeline.triggers() if way == "exit"]
    assert exits == [to_rfc3339(MIDNIGHT)] * people
    assert pipeline.inside() == []
    assert peak < 2_000_000
