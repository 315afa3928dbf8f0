"""Collect: a checked request's events go into the log, and the answer waits until they are on disk."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gatepost.model.errors import Unavailable
from gatepost.model.event import Submission
from gatepost.ports.log import EventLog


class CollectOptions(msgspec.Struct, frozen=True, kw_only=True):
    """When collect takes nothing more."""

    reserve: int = 64 * 1024 * 1024
    """Bytes of disk that stay free, so that the other stages can go on."""
    waiting_limit: int = 200_000
    """Events waiting for their sync; beyond it the disk is slower than the senders."""
    lag_limit: int = 2_000_000
    """Events collected but not applied; beyond it apply must catch up first."""


class _Group:
    """The requests of one account that share an append."""

    __slots__ = ("submissions", "waiters")

    def __init__(self) -> None:
        self.submissions: list[Submission] = []
        self.waiters: list[asyncio.Future[None]] = []

    def end(self, error: BaseException | None) -> None:
        """Tell everybody who still waits."""
        for waiter in self.waiters:
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)


class CollectStage:
    """Hands submissions to the log, within the bounds of disk and backlog.

    While one append is on its way to disk, further requests gather for the next: a group of requests costs one
    hop to the log's thread and shares one sync.
    """

    def __init__(self, log: EventLog, folder: Path, options: CollectOptions) -> None:
        self._log = log
        self._folder = folder
        self._options = options
        self._gathered: dict[int, _Group] = {}
        self._on_its_way = False
        self._appending: asyncio.Task[None] | None = None
        self._waiting = 0
        self._free = 1 << 62
        self._spent = 0
        self.lag = 0
        """Events not yet applied, as last told."""

    async def accept(self, account: int, submissions: Sequence[Submission]) -> None:
        """Return once the events are on disk; raise Unavailable when there is no room."""
        if not submissions:
            return
        options = self._options
        if not self._has_room() or self._waiting > options.waiting_limit or self.lag > options.lag_limit:
            self.refuse()
        loop = asyncio.get_running_loop()
        group = self._gathered.get(account)
        if group is None:
            group = self._gathered[account] = _Group()
            if not self._on_its_way:
                # Those who arrive in the same turn of the loop come along.
                self._on_its_way = True
                loop.call_soon(self._flush)
        group.submissions += submissions
        self._spent += sum(len(event.body) for event in submissions)
        done = loop.create_future()
        group.waiters.append(done)
        self._waiting += len(submissions)
        try:
            await done
        finally:
            self._waiting -= len(submissions)

    def _flush(self) -> None:
        """Send what has gathered to the log."""
        gathered, self._gathered = self._gathered, {}
        self._on_its_way = bool(gathered)
        if gathered:
            # Kept here: the loop itself holds a task only weakly.
            self._appending = asyncio.get_running_loop().create_task(self._append(gathered))

    async def _append(self, gathered: dict[int, _Group]) -> None:
        appends = [
            asyncio.wrap_future(self._log.append(account, group.submissions))
            for account, group in gathered.items()
        ]
        results = await asyncio.gather(*appends, return_exceptions=True)
        for group, result in zip(gathered.values(), results, strict=True):
            group.end(result if isinstance(result, BaseException) else None)
        self._flush()

    def refuse(self) -> None:
        """Say why nothing is taken now."""
        if not self._has_room():
            msg = "the disk of the data folder is nearly full and nothing more is collected; free some space"
            raise Unavailable(msg, retry_after=30)
        msg = "more events are waiting than can be stored right now; send again in a moment"
        raise Unavailable(msg, retry_after=2)

    def look_at_disk(self) -> None:
        """Measure free space; called about once a second, not per request."""
        self._free, self._spent = shutil.disk_usage(self._folder).free, 0

    def _has_room(self) -> bool:
        """Say whether the reserve is whole; since the last look an event has cost up to three times its size."""
        return self._free - 3 * self._spent >= self._options.reserve
