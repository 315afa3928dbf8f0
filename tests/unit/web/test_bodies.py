"""Bodies are read up to a limit, whatever they are packed in."""

import asyncio
import gzip
import zlib
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from gatepost.model.errors import InvalidInput
from gatepost.web.bodies import BodyTooLarge, InvalidJson, decoded, read_body, text_of

GZIP = [(b"content-encoding", b"gzip")]


class Person(msgspec.Struct):
    name: str
    ages: list[int] = []


def sent(parts: list[bytes]) -> Receive:
    """Return what a server hands to an application for a body that arrives in parts."""

    def messages() -> Iterator[Message]:
        for part in parts:
            yield {"type": "http.request", "body": part, "more_body": True}
        yield {"type": "http.request", "body": b"", "more_body": False}

    waiting = messages()

    async def receive() -> Message:
        return next(waiting)

    return receive


def read(parts: list[bytes], headers: list[tuple[bytes, bytes]], limit: int) -> bytes:
    return asyncio.run(read_body(sent(parts), headers, limit, unpack=True))


@given(st.binary(max_size=500), st.integers(1, 50), st.booleans())
def test_a_body_comes_out_as_it_went_in_however_it_was_cut(body: bytes, step: int, packed: bool) -> None:
    wire = gzip.compress(body, mtime=0) if packed else body
    parts = [wire[i : i + step] for i in range(0, len(wire), step)]

    assert read(parts, GZIP if packed else [], 500) == body


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=5), st.integers(1, 50))
def test_gzip_members_in_a_row_are_one_body(bodies: list[bytes], step: int) -> None:
    wire = b"".join(gzip.compress(body, mtime=0) for body in bodies)
    parts = [wire[i : i + step] for i in range(0, len(wire), step)]

    assert read(parts, GZIP, 1_000) == b"".join(bodies)


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"101")]])
def test_one_byte_over_the_limit_is_too_much(headers: list[tuple[bytes, bytes]]) -> None:
    assert read([b"a" * 50, b"a" * 50], [], 100) == b"a" * 100

    with pytest.raises(BodyTooLarge, match="larger than 100 bytes"):
        read([b"a" * 50, b"a" * 51], headers, 100)


def test_a_bomb_is_not_unpacked_beyond_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))

    with pytest.raises(BodyTooLarge):
        read([bomb], GZIP, 1_000)


@pytest.mark.parametrize(
    "wire", [b"plain", zlib.compress(b"other"), gzip.compress(b"text", mtime=0)[:-1], b""]
)
def test_what_is_not_whole_gzip_is_refused(wire: bytes) -> None:
    with pytest.raises(InvalidInput, match="gzip"):
        read([wire], GZIP, 1_000)


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'br' is not supported; send gzip"):
        read([b""], [(b"content-encoding", b"br")], 1_000)


def test_a_sender_that_leaves_ends_the_request() -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientDisconnect):
        asyncio.run(read_body(gone, [], 100))


def test_a_record_is_decoded() -> None:
    assert decoded(b'{"name": "Ada", "more": 1}', Person) == Person("Ada")


@pytest.mark.parametrize(
    ("body", "path", "says"),
    [
        (b"{}", "", "missing required field `name`"),
        (b'{"name": 1}', "name", "Expected `str`, got `int`"),
        (b'{"name": "Ada", "ages": [1, "x"]}', "ages[1]", "Expected `int`, got `str`"),
        (b'{"name": "Ada", "ages": ' + b"[" * 200 + b"]" * 200 + b"}", "", "deeper than 100 levels"),
    ],
)
def test_a_record_that_does_not_fit_is_refused_with_its_place(body: bytes, path: str, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decoded(body, Person)

    assert caught.value.path == path
    assert says in caught.value.message


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a": "\\ud800"}', b"[" * 100_000, b"NaN"])
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidJson, match="not valid JSON"):
        decoded(body, Person)


def test_a_text_that_is_not_utf_8_names_the_byte() -> None:
    with pytest.raises(InvalidInput, match="byte 2 is 0xff"):
        text_of(b"ab\xff")
