"""A backtest tells what happened: when events come in order and in time, it counts what the live run counted."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.backtesting import run
from gatepost.model.audience import AudienceSize
from gatepost.model.times import DAY, HOUR, MINUTE
from gatepost.stages.backtest import BacktestTask
from tests.factories import ACCOUNT
from tests.pipeline import SHOP, START, Pipeline, make_audience

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
LIVES = st.lists(
    st.tuples(EVENTS, st.integers(0, 30 * 60).map(lambda minutes: minutes * MINUTE)), max_size=12
)


def lived(folder: Path, life: list[tuple[dict[str, Any], int]]) -> tuple[dict[int, AudienceSize], int]:
    """Live through events and the pauses after them; return what every audience counted, and when it ended."""
    pipeline = Pipeline(folder)
    pipeline.configure(*FILTERS, jobs=False)
    for body, pause in life:
        pipeline.send(**body)
        pipeline.after(pause)
    sizes = pipeline.store.write_blocking(lambda tx: tx.memberships.sizes(ACCOUNT))
    end = pipeline.clock.audience()
    pipeline.close()
    return sizes, end


@settings(max_examples=25, deadline=None)
@given(life=LIVES, step=st.sampled_from([HOUR, DAY]))
def test_a_backtest_counts_what_was_lived(life: list[tuple[dict[str, Any], int]], step: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sizes, end = lived(Path(folder), life)
        for number, text in enumerate(FILTERS, start=1):
            task = BacktestTask(
                log=str(Path(folder) / "log"),
                account=ACCOUNT,
                schema=SHOP,
                audience=make_audience(number, text),
                begin=START - DAY,
                end=end,
                step=step,
            )

            report = run(task)

            counted = sizes.get(number, AudienceSize())
            assert AudienceSize(report.size, report.entered, report.left) == counted
            assert report.points[-1].size == counted.size
