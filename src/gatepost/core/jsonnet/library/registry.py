"""The functions of the standard library that compiled templates may call."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from gatepost.core.jsonnet.values import MISSING, Function, Value, force

Call = TypeVar("Call", bound=Callable[..., Value])


class Builtin(msgspec.Struct, frozen=True):
    """A function of `std`: called with every argument, evaluated unless its place is among the lazy ones."""

    call: Callable[..., Value]
    params: tuple[str, ...]
    optional: int = 0
    """How many of the last parameters may be left out; MISSING stands for them."""
    lazy: frozenset[int] = frozenset()
    gives: str = ""
    """What the result is for sure: text, boolean, number, texts (an array of them) or numbers."""
    frames: int = 12
    """How far below the call the engine may evaluate an argument, in frames."""


BUILTINS: Final[dict[str, Builtin]] = {}
"""By name."""

CONSTANTS: Final[dict[str, float]] = {}
"""The numbers among the fields of `std`, by name."""


def standard(
    params: str,
    *,
    optional: int = 0,
    lazy: tuple[int, ...] = (),
    gives: str = "",
    name: str = "",
    frames: int = 12,
) -> Callable[[Call], Call]:
    """Register a function of the standard library; `params` are its documented names, a space between them."""

    def register(call: Call) -> Call:
        BUILTINS[name or call.__name__] = Builtin(
            call, tuple(params.split()), optional, frozenset(lazy), gives, frames
        )
        return call

    return register


class FunctionValues(dict[str, Function]):
    """The standard library's functions as values, made when one is asked for."""

    def __missing__(self, name: str) -> Function:
        builtin = BUILTINS[name]

        def call(*args: Any) -> Value:
            given = [
                value if at in builtin.lazy or value is MISSING else force(value)
                for at, value in enumerate(args)
            ]
            return builtin.call(*given)

        count = len(builtin.params)
        optional = tuple(at >= count - builtin.optional for at in range(count))
        made = self[name] = Function(call, builtin.params, optional)
        return made
