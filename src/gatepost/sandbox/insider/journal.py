"""The latest requests and the totals since the start, for people who look at the sandbox."""

from collections import Counter, deque
from collections.abc import Iterator
from itertools import islice

import msgspec

from gatepost.model.times import Instant

EXCERPT_BYTES = 2_000


class RequestRecord(msgspec.Struct):
    """One request and what the sandbox thought of it."""

    number: int
    at: Instant
    operation: str
    partner: str
    status: int
    accepted: int = 0
    rejected: int = 0
    errors: dict[str, list[str]] = {}
    warnings: dict[str, list[str]] = {}
    note: str = ""
    """Why there is no ordinary answer: a check before the users, or a fault."""
    microseconds: int = 0
    size: int = 0
    body: bytes = b""
    """The beginning of the body."""


class Journal:
    """Keeps a bounded number of records; totals go on counting."""

    def __init__(self, kept: int) -> None:
        self._records: deque[RequestRecord] = deque(maxlen=kept)
        self._last = 0
        self.totals: Counter[str] = Counter()
        self.by_status: Counter[int] = Counter()
        self.by_operation: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: RequestRecord) -> None:
        """Keep a record under the next number."""
        self._last += 1
        record.number = self._last
        self._records.append(record)
        totals = self.totals
        totals["requests"] += 1
        totals["accepted"] += record.accepted
        totals["rejected"] += record.rejected
        if record.warnings:
            totals["warned"] += 1
        self.by_status[record.status] += 1
        self.by_operation[record.operation] += 1

    def after(self, number: int, limit: int) -> list[RequestRecord]:
        """Return the records that follow a number, oldest first."""
        oldest = self._last - len(self._records)
        return list(islice(self._records, max(0, number - oldest), max(0, number - oldest) + limit))

    def before(self, number: int, limit: int) -> list[RequestRecord]:
        """Return the records ahead of a number, newest first."""
        newest_first: Iterator[RequestRecord] = reversed(self._records)
        skipped = max(0, self._last - number + 1)
        return list(islice(newest_first, skipped, skipped + limit))

    def clear(self) -> None:
        """Forget records and totals; numbers go on."""
        self._records.clear()
        self.totals.clear()
        self.by_status.clear()
        self.by_operation.clear()
