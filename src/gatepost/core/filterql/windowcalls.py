"""Reads calls over windows: what they ask of a profile's past, and on which events."""

import hashlib
from collections.abc import Sequence
from typing import Literal as OneOf
from typing import TypeAlias

import msgspec

from gatepost.core.filterql.nodes import Call, Literal, Name, Node, at
from gatepost.core.filterql.printer import print_filter
from gatepost.model.times import Milliseconds, format_duration, parse_duration

FOREVER: Milliseconds = 1 << 53
"""Longer than any profile lives."""

EVENT_PREFIX = "event."
"""Stands before a field of the event itself where a profile field could be meant."""

_SourceKind: TypeAlias = OneOf["count", "sum", "distinct", "first", "last", "times"]
_OVER_LENGTH = {"count": "stream or event", "sum": "field", "distinct": "field"}
_MOMENTS = {"first", "last"}
_ORDERS = {"sequence", "abandoned"}


class WindowRead(msgspec.Struct, frozen=True):
    """One source in a profile's recent past that a filter reads."""

    kind: _SourceKind
    source: str
    """The name of a stream or event; for a sum or distinct a field."""
    length: Milliseconds
    condition: str = ""
    """What must hold of the event, as canonical FilterQL; empty when nothing must."""

    @property
    def key(self) -> str:
        """Where its entries arrive; windows of different lengths share them."""
        if not self.condition:
            return f"{self.kind}:{self.source}"
        # Every profile stores its keys, so a long condition is kept short.
        digest = hashlib.blake2b(self.condition.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        return f"{self.kind}:{self.source}#{digest}"

    @property
    def of_values(self) -> bool:
        """Whether the source is a field, not a stream or event."""
        return self.kind in {"sum", "distinct"}

    @property
    def event_field(self) -> str:
        """The field of the event itself; empty when the source is anything else."""
        named = self.of_values and self.source.startswith(EVENT_PREFIX)
        return self.source.removeprefix(EVENT_PREFIX) if named else ""

    def __str__(self) -> str:
        ends = f", {self.condition}" if self.condition else ""
        if self.length >= FOREVER:
            return f'{self.kind}("{self.source}"{ends})'
        return f'{self.kind}("{self.source}", "{format_duration(self.length)}"{ends})'


class WindowCall(msgspec.Struct, frozen=True):
    """A call over windows, read."""

    function: str
    reads: tuple[WindowRead, ...]
    conditions: tuple[Node, ...] = ()
    """As written, so that an error can point into them."""
    length: Milliseconds = FOREVER
    within: Milliseconds = 0
    """How far the second event may lie behind the first."""


def window_of(call: Call) -> WindowCall | None:
    """Read a call such as `count("purchase", "7d", total > 20)`; None for one that has nothing to do with windows."""
    name, args = call.function, call.args
    if name in _ORDERS:
        return _of_two(call)
    if name in _MOMENTS:
        return _moment(call)
    # Without a length, count and sum are functions of plain values.
    if name == "distinct" or (name == "count" and len(args) > 1) or (name == "sum" and _has_length(args)):
        return _over_length(call)
    return None


def _over_length(call: Call) -> WindowCall:
    kind = _OVER_LENGTH[call.function]
    if not 2 <= len(call.args) <= 3:
        shape = f"the name of a {kind}, a length and, if you like, a condition on the event"
        raise at(call, f"{call.function} over a window takes {shape}; found {arguments(len(call.args))}")
    source, length, *conditions = call.args
    return _one(call, _source(call, source, kind), _length(call, length), conditions)


def _moment(call: Call) -> WindowCall:
    if not 1 <= len(call.args) <= 2:
        shape = "the name of a stream or event and, if you like, a condition on it"
        raise at(call, f"{call.function} takes {shape}; found {arguments(len(call.args))}")
    source, *conditions = call.args
    return _one(call, _source(call, source, "stream or event"), FOREVER, conditions)


def _one(call: Call, source: str, length: Milliseconds, conditions: Sequence[Node]) -> WindowCall:
    printed = "".join(map(_condition, conditions))
    kind: _SourceKind = call.function  # type: ignore[assignment]  # these functions are called like what they keep
    return WindowCall(call.function, (WindowRead(kind, source, length, printed),), tuple(conditions), length)


def _of_two(call: Call) -> WindowCall:
    waiting = list(call.args)
    steps: list[tuple[str, str]] = []
    conditions: list[Node] = []
    for _ in range(2):
        name, condition = _step(call, waiting)
        steps.append((name, _condition(condition) if condition else ""))
        conditions += [condition] if condition else []
    if len(waiting) != 2:
        raise at(waiting[0] if waiting else call, _shape(call))
    within, length = (_length(call, one) for one in waiting)
    if call.function == "sequence":
        # A first event matters for as long as one that followed it in time may be inside.
        reads = (_read("times", steps[0], within + length), _read("times", steps[1], length))
    else:
        reads = (_read("last", steps[0], within + length), _read("last", steps[1], within + length))
    return WindowCall(call.function, reads, tuple(conditions), length, within)


def _read(kind: _SourceKind, step: tuple[str, str], keep: Milliseconds) -> WindowRead:
    name, condition = step
    return WindowRead(kind, name, keep, condition)


def _step(call: Call, waiting: list[Node]) -> tuple[str, Node | None]:
    """Take the next event and the condition on it off the arguments."""
    name = waiting.pop(0) if waiting else call
    if not isinstance(name, Literal) or not isinstance(name.value, str) or not name.value:
        raise at(name, _shape(call))
    has_condition = bool(waiting) and not isinstance(waiting[0], Literal)
    return name.value, waiting.pop(0) if has_condition else None


def _shape(call: Call) -> str:
    example = f'{call.function}("cart", "purchase", "1h", "7d")'
    return (
        f"{call.function} takes two names in quotes, each with or without a condition, "
        f"and two lengths, such as {example}"
    )


def _source(call: Call, source: Node, kind: str) -> str:
    if isinstance(source, Literal) and isinstance(source.value, str) and source.value:
        return source.value
    if isinstance(source, Name) and source.key is None:
        return source.field
    over = "" if call.function in _MOMENTS else " over a window"
    raise at(source, f"{call.function}{over} takes the name of a {kind} in quotes")


def _condition(node: Node) -> str:
    if isinstance(node, Literal):
        raise at(node, "a condition compares the event's own fields, such as total > 20")
    return print_filter(node)


def _length(call: Call, node: Node) -> Milliseconds:
    if not isinstance(node, Literal) or not isinstance(node.value, str):
        raise at(node, f'{call.function} over a window takes its length in quotes, such as "7d"')
    try:
        length = parse_duration(node.value)
    except ValueError as error:
        raise at(node, str(error)) from None
    if length <= 0:
        raise at(node, "a window must be longer than nothing")
    if length >= FOREVER:
        raise at(node, "a window must be shorter than that")
    return length


def _has_length(args: Sequence[Node]) -> bool:
    length = args[1] if len(args) > 1 else None
    if not isinstance(length, Literal) or not isinstance(length.value, str):
        return False
    try:
        return parse_duration(length.value) >= 0
    except ValueError:
        return False


def arguments(number: int) -> str:
    """Say a number of arguments in words."""
    return "no arguments" if number == 0 else "1 argument" if number == 1 else f"{number} arguments"
