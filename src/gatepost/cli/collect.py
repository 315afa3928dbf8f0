"""`gatepost collect`: a file of events into a stream."""

import gzip
import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import msgspec
import typer

from gatepost.cli.batches import Batch, csv_batches, json_batches, line_batches
from gatepost.cli.client import Refused, Unreached, path_of
from gatepost.cli.command import Session, client_command, part
from gatepost.cli.failure import CommandError
from gatepost.cli.sending import Sending

app = part("Send a file of events to a stream.")

_ACCESS = (401, 403)
"""Answers that are about the token, not about the file."""
_GZIP = b"\x1f\x8b"


class Format(StrEnum):
    """How events are written."""

    NDJSON = "ndjson"
    JSON = "json"
    CSV = "csv"


_TYPES = {
    Format.NDJSON: "application/x-ndjson",
    Format.JSON: "application/json",
    Format.CSV: "application/csv",
}
_ENDINGS = {".csv": Format.CSV, ".json": Format.JSON}


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is read and sent."""

    format: Annotated[
        Format | None, typer.Option(help="json is one array; by the file's ending, else ndjson, unless told.")
    ] = None
    timestamp_field: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Member that holds the event's time; the stream's own unless told."
        ),
    ] = ""
    drop_errors: Annotated[
        bool, typer.Option("--drop-errors", help="Leave bad events out instead of stopping at the first.")
    ] = False
    triggers: Annotated[
        bool,
        typer.Option(
            "--triggers/--no-triggers",
            help="Without triggers the past is loaded in silence: audiences follow, no job is told.",
        ),
    ] = True
    start: Annotated[
        int, typer.Option("--from", min=1, metavar="N", help="Go on with line N (of a JSON array: event N).")
    ] = 1
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and store nothing.")] = False


@client_command(
    app,
    "collect",
    "gatepost collect orders orders.csv --timestamp-field ordered_at",
    "zcat events.ndjson.gz | gatepost collect web - --dry-run",
    "gatepost collect orders orders-2019-to-2025.csv --timestamp-field ordered_at --no-triggers",
)
def collect(
    session: Session,
    stream: Annotated[str, typer.Argument(help="The stream; a new name makes a new stream.")],
    file: Annotated[Path, typer.Argument(help="Events, gzipped or not; - reads standard input.")],
    how: How,
) -> None:
    """Send the events of a file, in bodies of up to 5,000. A body with a bad event is refused as a whole."""
    client, out = session
    format_ = how.format or _format_of(file)
    query: dict[str, object] = {
        "dryrun": how.dry_run or None,
        "droperrors": how.drop_errors or None,
        "timestamp_field": how.timestamp_field,
        "triggers": None if how.triggers else "false",
    }
    path = path_of("collect", "json" if format_ is Format.JSON else "bulk", stream)
    sending = Sending(client, path, query, _TYPES[format_], time.sleep)
    with _opened(file) as source, out.progress() as progress:
        task = progress.add_task("0 events", total=source.size or None)
        for batch in source.batches(format_, how.start):
            _send(sending, batch, file, format_)
            progress.update(task, completed=source.position(), description=f"{sending.accepted:,} events")
    out.document({"accepted": sending.accepted, "rejected": sending.rejected, "dry_run": how.dry_run})
    rejected = f", {sending.rejected:,} left out ({sending.first_error})" if sending.rejected else ""
    events = f"{sending.accepted:,} event{'' if sending.accepted == 1 else 's'}"
    if how.dry_run:
        out.say(f"{events} fit to be sent; this was a dry run, nothing was stored{rejected}")
    else:
        out.say(f"{events} sent to {stream}{rejected}")


def _send(sending: Sending, batch: Batch, file: Path, format_: Format) -> None:
    try:
        sending.send(batch.body)
    except CommandError as error:
        if isinstance(error, Unreached) and not sending.accepted:
            raise
        hint = "Nothing was taken."
        if sending.accepted:
            hint = f"{sending.accepted:,} events were taken; go on with --from {batch.first}."
        if isinstance(error, Refused) and error.status in _ACCESS:
            raise CommandError(error.message, hint=f"{hint} {error.hint}") from None
        if isinstance(error, Refused):
            hint += " Mend the file, or leave bad events out with --drop-errors."
        raise CommandError(_located(error, batch, file, format_), hint=hint) from None


def _located(error: CommandError, batch: Batch, file: Path, format_: Format) -> str:
    """Say where in the file it is wrong."""
    problems = error.problems if isinstance(error, Refused) else []
    line = int(problems[0].get("line") or 0) if problems else 0
    if not line or format_ is Format.JSON:
        return f"{file}: {error.message}"
    told = error.message.removeprefix(f"line {line}: ")
    return f"{file}:{batch.line(line)}: {told}"


class _Source:
    """A file of events that knows how far it has been read."""

    def __init__(self, raw: BinaryIO, size: int) -> None:
        self._raw = raw
        self.size = size
        buffered = io.BufferedReader(cast("io.RawIOBase", raw))
        packed = buffered.peek(2)[:2] == _GZIP
        self._stream = cast("BinaryIO", gzip.GzipFile(fileobj=buffered)) if packed else buffered

    def position(self) -> int:
        return self._raw.tell() if self.size else 0

    def batches(self, format_: Format, start: int) -> Iterator[Batch]:
        if format_ is Format.JSON:
            yield from json_batches(self._stream.read(), start)
        elif format_ is Format.CSV:
            yield from csv_batches(self._stream, start)
        else:
            yield from line_batches(self._stream, start)


@contextmanager
def _opened(file: Path) -> Iterator[_Source]:
    try:
        if str(file) == "-":
            yield _Source(cast("BinaryIO", io.FileIO(sys.stdin.fileno(), closefd=False)), 0)
            return
        with file.open("rb", buffering=0) as raw:
            yield _Source(cast("BinaryIO", raw), file.stat().st_size)
    except (OSError, EOFError) as error:
        msg = f"{file} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise CommandError(msg) from None


def _format_of(file: Path) -> Format:
    name = file.name.removesuffix(".gz")
    return _ENDINGS.get(Path(name).suffix.lower(), Format.NDJSON)
