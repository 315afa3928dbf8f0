"""What there is to know about a function of the language."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import msgspec

from gatepost.core.filterql.values import text_of
from gatepost.model.jsonvalue import JsonValue

Kind: TypeAlias = Literal["any", "text", "number", "bool", "date", "dates", "list", "map"]
"""What a value is known to be before it is seen; a `date` parameter receives an instant."""


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """One function: how it is called, what it gives, and examples that run as tests."""

    name: str
    summary: str
    """One sentence, for the reference page."""
    shape: str = ""
    """How a function over windows is called; then there is neither `call` nor `operator`."""
    params: tuple[Kind, ...] = ()
    optional: int = 0
    """How many parameters at the end may be left out."""
    rest: bool = False
    """Whether the last parameter may repeat."""
    returns: Kind = "any"
    aliases: tuple[str, ...] = ()
    call: Callable[..., Any] | None = None
    """Takes one value per argument, None for a missing one, and gives None for no value."""
    operator: str = ""
    """For a function that is an operator in another dress; then `call` is unset."""
    takes: Literal["", "now", "event", "event and now", "now and due"] = ""
    """What `call` is given before the arguments; to `due` it adds when its answer turns by itself."""
    changes: Literal["", "hour", "day", "month", "always"] = ""
    """How often the answer changes by itself when the optional date is left out."""
    check: Callable[[int, JsonValue], str] | None = None
    """Says what is wrong with the literal at a position; empty when nothing is."""
    examples: tuple[tuple[str, JsonValue], ...] = ()

    @property
    def least(self) -> int:
        """The smallest number of arguments."""
        return len(self.params) - self.optional

    @property
    def most(self) -> int | None:
        """The largest number of arguments; None without limit."""
        return None if self.rest else len(self.params)

    def param(self, position: int) -> Kind:
        """Say what the argument at a position should be."""
        return self.params[min(position, len(self.params) - 1)] if self.params else "any"


def on_text(change: Callable[[str], JsonValue]) -> Callable[[JsonValue], JsonValue]:
    """Make a call that works on the text of a scalar and gives no value otherwise."""

    def call(value: JsonValue) -> JsonValue:
        text = text_of(value)
        return None if text is None else change(text)

    return call


def is_present(value: JsonValue) -> bool:
    """Say whether a value is there and not empty, zero or false."""
    return value is not None and value is not False and value != 0 and value not in ("", [], {}, ())
