"""Replays a period through the real collect API and moves audience time along.

The period is cut into steps of an hour. A step begins with moving the clock to its start; then its events
go out, so they are dated up to an hour ahead of audience time. That is the right way round. With the clock
at the step's end, a household whose three days run out at 10:30 would lapse before its basket of 10:20
arrived: an exit and an entrance that never happened. This way the basket is known when the timer is due.
What it costs: a rule that compares a date (`last_produce > "now-2d"`) may see a basket up to an hour early,
while windows count it when its time has come. At the end the clock moves to the period's end, nothing lies
ahead any more, and every answer is exact.

Once per audience day the replay waits until everything sent is applied. So no event is ever a day ahead of
audience time, which would date it to its receipt, however fast events are sent and however slowly they are
applied.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

import orjson

from gatepost.demo.client import GatepostClient, SandboxClient, Status
from gatepost.demo.events import DemoEvent
from gatepost.demo.purchases import Period
from gatepost.model.times import DAY, HOUR, Instant, Milliseconds

STEP: Milliseconds = HOUR

_POLL_SECONDS = 0.05
_STALLED_SECONDS = 120.0


class Step(NamedTuple):
    """The events of one stretch of audience time, by stream."""

    start: Instant
    events: dict[str, list[DemoEvent]]


def steps_of(events: Iterable[DemoEvent], period: Period, length: Milliseconds = STEP) -> Iterator[Step]:
    """Cut events in order of time into steps; stretches without events are steps too."""
    remaining = groupby(events, key=lambda event: (event.at - period.start) // length)
    index, group = next(remaining, (-1, iter(())))
    for number, start in enumerate(range(period.start, period.end, length)):
        by_stream: dict[str, list[DemoEvent]] = {}
        if number == index:
            for event in group:
                by_stream.setdefault(event.stream, []).append(event)
            index, group = next(remaining, (-1, iter(())))
        yield Step(start, by_stream)


class Replay:
    """One run over one period; `sent` and `now` may be read while it runs."""

    def __init__(self, gatepost: GatepostClient, sandbox: SandboxClient, period: Period) -> None:
        self._gatepost = gatepost
        self._sandbox = sandbox
        self._period = period
        self.sent = 0
        self.now = period.start

    async def run(self, events: Iterable[DemoEvent]) -> Status:
        """Send the events, move both clocks to the period's end, wait until all is settled."""
        for step in steps_of(events, self._period):
            if (step.start - self._period.start) % DAY == 0:
                await settled(self._gatepost.status, lambda status: status.lag == 0)
                await self._sandbox.move_clock(step.start)
            await self._move_clock(step.start)
            await self._send(step)
        await self._sandbox.move_clock(self._period.end)
        await self._move_clock(self._period.end)
        return await settled(self._gatepost.status, lambda status: not (status.lag or status.moving))

    async def _move_clock(self, to: Instant) -> None:
        await self._gatepost.move_clock(to)
        self.now = to

    async def _send(self, step: Step) -> None:
        for stream, events in step.events.items():
            await self._gatepost.collect(stream, [orjson.dumps(event.body) for event in events])
            self.sent += len(events)


async def settled(ask: Callable[[], Awaitable[Status]], done: Callable[[Status], bool]) -> Status:
    """Ask until it is done, or until two minutes brought no change; return the last answer."""
    loop = asyncio.get_running_loop()
    before, changed = await ask(), loop.time()
    while not done(before) and loop.time() - changed < _STALLED_SECONDS:
        await asyncio.sleep(_POLL_SECONDS)
        status = await ask()
        if status != before:
            before, changed = status, loop.time()
    return before
