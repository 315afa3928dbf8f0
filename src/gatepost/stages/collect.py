"""Collect: a checked request's events go into the log, and the answer waits until they are on disk."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gatepost.model.errors import Unavailable
from gatepost.model.event import Appended, Submission
from gatepost.ports.log import EventLog


class CollectOptions(msgspec.Struct, frozen=True, kw_only=True):
    """When collect takes nothing more."""

    reserve: int = 64 * 1024 * 1024
    """Bytes of disk that stay free, so that the other stages can go on."""
    waiting_limit: int = 200_000
    """Events waiting for their sync; beyond it the disk is slower than the senders."""
    lag_limit: int = 2_000_000
    """Events collected but not applied; beyond it apply must catch up first."""


class CollectStage:
    """Hands submissions to the log, within the bounds of disk and backlog."""

    def __init__(self, log: EventLog, folder: Path, options: CollectOptions) -> None:
        self._log = log
        self._folder = folder
        self._options = options
        self._waiting = 0
        self._room = True
        self.lag = 0
        """Events not yet applied, as last told."""

    async def accept(self, account: int, submissions: Sequence[Submission]) -> Appended:
        """Append and return once durable; raise Unavailable when there is no room."""
        if not submissions:
            return Appended(0)
        if (
            not self._room
            or self._waiting > self._options.waiting_limit
            or self.lag > self._options.lag_limit
        ):
            self.refuse()
        self._waiting += len(submissions)
        try:
            return await asyncio.wrap_future(self._log.append(account, submissions))
        finally:
            self._waiting -= len(submissions)

    def refuse(self) -> None:
        """Say why nothing is taken now."""
        if not self._room:
            free = f"less than {self._options.reserve // (1024 * 1024)} MiB of disk are free"
            msg = f"{free}; nothing is collected until there is room"
            raise Unavailable(msg, retry_after=30)
        msg = "more events are waiting than can be stored right now; send again in a moment"
        raise Unavailable(msg, retry_after=2)

    def look_at_disk(self) -> None:
        """Measure free space; called about once a second, not per request."""
        self._room = shutil.disk_usage(self._folder).free >= self._options.reserve
