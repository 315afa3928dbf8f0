"""Backtests: asked for by a user, run in a process of their own, told of while they run."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from enum import StrEnum
from pathlib import Path

import msgspec

from gatepost.core.plans import crossings_of
from gatepost.model.audience import Audience, Crossing
from gatepost.model.errors import Conflict, InvalidInput, Unavailable
from gatepost.model.schema import Schema
from gatepost.model.times import MINUTE, Instant, Milliseconds
from gatepost.operations.context import Context
from gatepost.operations.filters import checked_filter, stored_filter
from gatepost.operations.jobs import watched_by
from gatepost.operations.records import audience_of, current_schema, live_audiences
from gatepost.ports.store import Transaction
from gatepost.stages.backtest import BacktestReport, BacktestTask, Period, check_points

_PROGRAM = "gatepost.backtesting"
_LONGEST_LINE = 64 * 1024 * 1024
_SHOWN = 500


class FoldedBy(StrEnum):
    """Which version of the schema folds the past."""

    EACH = "each"
    """Each event's own, as it was folded."""
    NEWEST = "newest"


class BacktestWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a user wants to know of the past."""

    audience: str = ""
    """Id or slug; or give a filter that is not saved."""
    filter: str = ""
    begin: Instant = 0
    end: Instant = 0
    """0: now."""
    step: Milliseconds = 0
    schema: FoldedBy = FoldedBy.EACH


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a backtest found."""

    report: BacktestReport
    deliveries: dict[str, int]
    """By job: what it would have sent."""


class Backtests:
    """Runs one backtest at a time; a second one would only make both slow."""

    def __init__(self, context: Context, log: Path) -> None:
        self._context = context
        self._log = log
        self._running = False

    async def run(self, account: int, wish: BacktestWish) -> AsyncGenerator[float | Outcome, None]:
        """Yield the share that is done, and at last the outcome; closing the iterator ends the process."""
        task = await self._task(account, wish)
        if self._running:
            msg = "a backtest is running already; wait for it, or end it"
            raise Conflict(msg)
        self._running = True
        try:
            async with contextlib.aclosing(_run(task)) as lines:
                async for line in lines:
                    told = msgspec.json.decode(line)
                    if "refused" in told:
                        raise InvalidInput(told["refused"], path=told["path"])
                    if "done" in told:
                        yield float(told["done"])
                    else:
                        report = msgspec.convert(told, BacktestReport)
                        yield Outcome(
                            report=report, deliveries=await self._deliveries(account, task.audience, report)
                        )
        finally:
            self._running = False

    async def _task(self, account: int, wish: BacktestWish) -> BacktestTask:
        now = self._context.clock.audience()
        end = min(wish.end or now, now)
        _check_period(wish.begin, end, wish.step)
        return await self._context.store.read(lambda tx: self._checked(tx, account, wish, end))

    def _checked(self, tx: Transaction, account: int, wish: BacktestWish, end: Instant) -> BacktestTask:
        if bool(wish.audience) == bool(wish.filter):
            msg = "name an audience, or give a filter"
            raise InvalidInput(msg, path="audience")
        schema, others = current_schema(tx, account), live_audiences(tx, account)
        if wish.audience:
            audience = audience_of(tx, account, wish.audience)
        else:
            checked_filter(wish.filter, schema, others)
            audience = _unsaved(account, wish.filter)
        return BacktestTask(
            log=str(self._log),
            account=account,
            schema=schema,
            versions=tuple(tx.catalog.list(Schema, account)) if wish.schema is FoldedBy.EACH else (),
            audience=audience,
            included=tuple(others),
            begin=wish.begin,
            end=end,
            step=wish.step,
        )

    async def _deliveries(self, account: int, audience: Audience, report: BacktestReport) -> dict[str, int]:
        counts = {Crossing.ENTER: report.entered, Crossing.EXIT: report.left}
        jobs = await self._context.store.read(lambda tx: watched_by(tx, account, audience.id))
        return {job.name: sum(counts[crossing] for crossing in crossings_of(job)) for job in jobs}


async def _run(task: BacktestTask) -> AsyncGenerator[bytes, None]:
    """Start the program, hand it its task and yield what it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", _PROGRAM), stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=_LONGEST_LINE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(msgspec.msgpack.encode(task))
        process.stdin.close()
        async for line in process.stdout:
            yield line
        await _ended(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _ended(process: Process) -> None:
    assert process.stderr is not None
    said = (await process.stderr.read())[-_SHOWN:].decode("utf-8", "replace").strip()
    if await process.wait():
        last = said.splitlines()[-1] if said else f"exit code {process.returncode}"
        msg = f"the backtest ended early: {last}"
        raise Unavailable(msg)


def _check_period(begin: Instant, end: Instant, step: Milliseconds) -> None:
    if begin >= end:
        msg = "the period ends before it begins; from must lie before to, and before now"
        raise InvalidInput(msg, path="from")
    if step and step < MINUTE:
        msg = "a step of less than a minute shows nothing; give 1m or more"
        raise InvalidInput(msg, path="step")
    if step and begin:
        check_points(Period(begin, end, step))


def _unsaved(account: int, text: str) -> Audience:
    return Audience(number=1, id="", account=account, name="", slug="", filter=stored_filter(text))
