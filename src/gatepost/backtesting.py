"""The program that runs one backtest: a task on standard input, progress and the outcome on standard output.

It is a process of its own, so that a year of events takes no turn from live ones, and so that it can be ended.
Every line it prints is a JSON object: `{"done": 0.4}`, and at last the report, or `{"refused": "why", "path": "step"}`.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gatepost.backends.sqlite.scratch import ScratchStore, as_happened, earliest
from gatepost.core.plans import AccountPlan
from gatepost.core.timestamps import within_calendar
from gatepost.core.versions import Versions
from gatepost.model.errors import InvalidInput
from gatepost.model.event import Event
from gatepost.model.schema import Schema
from gatepost.model.times import DAY, HOUR, Instant, Milliseconds
from gatepost.stages.backtest import MOST_POINTS, Backtest, BacktestReport, BacktestTask, Period, check_points

_READING = 0.1
"""The share of the work that reading the log is, for the progress bar."""
_FINEST = ((4 * DAY, HOUR), (400 * DAY, DAY))


def main() -> None:
    """Run the task on standard input."""
    task = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=BacktestTask)
    try:
        _tell(msgspec.json.encode(run(task)))
    except InvalidInput as refusal:
        _tell(msgspec.json.encode({"refused": refusal.message, "path": refusal.path}))


def run(task: BacktestTask) -> BacktestReport:
    """Fold the past and report; progress goes to standard output."""
    started = time.monotonic()
    log = Path(task.log)
    first = earliest(log, task.account) or task.end
    step = task.step or _step(task.end - (task.begin or first))
    # Unless told otherwise, points lie on round times: days begin at midnight.
    begin = task.begin or min(within_calendar(first - first % step) or first, task.end)
    period = Period(begin, task.end, step)
    check_points(period)
    events = as_happened(log, task.account, task.end, lambda share: _progress(share * _READING))
    store = ScratchStore()
    backtest = Backtest(store.begin, task.account, _versions(task), _watched(events, first, period))
    points = list(backtest.points(period))
    return BacktestReport(
        begin=period.begin,
        end=period.end,
        step=period.step,
        points=points,
        size=points[-1].size,
        entered=sum(point.entered for point in points),
        left=sum(point.left for point in points),
        events=backtest.folded,
        profiles=backtest.profiles(),
        seconds=round(time.monotonic() - started, 1),
    )


def _versions(task: BacktestTask) -> Versions:
    """Return plans that fold only what the one audience reads, and what identifies people."""
    whole = AccountPlan(task.schema, [task.audience], (), set(), task.included)
    rule = whole.audiences[task.audience.number].filter
    read = {*rule.reads, *(window.source for window in rule.windows)}
    plan = AccountPlan(_narrowed(task.schema, read), [task.audience], (), set(), task.included)
    return Versions(plan, [_narrowed(schema, read) for schema in task.versions])


def _narrowed(schema: Schema, read: set[str]) -> Schema:
    wanted = read | {field.name for field in schema.fields if field.identifier}
    mappings = tuple(mapping for mapping in schema.mappings if mapping.field in wanted)
    return msgspec.structs.replace(schema, mappings=mappings)


def _watched(
    events: Iterator[tuple[int, Event]], first: Instant, period: Period
) -> Iterator[tuple[int, Event]]:
    """Pass events on and tell how far they are."""
    length = max(period.end - first, 1)
    for number, (record, event) in enumerate(events):
        if number % 2_000 == 0:
            _progress(_READING + (1 - _READING) * (event.at - first) / length)
        yield record, event


def _step(length: Milliseconds) -> Milliseconds:
    weeks = length // (MOST_POINTS * 7 * DAY) + 1
    return next((step for longest, step in _FINEST if length <= longest), weeks * 7 * DAY)


def _progress(share: float) -> None:
    _tell(msgspec.json.encode({"done": round(min(1.0, max(0.0, share)), 3)}))


def _tell(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
