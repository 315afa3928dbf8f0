"""A backtest tells what happened: when events come in order and in time, it counts what the live run counted."""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.backtesting import run
from gatepost.model.audience import AudienceSize
from gatepost.model.event import RecordKind, Submission
from gatepost.model.profile import AttributesCommand
from gatepost.model.schema import MergeOperator, Schema
from gatepost.model.times import DAY, HOUR, MINUTE
from gatepost.operations.records import current_schema
from gatepost.stages.backtest import BacktestTask
from tests.factories import ACCOUNT
from tests.pipeline import START, Pipeline, make_audience

FILTERS = (
    "spend > 5",
    'count("web", "2d") >= 2',
    'last_visit > "now-1d"',
    'AND ( visits >= 2, NOT last_visit > "now-2d" )',
)
EVENTS = st.fixed_dictionaries(
    {"total": st.integers(0, 4), "url": st.just("/"), "user": st.sampled_from(["ada", "bob"])},
    optional={"cookie": st.sampled_from(["c1", "c2"])},
)
HAPPENED = st.one_of(EVENTS, EVENTS, st.just({"publish": True}), st.just({"write": 4}), st.just({"write": 9}))
LIVES = st.lists(
    st.tuples(HAPPENED, st.integers(0, 30 * 60).map(lambda minutes: minutes * MINUTE)), max_size=12
)


class Lived(NamedTuple):
    """What every audience counted, which versions of the schema there were, and when it ended."""

    sizes: dict[int, AudienceSize]
    versions: tuple[Schema, ...]
    end: int


def toggle(pipeline: Pipeline) -> None:
    """Publish that `spend` is the largest amount from now on, or the sum again."""
    held = pipeline.store.write_blocking(lambda tx: current_schema(tx, ACCOUNT))
    (spend,) = (field for field in held.fields if field.name == "spend")
    merge = MergeOperator.MAX if spend.merge is MergeOperator.SUM else MergeOperator.SUM
    fields = (msgspec.structs.replace(one, merge=merge) if one is spend else one for one in held.fields)
    pipeline.publish(msgspec.structs.replace(held, fields=tuple(fields)))


def overwrite(pipeline: Pipeline, spend: int) -> None:
    """Let Ada have spent just so much, if she is known."""
    command = AttributesCommand(key="user", value="ada", clear=["spend"], values={"spend": spend})
    order = Submission("", 0, msgspec.json.encode(command), kind=RecordKind.ATTRIBUTES)
    pipeline.log.append(ACCOUNT, [order]).result()


def lived(folder: Path, life: list[tuple[dict[str, Any], int]]) -> Lived:
    """Live through events, publications and the pauses after them."""
    pipeline = Pipeline(folder)
    pipeline.configure(*FILTERS, jobs=False)
    for body, pause in life:
        if "publish" in body:
            toggle(pipeline)
        elif "write" in body:
            overwrite(pipeline, body["write"])
        else:
            pipeline.send(**body)
        pipeline.after(pause)
    sizes = pipeline.store.write_blocking(lambda tx: tx.memberships.sizes(ACCOUNT))
    versions = pipeline.store.write_blocking(lambda tx: tx.catalog.list(Schema, ACCOUNT))
    end = pipeline.clock.audience()
    pipeline.close()
    return Lived(sizes, tuple(versions), end)


@settings(max_examples=25, deadline=None)
@given(life=LIVES, step=st.sampled_from([HOUR, DAY]))
def test_a_backtest_counts_what_was_lived(life: list[tuple[dict[str, Any], int]], step: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sizes, versions, end = lived(Path(folder), life)
        for number, text in enumerate(FILTERS, start=1):
            task = BacktestTask(
                log=str(Path(folder) / "log"),
                account=ACCOUNT,
                schema=versions[-1],
                versions=versions,
                audience=make_audience(number, text),
                begin=START - DAY,
                end=end,
                step=step,
            )

            report = run(task)

            counted = sizes.get(number, AudienceSize())
            assert AudienceSize(report.size, report.entered, report.left) == counted
            assert report.points[-1].size == counted.size
