"""Code for values: literals, fields, calls and arithmetic."""

from collections.abc import Callable

from gatepost.core.filterql import comparisons
from gatepost.core.filterql.calls import function_of
from gatepost.core.filterql.datemath import DateMath, parse_date_math
from gatepost.core.filterql.dates import clock_tick
from gatepost.core.filterql.fields import Names, Value
from gatepost.core.filterql.functions import Function, Kind
from gatepost.core.filterql.nodes import Call, ListOf, Literal, Name, Node, Operation, at
from gatepost.core.filterql.source import Code, Source
from gatepost.core.filterql.windowcalls import WindowCall, WindowRead, window_of
from gatepost.core.filterql.windowvalues import MADE
from gatepost.core.timestamps import parse_time
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import to_rfc3339

ARITHMETIC = frozenset({"+", "-", "*", "/", "%"})


_GIVEN = {
    "": [],
    "now": [Code("now")],
    "event": [Code("windows")],
    "event and now": [Code("windows"), Code("now")],
    "now and due": [Code("now"), Code("due")],
}


class Operands:
    """Makes code for values; what it meets on the way is noted for the compiled filter."""

    def __init__(self, names: Names, source: Source, *, of_profile: bool) -> None:
        self.names = names
        self.source = source
        self.of_profile = of_profile
        self.windows: set[WindowRead] = set()
        self.timed = False
        self.answer: Callable[[Node], Code]
        """Makes code for a phrase that stands where a value should; set by the compiler."""

    def value(self, node: Node) -> Value:
        """Make the code for one value."""
        match node:
            case Literal(value=literal):
                return Value(Code(self.source.constant(literal)), literal_kind(literal))
            case Name():
                return self.names.read(node, self.source)
            case Call():
                return self._call(node)
            case ListOf(items=items):
                return self._list(items)
            case Operation(op=op) if op in ARITHMETIC or op == "neg":
                return self._arithmetic(node)
            case _:
                return Value(self.answer(node), "bool")

    def text(self, node: Node) -> Value:
        """Make the code for one value that is read as text; a date is read as it is shown outside."""
        value = self.value(node)
        return Value(self.applied(printed, value.code)) if value.kind == "date" else value

    def point(self, node: Node) -> DateMath | None:
        """Read a node that means a point relative to now; None for any other."""
        match node:
            case Literal(value=str(text)):
                return parse_date_math(text)
            case Call(function="now" | "epochms", args=()):
                return DateMath()
            case Call(function="todate", args=(Literal(value=str(text)),)):
                return parse_date_math(text)
            case _:
                return None

    def numeric_window(self, node: Node) -> WindowCall | None:
        """Read a call over a window that gives a number, and note it; None for any other node."""
        window = self._window(node)
        return window if window and MADE[window.function][0] == "number" else None

    def _window(self, node: Node) -> WindowCall | None:
        window = window_of(node) if isinstance(node, Call) else None
        if window is None:
            return None
        if not self.of_profile:
            raise at(
                node, f"windows such as {window.function} belong in filters, not in a mapping or condition"
            )
        self.windows.update(window.reads)
        self.timed = True
        return window

    def entries(self, window: WindowCall) -> str:
        """Make the code that hands over the entries of a window's sources, the time and the list of flips."""
        read = "".join(f"windows.get({self.source.constant(one.key)}, ()), " for one in window.reads)
        return f"{read}now, due"

    def applied(self, function: Callable[..., object], *args: Code, total: bool = False) -> Code:
        """Make the code that applies one of our functions."""
        text = f"{self.source.constant(function)}({', '.join(arg.text for arg in args)})"
        level = 1 + max((arg.level for arg in args), default=0)
        return self.source.flat(Code(text, total, level))

    def _list(self, items: tuple[Node, ...]) -> Value:
        if all(isinstance(item, Literal) for item in items):
            held = [item.value for item in items if isinstance(item, Literal)]
            return Value(Code(self.source.constant(held)), "list")
        return Value(self.applied(_listed, *[self.value(item).code for item in items]), "list")

    def _arithmetic(self, node: Operation) -> Value:
        parts = list(map(self.value, node.args))
        operate = comparisons.negative if node.op == "neg" else comparisons.arithmetic(node.op)
        return Value(self.applied(operate, *[part.code for part in parts]), "number")

    def _call(self, call: Call) -> Value:
        window = self._window(call)
        if window is not None:
            kind, made = MADE[window.function]
            text = f"{self.source.constant(made(window))}({self.entries(window)})"
            return Value(Code(text, total=kind != "date", level=1), kind)
        function = function_of(call)
        if function.operator:
            return Value(self.answer(Operation(function.operator, call.args, call.line, call.column)), "bool")
        args, kinds = [], set()
        for position, arg in enumerate(call.args):
            value = self.value(arg)
            kinds.add(value.kind)
            args.append(self._fitted(value, function, position))
        # Choosing among dates gives a date, though the function itself works on anything.
        returns = "date" if function.returns == "any" and kinds == {"date"} else function.returns
        return Value(self._with_time(call, function, args), returns)

    def _fitted(self, value: Value, function: Function, position: int) -> Code:
        wanted = function.param(position)
        if wanted == "date" and value.kind != "date":
            return self.applied(parse_time, value.code)
        if wanted == "text" and value.kind == "date":
            return self.applied(printed, value.code)
        return value.code

    def _with_time(self, call: Call, function: Function, args: list[Code]) -> Code:
        if function.call is None:  # pragma: no cover - a record has a call or an operator
            raise at(call, f"{call.function} cannot be called")
        given = _GIVEN[function.takes]
        code = self.applied(function.call, *given, *args)
        self.timed = self.timed or function.takes == "now and due"
        gets_date = function.optional > 0 and len(args) == len(function.params)
        if not self.of_profile or not function.changes or gets_date:
            return code
        if function.changes == "always":
            if function.takes.startswith("event"):
                raise at(call, f"{call.function} reads a whole event, so it belongs in a mapping")
            hint = 'such as created > "now-7d"'
            raise at(call, f"{call.function}() in a filter may only be compared with a date field", hint)
        self.timed = True
        tick = self.source.constant(clock_tick(function.changes))
        return self.source.flat(Code(f"({tick}(now, due), {code.text})[1]", level=code.level + 1))


def literal_kind(value: JsonValue) -> Kind:
    """Say what a literal is."""
    if isinstance(value, bool):
        return "bool"
    return "text" if isinstance(value, str) else "number" if isinstance(value, int | float) else "any"


def _listed(*values: JsonValue) -> list[JsonValue]:
    return list(values)


def printed(instant: JsonValue) -> JsonValue:
    """Print an instant as it is shown outside; anything else stays as it is."""
    return to_rfc3339(instant) if instant.__class__ is int else instant
