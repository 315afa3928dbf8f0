"""Functions that hash."""

import hashlib
import json
import uuid
from collections.abc import Mapping

from gatepost.core.filterql.functions.record import Function, on_text
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import Instant

_MASK = 2**64 - 1
_KEY = (0, 1)


def _rotate(word: int, bits: int) -> int:
    return (word << bits | word >> (64 - bits)) & _MASK


def _mix(v: list[int], rounds: int) -> None:
    for _ in range(rounds):
        v[0] = (v[0] + v[1]) & _MASK
        v[2] = (v[2] + v[3]) & _MASK
        v[1] = _rotate(v[1], 13) ^ v[0]
        v[3] = _rotate(v[3], 16) ^ v[2]
        v[0] = (_rotate(v[0], 32) + v[3]) & _MASK
        v[2] = (v[2] + v[1]) & _MASK
        v[3] = _rotate(v[3], 21) ^ v[0]
        v[1] = _rotate(v[1], 17) ^ v[2]
        v[2] = _rotate(v[2], 32)


def siphash(data: bytes, key: tuple[int, int] = _KEY) -> int:
    """Hash bytes with SipHash-2-4 into an unsigned 64-bit number."""
    masks = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    v = [mask ^ key[at % 2] for at, mask in enumerate(masks)]
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) % 256])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v[3] ^= word
        _mix(v, 2)
        v[0] ^= word
    v[2] ^= 0xFF
    _mix(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _signed_siphash(text: str) -> int | None:
    if not text:
        return None
    number = siphash(text.encode())
    return number - 2**64 if number >= 2**63 else number


def _hexadecimal(name: str, digest: str) -> Function:
    def hashed(text: str) -> str | None:
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest() if text else None

    return Function(
        name=f"hash.{name}",
        params=("text",),
        returns="text",
        call=on_text(hashed),
        summary=f"The {name.upper()} of a text in lower-case hexadecimal; no value for an empty text.",
        examples=((f'string.substr(hash.{name}("abc"), 0, 8)', digest), (f'hash.{name}("")', None)),
    )


def _uuid(event: Mapping[str, JsonValue], now: Instant) -> str:
    # Chance would give another profile each time the same events are folded again.
    said = json.dumps([now, event], sort_keys=True, default=str)
    return str(uuid.UUID(bytes=hashlib.blake2b(said.encode(), digest_size=16).digest(), version=4))


FUNCTIONS = (
    Function(
        name="hash.sip",
        aliases=("hash",),
        params=("text",),
        returns="number",
        call=on_text(_signed_siphash),
        summary="The SipHash-2-4 of a text under the keys 0 and 1, as a signed 64-bit number.",
        examples=(('hash.sip("")', None), ('eq(hash("a"), hash.sip("a"))', True)),
    ),
    _hexadecimal("md5", "90015098"),
    _hexadecimal("sha1", "a9993e36"),
    _hexadecimal("sha256", "ba7816bf"),
    _hexadecimal("sha512", "ddaf35a1"),
    Function(
        name="uuid",
        returns="text",
        takes="event and now",
        changes="always",
        call=_uuid,
        summary="A UUID for the event: the same whenever that event is folded, another for any other.",
        examples=(("uuid()", "9e12bb24-8e4d-4180-b420-b650a93d8e9b"), ("eq(uuid(), uuid())", True)),
    ),
)
