"""`%` and std.format: values written into a text."""

from collections.abc import Iterator
from typing import Final

from gatepost.core.jsonnet.library.arguments import fitting, room
from gatepost.core.jsonnet.library.digits import decimal, fixed, general, hexadecimal, octal, scientific
from gatepost.core.jsonnet.library.directives import Directive, pieces
from gatepost.core.jsonnet.library.numbers import modulo
from gatepost.core.jsonnet.library.registry import standard
from gatepost.core.jsonnet.library.texts import char, to_string
from gatepost.core.jsonnet.objects import field_of, has_field, is_object
from gatepost.core.jsonnet.values import BUDGET, Doubt, Value, as_text, as_whole, charge, force, is_number

_FRAMES: Final = 64
"""Frames of the engine for a format whose fields are narrow; each character of a width takes two more."""
_WIDEST: Final = 200
_MOST_DIGITS: Final = 15

_NUMBERS: Final = {
    "d": decimal,
    "o": octal,
    "x": hexadecimal,
    "f": fixed,
    "e": scientific,
    "g": general,
}


@standard("a b", frames=30)
def mod(left: Value, right: Value) -> Value:
    """What is left of a number by division, or a text with values written into it."""
    return formatted(left, right) if type(left) is str else modulo(left, right)


@standard("str vals", gives="text", name="format", frames=30)
def formatted(text: Value, values: Value) -> str:
    """A text with values written into it: those of an array in turn, those of an object by name, or one."""
    found = pieces(as_text(text))
    charge(len(found))
    room(_FRAMES)
    BUDGET[0] += _FRAMES
    if is_object(values):
        parts = [piece if isinstance(piece, str) else _named(piece, values) for piece in found]
    else:
        parts = _in_turn(found, values if type(values) is list else [values])
    BUDGET[0] -= _FRAMES
    fitting(sum(map(len, parts)))
    return "".join(parts)


def _named(directive: Directive, values: Value) -> str:
    if directive.width is None or directive.given:
        raise Doubt("a width among named values")
    if directive.kind == "%":
        return _padded("%", directive, directive.width)
    if directive.key is None or not has_field(values, directive.key):
        raise Doubt("no such field")
    room(len(directive.key))
    value = field_of(values, directive.key)
    return _written(value, directive, directive.width, directive.precision)


def _in_turn(found: tuple[str | Directive, ...], values: list[Value]) -> list[str]:
    given = iter(values)
    parts = [piece if isinstance(piece, str) else _next(piece, given) for piece in found]
    for _ in given:
        raise Doubt("too many values")
    return parts


def _taken(given: Iterator[Value]) -> Value:
    for value in given:
        return force(value)
    raise Doubt("too few values")


def _next(directive: Directive, given: Iterator[Value]) -> str:
    if directive.key is not None:
        room(len(directive.key))
    width = as_whole(_taken(given)) if directive.width is None else directive.width
    precision = as_whole(_taken(given)) if directive.given else directive.precision
    if directive.kind == "%":
        return _padded("%", directive, width)
    return _written(_taken(given), directive, width, precision)


def _written(value: Value, directive: Directive, width: int, precision: int | None) -> str:
    kind = directive.kind
    if kind == "s":
        return _padded(to_string(value), directive, width)
    if kind == "c":
        return _padded(_character(value), directive, width)
    if not is_number(value):
        raise Doubt("not a number")
    if width > _WIDEST or not 0 <= (precision or 0) <= _MOST_DIGITS:
        raise Doubt("a wide number")
    room(2 * max(width, 0))
    zeros = width if directive.zeros else 0
    return _padded(_NUMBERS[kind](value, directive, zeros, precision), directive, width)


def _character(value: Value) -> str:
    return str(value) if type(value) is str and len(value) == 1 else char(value)


def _padded(text: str, directive: Directive, width: int) -> str:
    missing = width - len(text)
    if missing <= 0:
        return text
    room(2 * missing)
    return text.ljust(width) if directive.left else text.rjust(width)
