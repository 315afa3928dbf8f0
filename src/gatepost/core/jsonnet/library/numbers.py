"""Numbers: signs, rounding, powers."""

import math
from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Final

from gatepost.core.jsonnet.library.arguments import evaluated, keys_of
from gatepost.core.jsonnet.library.registry import CONSTANTS, standard
from gatepost.core.jsonnet.operators import compare, negative, remainder
from gatepost.core.jsonnet.values import MISSING, Doubt, Value, as_double, as_list, checked, is_number

_WHOLE: Final = 2.0**52
"""From here on every double is a whole number."""
_MOST_DOUBLINGS: Final = 4096

CONSTANTS["pi"] = math.pi


@standard("n", gives="number", name="abs")
def abs_(n: Value) -> int | float:
    """A number without its sign; 0 comes out as -0, as the engine has it."""
    number = as_double(n)
    return number if number > 0 else negative(number)


@standard("n", gives="number")
def sign(n: Value) -> int:
    """1, -1 or 0."""
    number = as_double(n)
    return (number > 0) - (number < 0)


@standard("a b", gives="number", name="max")
def max_(a: Value, b: Value) -> int | float:
    """The greater of two numbers."""
    one, other = as_double(a), as_double(b)
    return max(other, one)


@standard("a b", gives="number", name="min")
def min_(a: Value, b: Value) -> int | float:
    """The smaller of two numbers."""
    one, other = as_double(a), as_double(b)
    return min(other, one)


@standard("x minVal maxVal")
def clamp(x: Value, least: Value, most: Value) -> Value:
    """A value, or the bound that it is beyond."""
    if compare(x, least) < 0:
        return least
    return most if compare(x, most) > 0 else x


def _rounding(operation: Callable[[float], int]) -> Callable[[Value], int | float]:
    def rounded(x: Value) -> int | float:
        number = as_double(x)
        if type(number) is int or not -_WHOLE < number < _WHOLE:
            return number
        # A zero keeps the sign of what was rounded.
        return operation(number) or math.copysign(0.0, number)

    return rounded


def _half_away(number: float) -> int:
    whole = math.trunc(number)
    if abs(number - whole) < 0.5:
        return whole
    return whole + 1 if number > 0 else whole - 1


floor = standard("x", gives="number", name="floor")(_rounding(math.floor))
ceil = standard("x", gives="number", name="ceil")(_rounding(math.ceil))
round_ = standard("x", gives="number", name="round")(_rounding(_half_away))


@standard("x", gives="boolean", name="isInteger")
def is_integer(x: Value) -> bool:
    """Whether nothing stands behind the decimal point."""
    return float(as_double(x)).is_integer()


@standard("x", gives="boolean", name="isDecimal")
def is_decimal(x: Value) -> bool:
    """Whether something stands behind the decimal point."""
    return not float(as_double(x)).is_integer()


@standard("x", gives="boolean", name="isEven")
def is_even(x: Value) -> bool:
    """Whether the whole part of a number is even."""
    return math.trunc(as_double(x)) % 2 == 0


@standard("x", gives="boolean", name="isOdd")
def is_odd(x: Value) -> bool:
    """Whether the whole part of a number is odd."""
    return math.trunc(as_double(x)) % 2 == 1


@standard("x", gives="number")
def sqrt(x: Value) -> float:
    """The square root."""
    return math.sqrt(as_double(x))


@standard("x", gives="number")
def mantissa(x: Value) -> float:
    """What is left of a number without its power of two."""
    return math.frexp(as_double(x))[0]


@standard("x", gives="number")
def exponent(x: Value) -> int:
    """The power of two of a number."""
    return math.frexp(as_double(x))[1]


@standard("x", gives="number")
def deg2rad(x: Value) -> float:
    """Degrees as radians."""
    return checked(as_double(x) * math.pi) / 180


@standard("x", gives="number")
def rad2deg(x: Value) -> float:
    """Radians as degrees."""
    return checked(float(as_double(x)) * 180) / math.pi


@standard("x y", gives="number")
def modulo(x: Value, y: Value) -> float:
    """What is left of a number by division; the sign is the first one's."""
    return remainder(x, y)


@standard("x n", gives="number", name="pow")
def pow_(x: Value, n: Value) -> float:
    """A number to a power, which is whole or a half."""
    return checked(power(float(as_double(x)), float(as_double(n))))


def power(base: float, to: float) -> float:
    """Return a power as the engine computes it, by squaring; another way differs in the last digit."""
    if to == 0 or base == 1:
        return 1.0
    if to == 1:
        return base
    if base == 0 and to > 0:
        return base if to % 2 == 1 else 0.0
    if abs(to) == 0.5:
        return math.sqrt(base) if to > 0 else 1 / math.sqrt(base)
    if not to.is_integer() or abs(to) > _WHOLE:
        raise Doubt("a power that is not whole")
    factor, twos = _squared(base, int(abs(to)))
    return math.ldexp(factor, twos) if to > 0 else math.ldexp(1 / factor, -twos)


def _squared(base: float, to: int) -> tuple[float, int]:
    factor, twos = 1.0, 0
    square, doublings = math.frexp(base)
    while to:
        if not -_MOST_DOUBLINGS <= doublings <= _MOST_DOUBLINGS:
            raise Doubt("a power beyond the numbers")
        if to & 1:
            factor *= square
            twos += doublings
        square *= square
        doublings <<= 1
        if square < 0.5:
            square += square
            doublings -= 1
        to >>= 1
    return factor, twos


@standard("arr", gives="number", name="sum")
def sum_(arr: Value) -> float:
    """The sum of numbers, added up from the left."""
    return checked(_total(arr))


@standard("arr", gives="number")
def avg(arr: Value) -> float:
    """The mean of numbers; without any there is none."""
    return checked(_total(arr)) / len(arr)


def _total(arr: Value) -> float:
    items = evaluated(as_list(arr))
    if not all(map(is_number, items)):
        raise Doubt("not a number")
    return reduce(add, map(float, items), 0.0)


def _extreme(way: int) -> Callable[[Value, Value, Value], Value]:
    def extreme(arr: Value, key: Value, empty: Value) -> Value:
        items = as_list(arr)
        keys = keys_of(key, items)
        if not keys:
            if empty is MISSING:
                raise Doubt("nothing to choose from")
            return empty
        best = 0
        for place in range(1, len(keys)):
            if compare(keys[place], keys[best]) * way > 0:
                best = place
        return evaluated(items)[best]

    return extreme


min_array = standard("arr keyF onEmpty", optional=2, name="minArray")(_extreme(-1))
max_array = standard("arr keyF onEmpty", optional=2, name="maxArray")(_extreme(1))
