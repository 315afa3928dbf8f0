"""Texts as bytes, as base64, as numbers and as JSON, and back."""

import json
import re
from binascii import a2b_base64, b2a_base64
from typing import Final

from gatepost.core.jsonnet.library.arguments import as_integer, evaluated, fitting
from gatepost.core.jsonnet.library.registry import standard
from gatepost.core.jsonnet.values import Doubt, Value, as_list, as_text, charge, checked, exact

_BASE64: Final = re.compile("(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", re.ASCII)
_INTEGER: Final = re.compile("[+-]?[0-9]{1,18}", re.ASCII)
_OCTAL: Final = re.compile("[0-7]{1,17}", re.ASCII)
_HEX: Final = re.compile("[0-9a-fA-F]{1,13}", re.ASCII)
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def _bytes(items: list[Value]) -> bytes:
    return bytes([as_integer(item) for item in evaluated(items)])


@standard("input", gives="text")
def base64(value: Value) -> str:
    """A text whose characters are of one byte, or an array of bytes, in base64."""
    if type(value) is str:
        # The engine looks at the characters and takes the bytes of their encoding.
        value.encode("latin-1")
        given = value.encode()
    else:
        given = _bytes(as_list(value))
    fitting(2 * len(given))
    return b2a_base64(given, newline=False).decode()


def _decoded(text: Value) -> bytes:
    if not _BASE64.fullmatch(as_text(text)):
        raise Doubt("not base64")
    fitting(len(text))
    return a2b_base64(text)


@standard("str", gives="text", name="base64Decode")
def base64_decode(text: Value) -> str:
    """The text that base64 stands for."""
    return _decoded(text).decode()


@standard("str", gives="numbers", name="base64DecodeBytes")
def base64_decode_bytes(text: Value) -> list[Value]:
    """The bytes that base64 stands for."""
    found = _decoded(text)
    charge(len(found))
    return list(found)


@standard("str", gives="numbers", name="encodeUTF8")
def encode_utf8(text: Value) -> list[Value]:
    """The bytes of a text."""
    found = as_text(text).encode()
    charge(len(found))
    return list(found)


@standard("arr", gives="text", name="decodeUTF8")
def decode_utf8(arr: Value) -> str:
    """The text that bytes stand for."""
    return _bytes(as_list(arr)).decode()


def _number(text: Value, form: re.Pattern[str], base: int) -> int | float:
    if not form.fullmatch(as_text(text)):
        raise Doubt("not a number of this base")
    return exact(int(text, base))


@standard("str", gives="number", name="parseInt")
def parse_int(text: Value) -> int | float:
    """The whole number that a text is."""
    return _number(text, _INTEGER, 10)


@standard("str", gives="number", name="parseOctal")
def parse_octal(text: Value) -> int | float:
    """The whole number that a text is, to the base of eight."""
    return _number(text, _OCTAL, 8)


@standard("str", gives="number", name="parseHex")
def parse_hex(text: Value) -> int | float:
    """The whole number that a text is, to the base of sixteen."""
    return _number(text, _HEX, 16)


def _whole(text: str) -> int | float:
    return exact(int(text)) if text != "-0" else -0.0


def _fraction(text: str) -> float:
    return checked(float(text))


def _no_number(text: str) -> float:
    raise Doubt(text)


_READER: Final = json.JSONDecoder(parse_int=_whole, parse_float=_fraction, parse_constant=_no_number)


@standard("str", name="parseJson")
def parse_json(text: Value) -> Value:
    """The value that a text of JSON is."""
    charge(len(as_text(text)) >> 4)
    found = _READER.decode(text)
    if _SURROGATE.search(text):
        # Half a pair cannot be encoded; the engine puts another character there.
        json.dumps(found, ensure_ascii=False).encode()
    return found
