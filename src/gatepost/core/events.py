"""Collect bodies become submissions: checked, timed and ready for the log.

Formats and answers follow the documented collect API: a JSON object or an array of objects, newline-delimited
JSON, or CSV with a header. Nested objects are flattened with dots; arrays of objects are refused.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping

import msgspec
import orjson

from gatepost.core.timestamps import parse_time
from gatepost.model.errors import InvalidEvent
from gatepost.model.event import RecordKind, Submission
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.times import DAY, Instant

KEY_FIELD = "messageId"
"""The event's own id, as client libraries of the field name it."""

_MAX_DEPTH = 32
_NESTED = (dict, list)


class CollectRules(msgspec.Struct, frozen=True, kw_only=True):
    """How one request's events are read."""

    stream: str
    now: Instant
    timestamp_field: str = ""
    event_limit: int = 64 * 1024
    """Bytes of one event."""
    request_key: str = ""
    """The request's Idempotency-Key; each event gets it with its index."""
    drop_errors: bool = False
    kind: RecordKind = RecordKind.EVENT


class Collected(msgspec.Struct, kw_only=True):
    """The events of one request."""

    submissions: list[Submission] = []
    rejected: int = 0
    future: int = 0
    """Events dated more than a day ahead, which got the receive time."""
    first_error: str = ""


def collect_json(body: bytes, rules: CollectRules) -> Collected:
    """Read one object or an array of objects; any bad one refuses the whole request."""
    value = _loads(body, "body")
    records = value if isinstance(value, list) else [value]
    return _collect(((i, r, _dumped(r)) for i, r in enumerate(records)), rules, where="[{}]")


def collect_lines(body: bytes, rules: CollectRules) -> Collected:
    """Read newline-delimited JSON; empty lines are skipped."""
    return _collect(_lines(body, rules), rules, where="line {}", base=1)


def collect_csv(text: str, rules: CollectRules, layout: "CsvLayout") -> Collected:
    """Read CSV; every row must have as many cells as the header has names, and empty cells are left out."""
    text = text.removeprefix("\ufeff")
    return _collect(_rows(text, rules, layout), rules, where="line {}", base=1)


class CsvLayout(msgspec.Struct, frozen=True, kw_only=True):
    """How a CSV body is laid out."""

    delimiter: str = ","
    headers: tuple[str, ...] = ()
    """Column names when the body has no header row."""
    append: JsonObject = {}
    """Keys and values put on every row."""


def flatten(record: JsonObject) -> JsonObject:
    """Turn nested objects into dotted keys; a flat record is returned as it is."""
    for value in record.values():
        if type(value) is dict:
            flat: JsonObject = {}
            _flatten_into(flat, "", record, 0)
            return flat
    return record


class _Rejected(msgspec.Struct):
    error: InvalidEvent


_Row = tuple[int, "JsonValue | _Rejected", bytes]


def _collect(rows: Iterable[_Row], rules: CollectRules, *, where: str, base: int = 0) -> Collected:
    collected = Collected()
    add = collected.submissions.append
    for index, record, raw in rows:
        try:
            if isinstance(record, _Rejected):
                raise record.error
            add(_submission(record, raw, index, rules, collected))
        except InvalidEvent as error:
            place = where.format(index + base)
            located = InvalidEvent(f"{place}: {error.message}", path=place, line=index + base)
            if not rules.drop_errors:
                raise located from error
            collected.rejected += 1
            collected.first_error = collected.first_error or located.message
    return collected


def _submission(
    record: JsonValue, raw: bytes, index: int, rules: CollectRules, collected: Collected
) -> Submission:
    if type(record) is not dict:
        msg = f"an event is a JSON object, not {_kind(record)}"
        raise InvalidEvent(msg)
    if len(raw) > rules.event_limit:
        msg = f"the event has {len(raw):,} bytes, {rules.event_limit:,} are allowed"
        raise InvalidEvent(msg)
    for key, value in record.items():
        if type(value) in _NESTED:
            _check_nested(key, value, 1)
    stamp = record.get(rules.timestamp_field or "_ts")
    at = 0 if stamp is None else _moment(stamp)
    if at > rules.now + DAY:
        collected.future += 1
        at = 0
    return Submission(rules.stream, at, raw, _key(record, index, rules), kind=rules.kind)


def _moment(stamp: JsonValue) -> Instant:
    """Read an event's time; 0, for none, is what unset clocks send too, but a text that names that day means it."""
    moment = parse_time(stamp)
    named = moment == 0 and isinstance(stamp, str) and stamp.strip("0. ")
    return 1 if named else moment or 0


def _key(record: Mapping[str, JsonValue], index: int, rules: CollectRules) -> str:
    own = record.get(KEY_FIELD)
    if isinstance(own, str) and own:
        return _key_of(rules.stream, own)
    return _key_of(rules.stream, f"{rules.request_key}#{index}", "request") if rules.request_key else ""


def _key_of(stream: str, own: str, kind: str = "event") -> str:
    """Return a key of fixed size: two ids are one only when kind, stream and the whole id are equal."""
    return hashlib.blake2b(
        f"{kind}\0{stream}\0{own}".encode("utf-8", "surrogatepass"), digest_size=20
    ).hexdigest()


def _dumped(record: JsonValue) -> bytes:
    try:
        return orjson.dumps(record)
    except orjson.JSONEncodeError:
        msg = f"the event is nested deeper than {_MAX_DEPTH} levels"
        raise InvalidEvent(msg) from None


def _loads(raw: bytes, what: str) -> JsonValue:
    try:
        value: JsonValue = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        msg = f"{what} is not valid JSON: {error.msg} at line {error.lineno} column {error.colno}"
        raise InvalidEvent(msg) from None
    return value


def _lines(body: bytes, rules: CollectRules) -> Iterator[_Row]:
    loads, limit = orjson.loads, rules.event_limit
    for index, line in enumerate(body.split(b"\n")):
        raw = line.strip()
        if not raw:
            continue
        if len(raw) > limit:
            error = InvalidEvent(f"the event has {len(raw):,} bytes, {limit:,} are allowed")
            yield index, _Rejected(error), raw
            continue
        try:
            yield index, loads(raw), raw
        except orjson.JSONDecodeError as error:
            reason = InvalidEvent(f"not valid JSON: {error.msg} at column {error.colno}")
            yield index, _Rejected(reason), raw


def _rows(text: str, rules: CollectRules, layout: CsvLayout) -> Iterator[_Row]:
    # A field may be as long as an event; the module's own default is less than an event.
    csv.field_size_limit(max(rules.event_limit, 131_072))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=layout.delimiter, strict=True)
    names = list(layout.headers)
    while True:
        line = reader.line_num
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, _Rejected(InvalidEvent(f"not valid CSV: {error}")), b""
            return
        if not row:
            continue
        if not names:
            names = _header(row)
            continue
        if len(row) != len(names):
            reason = f"{len(row)} cells, but the header names {len(names)} columns"
            yield line, _Rejected(InvalidEvent(reason)), b""
            continue
        record: JsonObject = {name: cell for name, cell in zip(names, row, strict=True) if cell != ""}
        record.update(layout.append)
        yield line, record, orjson.dumps(record)


def _header(row: list[str]) -> list[str]:
    names = [name.strip() for name in row]
    if not all(names) or len(set(names)) != len(names):
        msg = "line 1: the header needs a distinct, non-empty name for every column"
        raise InvalidEvent(msg, path="line 1", line=1)
    return names


def _flatten_into(flat: JsonObject, prefix: str, record: Mapping[str, JsonValue], depth: int) -> None:
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and depth < _MAX_DEPTH:
            _flatten_into(flat, f"{name}.", value, depth + 1)
        else:
            flat[name] = value


def _check_nested(path: str, value: JsonValue, depth: int) -> None:
    if depth > _MAX_DEPTH:
        msg = f"{path[:80]} is nested deeper than {_MAX_DEPTH} levels"
        raise InvalidEvent(msg, path=path)
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, _NESTED):
                _check_nested(f"{path}.{key}", inner, depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if isinstance(inner, _NESTED):
                msg = f"{path}[{index}] is {_kind(inner)}; arrays may hold texts, numbers and booleans only"
                raise InvalidEvent(msg, path=f"{path}[{index}]")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
