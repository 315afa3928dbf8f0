"""Numbers as texts of digits, to the digit as the engine's own library works them out."""

import math
from typing import Final

from gatepost.core.jsonnet.library.directives import Directive
from gatepost.core.jsonnet.library.numbers import power
from gatepost.core.jsonnet.values import MAX_INT, Doubt, Value, as_double

_USUAL: Final = 6
"""Digits behind the point where none are asked for."""
_NEAR: Final = 1e-9
"""How far from a whole number a logarithm must be to be sure of its whole part."""
_FARTHEST: Final = 300


def decimal(value: Value, directive: Directive, zeros: int, precision: int | None) -> str:
    """Return a whole number to the base of ten."""
    number = as_double(value)
    return _integer(number <= -1, str(_whole(abs(number))), directive, zeros, precision)


def octal(value: Value, directive: Directive, zeros: int, precision: int | None) -> str:
    """Return a whole number to the base of eight."""
    number = as_double(value)
    whole = _whole(abs(number))
    digits = f"{'0' if directive.alternative and whole else ''}{whole:o}"
    return _integer(number <= -1, digits, directive, zeros, precision)


def _integer(negative: bool, digits: str, directive: Directive, zeros: int, precision: int | None) -> str:
    sign = _sign(negative, directive)
    return sign + digits.rjust(max(zeros - len(sign), precision or 0), "0")


def hexadecimal(value: Value, directive: Directive, zeros: int, precision: int | None) -> str:
    """Return a whole number to the base of sixteen."""
    number = math.floor(as_double(value))
    digits = f"{_whole(abs(number)):{'X' if directive.caps else 'x'}}"
    prefix = ("0X" if directive.caps else "0x") if directive.alternative else ""
    sign = _sign(number < 0, directive)
    return sign + prefix + digits.rjust(max(zeros - len(sign + prefix), precision or 0), "0")


def fixed(value: Value, directive: Directive, zeros: int, precision: int | None) -> str:
    """Return a number with digits behind the point."""
    places = _USUAL if precision is None else precision
    return _pointed(float(as_double(value)), directive, zeros, places, trailing=True)


def scientific(value: Value, directive: Directive, zeros: int, precision: int | None) -> str:
    """Return a number with a power of ten."""
    number = float(as_double(value))
    places = _USUAL if precision is None else precision
    return _sure({_powered(number, at, directive, zeros, places, trailing=True) for at in _exponents(number)})


def general(value: Value, directive: Directive, zeros: int, precision: int | None) -> str:
    """Return a number with a power of ten where it is very large or very small."""
    number = float(as_double(value))
    places = _USUAL if precision is None else precision
    return _sure({_general(number, at, directive, zeros, places) for at in _exponents(number)})


def _sure(texts: set[str]) -> str:
    if len(texts) > 1:
        raise Doubt("the last digit of a logarithm decides")
    return texts.pop()


def _general(number: float, exponent: int, directive: Directive, zeros: int, places: int) -> str:
    trailing = directive.alternative
    if exponent < -4 or exponent >= places:
        return _powered(number, exponent, directive, zeros, places - 1, trailing=trailing)
    return _pointed(number, directive, zeros, places - max(1, exponent + 1), trailing=trailing)


def _pointed(number: float, directive: Directive, zeros: int, places: int, *, trailing: bool) -> str:
    if places < 0:
        raise Doubt("fewer than no digits")
    denominator = 10.0**places
    numerator = abs(number) * denominator + 0.5
    whole = _whole(numerator / denominator)
    # Also nothing to the right of the point leaves room for the point itself.
    point = places > 0 or directive.alternative
    text = _integer(number < 0, str(whole if number else 0), directive, zeros - places - point, None)
    if not places:
        return text + "." if point else text
    rest = _whole(math.fmod(math.floor(numerator), denominator))
    if not trailing and not rest:
        return text
    digits = str(rest).rjust(places, "0")
    return f"{text}.{digits if trailing else digits.rstrip('0')}"


def _powered(
    number: float, exponent: int, directive: Directive, zeros: int, places: int, *, trailing: bool
) -> str:
    suffix = f"{'E' if directive.caps else 'e'}{'-' if exponent < 0 else '+'}{abs(exponent):02}"
    mantissa = number / power(10.0, float(exponent))
    return _pointed(mantissa, directive, zeros - len(suffix), places, trailing=trailing) + suffix


def _exponents(number: float) -> set[int]:
    """Return the power of ten, or the two between which the last digit of the engine's logarithm decides."""
    if abs(number) == 1 or number == 0:
        return {0}
    logarithm = math.log(abs(number)) / math.log(10)
    if not -_FARTHEST < logarithm < _FARTHEST:
        raise Doubt("a number of many digits")
    return {math.floor(logarithm - _NEAR), math.floor(logarithm + _NEAR)}


def _whole(number: float) -> int:
    if number >= MAX_INT:
        raise Doubt("a number of many digits")
    return math.floor(number)


def _sign(negative: bool, directive: Directive) -> str:
    return "-" if negative else directive.lead
