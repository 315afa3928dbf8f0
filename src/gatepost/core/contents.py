"""What a stored cell says, whatever way it is packed: every text in it, so that somebody can be looked for."""

import re
import zlib
from collections.abc import Iterator
from urllib.parse import unquote

import msgspec
import orjson

_WORD = re.compile(r"[^\s\"'<>()\[\]{},;=&?|\\/]+")
_JOINT = re.compile(r"[-_:]")
_EDGES = ".:!-"
_MOST_JOINTS = 8
"""Of a word with more, only what begins among the first, or ends among the last, is taken apart."""
PACKED = b"\x78"
"""How everything that zlib packed begins."""
_UNPACK = msgspec.msgpack.Decoder().decode


def texts_in(cell: object) -> Iterator[str]:
    """Yield every text of a cell: itself, or what JSON, MessagePack or packed bytes hold, keys too."""
    open_ = [cell]
    while open_:
        one = open_.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, bytes):
            open_.append(_read(one))
        elif isinstance(one, dict):
            open_ += [*one, *one.values()]
        elif isinstance(one, list):
            open_ += one
        elif isinstance(one, int) and not isinstance(one, bool):
            yield str(one)


def words_of(text: str) -> set[str]:
    """Return a text and the words it is made of, as written and out of percent signs."""
    words = {text, text.strip()}
    for word in _WORD.findall(text):
        words |= {word.strip(_EDGES), *_runs(word)}
    return words | {unquote(word) for word in words if "%" in word}


def _runs(word: str) -> Iterator[str]:
    """Yield what stands between any two joints of a word: an id such as order-ana@example.com-7 is made of others."""
    starts, ends = [0], []
    for joint in _JOINT.finditer(word):
        ends.append(joint.start())
        starts.append(joint.end())
    ends.append(len(word))
    if len(ends) > _MOST_JOINTS:
        starts, ends = [0, *starts[1:_MOST_JOINTS]], [*ends[-_MOST_JOINTS:-1], len(word)]
    yield from (word[start:end].strip(_EDGES) for start in starts for end in ends if start < end)


def _read(cell: bytes) -> object:
    """Return what bytes hold: a value where they are JSON or MessagePack, else text."""
    if cell[:1] == PACKED:
        try:
            return _read(zlib.decompress(cell))
        except zlib.error:
            pass
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError:
        pass
    try:
        value = _UNPACK(cell)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return cell.decode("utf-8", "replace")
    # The first byte of a text is a small number to MessagePack, which then finds more than it expected and fails.
    return value if isinstance(value, dict | list) else cell.decode("utf-8", "replace")
