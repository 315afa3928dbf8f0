"""Attributes written by hand, through merges, unmerges, crashes and erasures."""

from typing import Any

import msgspec

from gatepost.model.event import RecordKind, Submission
from gatepost.model.merge import MergeCommand
from gatepost.model.profile import AttributesCommand
from tests.factories import ACCOUNT
from tests.pipeline import Pipeline
from tests.unit.stages.erased import ask, raw_bytes


def write(pipeline: Pipeline, key: str, value: str, **values: Any) -> None:
    """Append an order to overwrite fields."""
    command = AttributesCommand(key=key, value=value, clear=sorted(values), values=values)
    order(pipeline, RecordKind.ATTRIBUTES, command)


def order(pipeline: Pipeline, kind: RecordKind, command: msgspec.Struct) -> None:
    pipeline.log.append(ACCOUNT, [Submission("", 0, msgspec.json.encode(command), kind=kind)]).result()


def spent(pipeline: Pipeline) -> dict[str, object]:
    return {str(one.fields.get("user")): one.fields.get("spend") for one in pipeline.profiles()}


def test_a_job_is_told_of_who_enters_and_leaves_by_a_write(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 10")
    pipeline.send(user="ada", total=1)

    write(pipeline, "user", "ada", spend=50)
    write(pipeline, "user", "ada", spend=2)
    pipeline.settle()

    assert ["enter", "exit"] == [crossing for crossing, _, _ in pipeline.triggers()]


def test_after_a_merge_what_was_written_stands_in_the_order_of_the_log(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 10")
    pipeline.send(user="ada", total=5)
    pipeline.send(cookie="c1", total=7)
    write(pipeline, "user", "ada", spend=100)
    pipeline.send(cookie="c1", total=2)

    pipeline.send(user="ada", cookie="c1", total=1)
    pipeline.settle()

    assert {"ada": 103} == spent(pipeline)


def test_an_unmerge_gives_a_write_to_the_side_of_the_identifier_it_was_made_by(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 10")
    pipeline.send(user="ada", total=5)
    pipeline.send(cookie="c1", total=7)
    pipeline.send(user="ada", cookie="c1", total=1)
    write(pipeline, "cookie", "c1", spend=100)
    pipeline.settle()
    assert {"ada": 100} == spent(pipeline)

    order(pipeline, RecordKind.UNMERGE, MergeCommand(merge=1))
    pipeline.settle()

    assert {"ada": 6, "None": 100} == spent(pipeline)


def test_a_write_is_applied_once_though_apply_ends_before_or_after_it(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 10")
    pipeline.send(user="ada", total=5)
    order(pipeline, RecordKind.ATTRIBUTES, AttributesCommand(key="user", value="ada", values={"spend": 20}))
    pipeline.close()

    again = Pipeline(pipeline.folder, pipeline.clock)
    again.settle()
    again.close()
    third = Pipeline(pipeline.folder, pipeline.clock)
    third.settle()

    assert {"ada": 25} == spent(third)
    third.close()


def test_a_write_for_somebody_who_is_gone_makes_nobody(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 10")

    write(pipeline, "user", "ada", spend=100)
    pipeline.settle()

    assert {} == spent(pipeline)
    assert 1 == pipeline.counters()["attributes_of_nobody"]


def test_what_was_written_goes_with_an_erasure(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 10")
    pipeline.send(user="ada", total=5)
    write(pipeline, "user", "ada", city="Llanfairpwll")
    pipeline.settle()
    assert b"Llanfairpwll" in raw_bytes(pipeline.folder)

    ask(pipeline, "ada", "user")
    pipeline.settle()

    assert b"Llanfairpwll" not in raw_bytes(pipeline.folder)
