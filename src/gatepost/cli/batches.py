"""Cuts a file of events into bodies a server takes in one go, and knows which lines each one holds."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from gatepost.cli.failure import CommandError

LARGEST = 1024 * 1024
"""Bytes of a body, about; far below what a server takes by default."""
MOST = 5_000
"""Events of a body: what a mistake in one of them holds back."""


class Batch(NamedTuple):
    """Part of a file."""

    body: bytes
    first: int
    """The line of the file, or the event of a JSON array, with which it begins; counted from 1."""
    repeated: int = 0
    """Lines at the start of the body that stand elsewhere in the file: the header of a CSV."""

    def line(self, of_body: int) -> int:
        """Return the line of the file for a line of the body."""
        return max(self.first, self.first + of_body - 1 - self.repeated)


def line_batches(lines: Iterable[bytes], start: int) -> Iterator[Batch]:
    """Cut newline-delimited JSON."""
    records = ((number, line) for number, line in enumerate(lines, 1) if number >= start)
    yield from _cut(records, b"")


def csv_batches(lines: Iterable[bytes], start: int) -> Iterator[Batch]:
    """Cut CSV between its records; every body begins with the header."""
    records = _csv_records(lines)
    _, header = next(records, (0, b""))
    if header and not header.endswith(b"\n"):
        header += b"\n"
    yield from _cut(((number, record) for number, record in records if number >= start), header)


def json_batches(text: bytes, start: int) -> Iterator[Batch]:
    """Cut a JSON array of events; a single event is a body by itself."""
    if not text.lstrip().startswith(b"["):
        yield Batch(text, 1)
        return
    try:
        events = msgspec.json.decode(text, type=list[msgspec.Raw])
    except msgspec.DecodeError as error:
        msg = f"this is not a JSON array: {error}"
        raise CommandError(msg, hint="For one event per line use --format ndjson.") from None
    records = ((number, bytes(event)) for number, event in enumerate(events, 1) if number >= start)
    for batch in _cut(records, b"", separator=b","):
        yield batch._replace(body=b"[" + batch.body + b"]")


def _cut(records: Iterable[tuple[int, bytes]], header: bytes, *, separator: bytes = b"") -> Iterator[Batch]:
    held: list[bytes] = []
    size, first = 0, 0
    repeated = header.count(b"\n")
    for number, record in records:
        if held and (size + len(record) > LARGEST or len(held) == MOST):
            yield Batch(header + separator.join(held), first, repeated)
            held, size = [], 0
        if not held:
            first = number
        held.append(record)
        size += len(record)
    if held:
        yield Batch(header + separator.join(held), first, repeated)


def _csv_records(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield each record with the line it begins on; quotes keep line breaks inside a record."""
    held: list[bytes] = []
    first, is_open = 1, False
    for number, line in enumerate(lines, 1):
        if not held:
            first = number
        held.append(line)
        is_open ^= line.count(b'"') % 2 == 1
        if not is_open:
            yield first, b"".join(held)
            held = []
    if held:
        yield first, b"".join(held)
