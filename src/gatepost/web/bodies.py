"""Request bodies: read up to a limit, unpacked within it, decoded with errors that say where."""

import zlib
from collections.abc import Sequence
from typing import TypeVar

import msgspec
import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from gatepost.model.errors import InvalidInput
from gatepost.model.jsonvalue import JsonValue

T = TypeVar("T")

_GZIP = 31
"""The window setting by which zlib expects a gzip header."""
_MAX_DEPTH = 100


class BodyTooLarge(InvalidInput):
    """The body, or what it unpacks to, is over the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than {limit:,} bytes; send it in parts")


class InvalidJson(InvalidInput):
    """The body is not JSON."""


async def read_body(
    receive: Receive, headers: Sequence[tuple[bytes, bytes]], limit: int, *, unpack: bool = False
) -> bytes:
    """Read a request's body as it comes in; nothing beyond the limit is kept, packed or unpacked."""
    packed = unpack and _is_packed(headers)
    if not packed and _announced(headers) > limit:
        raise BodyTooLarge(limit)
    message = await receive()
    if not packed and not message.get("more_body") and message["type"] == "http.request":
        whole: bytes = message.get("body", b"")
        return _within(whole, limit)
    reader = _Unpacker(limit) if packed else _Collector(limit)
    while True:
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        reader.add(message.get("body", b""))
        if not message.get("more_body"):
            return reader.whole()
        message = await receive()


def json_of(body: bytes) -> JsonValue:
    """Return a JSON body's value."""
    try:
        value: JsonValue = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        msg = f"the body is not valid JSON: {error.msg} at line {error.lineno} column {error.colno}"
        raise InvalidJson(msg) from None
    _check_depth(value)
    return value


def decoded(body: bytes, kind: type[T]) -> T:
    """Decode a JSON body into a record."""
    value = json_of(body)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        place = path.strip("`.")
        raise InvalidInput(f"{place}: {message}" if place else message, path=place) from None


def text_of(body: bytes) -> str:
    """Decode a text body."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        msg = f"the body is not UTF-8: byte {error.start} is 0x{body[error.start]:02x}"
        raise InvalidInput(msg) from None


def header(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> str:
    """Return a header's value, empty when it is absent; the name is in lower case."""
    for key, value in headers:
        if key == name:
            return value.decode("latin-1")
    return ""


class _Collector:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._limit:
            raise BodyTooLarge(self._limit)
        self._parts.append(part)

    def whole(self) -> bytes:
        return b"".join(self._parts)


class _Unpacker(_Collector):
    """Unpacks gzip, one member after the other, and never holds more than the limit and one byte."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self._packed = 0
        self._member = zlib.decompressobj(_GZIP)

    def add(self, part: bytes) -> None:
        # Empty members cost time and unpack to nothing, so what is packed is bounded too.
        self._packed += len(part)
        if self._packed > self._limit:
            raise BodyTooLarge(self._limit)
        while part:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            try:
                super().add(self._member.decompress(part, self._limit - self._size + 1))
            except zlib.error:
                msg = "the body is not valid gzip, but Content-Encoding says it is"
                raise InvalidInput(msg) from None
            part = self._member.unused_data or self._member.unconsumed_tail

    def whole(self) -> bytes:
        if not self._member.eof:
            msg = "the gzip body ends too early"
            raise InvalidInput(msg)
        return super().whole()


def _is_packed(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    encoding = header(headers, b"content-encoding").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        msg = f"Content-Encoding {encoding[:40]!r} is not supported; send gzip or no encoding"
        raise InvalidInput(msg)
    return encoding.endswith("gzip")


def _announced(headers: Sequence[tuple[bytes, bytes]]) -> int:
    length = header(headers, b"content-length")
    return int(length) if length.isdecimal() else 0


def _within(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise BodyTooLarge(limit)
    return body


def _check_depth(value: object, depth: int = 0) -> None:
    """Refuse nesting that would exhaust the stack of whoever walks the value later."""
    if depth > _MAX_DEPTH:
        msg = f"the body is nested deeper than {_MAX_DEPTH} levels"
        raise InvalidInput(msg)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        if isinstance(item, (dict, list)):
            _check_depth(item, depth + 1)
