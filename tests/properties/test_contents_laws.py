"""However a stored value is packed, and wherever in it an identifier stands, it is found again by its hash alone."""

import zlib
from typing import Any

import msgspec
import orjson
from hypothesis import given
from hypothesis import strategies as st

from gatepost.core.contents import texts_in, words_of

IDENTIFIERS = st.one_of(
    st.emails(domains=st.just("example.com")),
    st.from_regex(r"[A-Za-z0-9]{6,20}", fullmatch=True),
    st.from_regex(r"\+[0-9]{8,14}", fullmatch=True),
).filter(lambda text: not set(text) & set("-_:&=?/|'{}%") and text.strip(".!") == text)
PLACES = st.sampled_from(["{}", "for {}, she knows", "mailto:{}", "id-{}-7", "see ({}).", '"{}"', "a;{};b"])
BESIDE = st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | st.integers(0, 99) | st.text(max_size=5)
)


def as_it_is(value: Any) -> Any:
    return orjson.dumps(value).decode()


PACKINGS = st.sampled_from(
    [
        as_it_is,
        orjson.dumps,
        msgspec.msgpack.encode,
        lambda value: zlib.compress(orjson.dumps(value), 1),
        lambda value: zlib.compress(msgspec.msgpack.encode(value), 1),
        lambda value: msgspec.msgpack.encode({"body": orjson.dumps(value)}),
    ]
)


@given(IDENTIFIERS, PLACES, BESIDE, PACKINGS, st.booleans())
def test_an_identifier_is_one_of_the_words_of_what_holds_it(
    identifier: str, place: str, beside: dict[str, Any], pack: Any, as_key: bool
) -> None:
    text = place.format(identifier)
    value = {**beside, text: 1} if as_key else {**beside, "x": [text]}

    words = {word for found in texts_in(pack(value)) for word in words_of(found)}

    assert identifier in words


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange_to_be_read(cell: bytes) -> None:
    assert all(isinstance(text, str) for text in texts_in(cell))
