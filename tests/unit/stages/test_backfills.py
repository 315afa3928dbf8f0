"""A job's first members, while people turn out to be one person."""

import itertools
from typing import Any

import msgspec
import pytest

from gatepost.core.triggers import MOST_HOPS
from gatepost.model.audience import Crossing
from gatepost.model.event import RecordKind, Submission
from gatepost.model.merge import MergeCommand
from gatepost.ports.outbox import DeliveryFilter
from gatepost.stages import duties
from tests.factories import ACCOUNT, make_submission
from tests.pipeline import Pipeline, make_job

_RICH, _POOR = 9, 1


@pytest.fixture(autouse=True)
def one_member_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duties, "STEP", 1)


def _begin_backfill(pipeline: Pipeline) -> None:
    before = pipeline.store.write_blocking(lambda tx: tx.memberships.last_order())
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, "j" * 32, make_job(1)))
    pipeline.add_duty("backfill", 1, subject="j" * 32, before=before)


@pytest.mark.parametrize(
    ("ada", "cookie"),
    [pair for pair in itertools.product((_RICH, _POOR), repeat=2) if _RICH in pair],
    ids=["both-inside", "ada-inside", "cookie-inside"],
)
@pytest.mark.parametrize("steps", range(4))
@pytest.mark.parametrize("cookie_came_first", [False, True])
def test_whoever_is_merged_on_the_way_is_sent_and_nobody_twice(
    pipeline: Pipeline, ada: int, cookie: int, steps: int, cookie_came_first: bool
) -> None:
    pipeline.configure("spend > 5", jobs=False)
    people: list[dict[str, Any]] = [
        {"user": "ada", "total": ada},
        {"user": "bob", "total": 9},
        {"cookie": "c1", "total": cookie},
    ]
    for person in reversed(people) if cookie_came_first else people:
        pipeline.send(**person)
    pipeline.settle()
    _begin_backfill(pipeline)

    for _ in range(steps):
        pipeline.apply.run_once()
    already = len(pipeline.triggers())
    pipeline.send(user="ada", cookie="c1")
    pipeline.settle()

    assert ["ada", "bob"] == sorted(pipeline.inside())
    told = len(pipeline.triggers())
    # Two who both stood inside may each have been told of before anybody knew that they are one.
    assert told == 2 or (told == 3 and already >= 2 and ada == cookie)
    assert {"enter"} == {crossing for crossing, _, _ in pipeline.triggers()}


@pytest.mark.parametrize("steps", range(5))
@pytest.mark.parametrize("cookie_came_first", [False, True])
def test_whoever_is_parted_on_the_way_is_sent_unless_the_one_they_were_was(
    pipeline: Pipeline, steps: int, cookie_came_first: bool
) -> None:
    pipeline.configure("spend > 5", jobs=False)
    people: list[dict[str, Any]] = [
        {"user": "ada", "total": _RICH},
        {"user": "bob", "total": _RICH},
        {"cookie": "c1", "total": _RICH},
    ]
    for person in reversed(people) if cookie_came_first else people:
        pipeline.send(**person)
    pipeline.send(user="ada", cookie="c1")
    pipeline.settle()
    _begin_backfill(pipeline)

    for _ in range(steps):
        pipeline.apply.run_once()
    already = set(_told(pipeline))
    undo = Submission("", 0, msgspec.json.encode(MergeCommand(merge=1)), kind=RecordKind.UNMERGE)
    pipeline.log.append(ACCOUNT, [undo]).result()
    pipeline.settle()

    by_name = {str(one.fields.get("user", "c1")): one.number for one in pipeline.profiles()}
    told = [by_name["ada"], by_name["bob"]]
    if by_name["ada"] not in already:
        told.append(by_name["c1"])
    assert sorted(told) == sorted(_told(pipeline))


def _told(pipeline: Pipeline) -> list[int]:
    """Of whom an enter was told, by row key."""
    wanted = DeliveryFilter(account=ACCOUNT, limit=100)
    listed = pipeline.store.write_blocking(lambda tx: tx.deliveries.listed(wanted))
    return [one.delivery.profile for one in listed if one.delivery.crossing is Crossing.ENTER]


def test_a_chain_of_answers_ends_and_what_it_left_out_is_counted(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 5", jobs=False)
    job = make_job(1, stream="answers")
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, "j" * 32, job))

    for user, hops in (("ada", MOST_HOPS), ("bob", MOST_HOPS + 1)):
        event = msgspec.structs.replace(make_submission(user=user, total=9), hops=hops)
        pipeline.log.append(ACCOUNT, [event]).result()
    pipeline.settle()

    assert ["ada", "bob"] == pipeline.inside()
    assert 1 == len(pipeline.triggers())
    assert 1 == pipeline.counters()["triggers_over_hops"]
