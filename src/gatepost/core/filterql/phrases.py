"""Code for phrases: everything that answers true, false or cannot be evaluated.

Code is made `exact` where a missing answer (None) must be told from false, which is only below a negation;
elsewhere Python's own `and` and `or` do.
"""

from collections.abc import Callable
from functools import partial

from gatepost.core.filterql import comparisons, dates, wildcards
from gatepost.core.filterql.comparisons import MIRRORED
from gatepost.core.filterql.dates import DateTest, Read, as_instant
from gatepost.core.filterql.distincts import distinct_against
from gatepost.core.filterql.fields import Value
from gatepost.core.filterql.moving import against_number
from gatepost.core.filterql.nodes import (
    COMPARISONS,
    Call,
    Everything,
    Include,
    ListOf,
    Literal,
    Node,
    Operation,
    at,
)
from gatepost.core.filterql.operands import Operands
from gatepost.core.filterql.source import PARAMETERS, Code, Source
from gatepost.core.filterql.values import NUMBERS
from gatepost.core.filterql.windowcalls import WindowCall
from gatepost.core.timestamps import parse_time
from gatepost.model.jsonvalue import JsonValue

_SIGNS = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_DATES = frozenset({"date", "dates"})


class Phrases:
    """Makes code for phrases."""

    def __init__(self, operands: Operands, includes: dict[str, str]) -> None:
        self._operands = operands
        self._source: Source = operands.source
        self._includes = includes
        """Audience -> the generated code that answers for it."""
        self._logic = {"and": self._joined, "or": self._joined, "not": self._negated}
        self._tests: dict[str, Callable[[Operation], Code]] = {
            **dict.fromkeys(COMPARISONS, self._comparison),
            **dict.fromkeys(("in", "intersects"), self._membership),
            **dict.fromkeys(("contains", "like"), self._text_test),
            "between": self._between,
            "exists": self._existence,
        }
        # Every Python frame per level counts against the limit on recursion, so no wrapper here.
        operands.answer = partial(self.phrase, exact=True)

    def phrase(self, node: Node, *, exact: bool) -> Code:
        """Make the code for a phrase."""
        if isinstance(node, Operation) and node.op in self._logic:
            return self._logic[node.op](node, exact=exact)
        if isinstance(node, Operation) and node.op in self._tests:
            return self._tests[node.op](node)
        if isinstance(node, Everything):
            return Code("True", total=True)
        return self._include(node) if isinstance(node, Include) else self._truth(node)

    def _joined(self, node: Operation, *, exact: bool) -> Code:
        parts = list(map(partial(self.phrase, exact=exact), node.args))
        if not parts:
            return Code(str(node.op == "and"), total=True)
        total = all(part.total for part in parts)
        level = 1 + max(part.level for part in parts)
        if exact and not total:
            listed = "".join(f"{part.text}, " for part in parts)
            join = comparisons.all_of if node.op == "and" else comparisons.any_of
            return self._source.flat(Code(f"{self._source.constant(join)}(({listed}))", level=level + 1))
        return self._source.flat(Code(f"({f' {node.op} '.join(part.text for part in parts)})", total, level))

    def _existence(self, node: Operation) -> Code:
        value = self._operands.value(node.args[0]).code
        return self._source.flat(Code(f"({value.text} is not None)", total=True, level=value.level + 1))

    def _negated(self, node: Operation, *, exact: bool) -> Code:
        code = self.phrase(node.args[0], exact=True)
        if code.total:
            return self._source.flat(Code(f"(not {code.text})", total=True, level=code.level + 1))
        if exact:
            return self._operands.applied(comparisons.opposite, code)
        return self._source.flat(Code(f"({code.text} is False)", total=True, level=code.level + 1))

    def _include(self, node: Include) -> Code:
        if node.audience not in self._includes:
            raise at(node, "INCLUDE belongs in filters, not in a mapping or a condition")
        return Code(self._includes[node.audience], total=True, level=1)

    def _truth(self, node: Node) -> Code:
        if isinstance(node, Literal) and isinstance(node.value, bool):
            return Code(str(node.value), total=True)
        value = self._operands.value(node)
        if value.kind == "bool" and isinstance(node, Call):
            return value.code
        return self._operands.applied(comparisons.truth, value.code)

    def _comparison(self, node: Operation) -> Code:
        op, (left, right) = node.op, node.args
        point = self._operands.point
        if (isinstance(left, Literal) and not isinstance(right, Literal)) or (
            point(left) and not point(right)
        ):
            op, left, right = MIRRORED[op], right, left
        window = self._operands.numeric_window(left)
        number = right.value if isinstance(right, Literal) else None
        if window is not None and isinstance(number, int | float) and not isinstance(number, bool):
            return self._window_test(window, op, number)
        value = self._operands.value(left)
        date_test = self._date_test(op, value, right)
        if date_test is not None:
            return self._dated(date_test, value)
        if isinstance(right, Literal):
            return self._against_literal(op, value, right.value)
        other = self._operands.value(right)
        if _DATES & {value.kind, other.kind}:
            test = partial(dates.against_date, op, (_reader(value), _reader(other)))
            return self._operands.applied(test, value.code, other.code)
        return self._operands.applied(partial(comparisons.compare, op), value.code, other.code)

    def _window_test(self, window: WindowCall, op: str, number: float) -> Code:
        made = distinct_against if window.function == "distinct" else against_number
        test = self._source.constant(made(window, op, number))
        return Code(f"{test}({self._operands.entries(window)})", total=True, level=1)

    def _against_literal(self, op: str, value: Value, literal: JsonValue) -> Code:
        test = comparisons.comparison(op, literal)
        if isinstance(literal, str) and op in {"=", "!="} and value.kind in {"text", "any"}:
            return self._shortcut(
                value, f"{{held}} {_SIGNS[op]} {self._source.constant(literal)}", "is str", test
            )
        if literal.__class__ in NUMBERS and value.kind in {"number", "any"}:
            classes = self._source.constant(NUMBERS)
            sign = f"{{held}} {_SIGNS[op]} {self._source.constant(literal)}"
            return self._shortcut(value, sign, f"in {classes}", test)
        return self._operands.applied(test, value.code)

    def _shortcut(self, value: Value, answer: str, classes: str, test: comparisons.Test) -> Code:
        """Answer inline for the expected class of value; everything else takes the general way."""
        held = self._source.fresh("t")
        quick = answer.format(held=held)
        general = f"{self._source.constant(test)}({held})"
        text = f"({quick} if ({held} := {value.code.text}).__class__ {classes} else {general})"
        return self._source.flat(Code(text, level=value.code.level + 2))

    def _date_test(self, op: str, value: Value, right: Node) -> DateTest | None:
        """Make the test against date math or, for a date field, any literal; None for other sides."""
        point = self._operands.point(right)
        literal = right.value if isinstance(right, Literal) else None
        if point is None and (value.kind not in _DATES or literal is None):
            return None
        inner = "=" if op == "!=" and value.kind != "date" else op
        if point is not None:
            self._operands.timed = True
            test = dates.against_date_math(inner, point, _reader(value))
            if isinstance(literal, str) and op in {"=", "!="} and value.kind in {"text", "any"}:
                test = dates.or_same_text(test, literal)
        elif isinstance(literal, str) and literal.startswith("now"):
            hint = "write now, or now with + or -, a whole number and one of y M w d h m s: now-3d"
            raise at(right, f'"{literal}" is no date math', hint)
        else:
            test = dates.against_instant(inner, parse_time(literal), _reader(value))
        return test if value.kind == "date" else dates.any_element(op, test)

    def _dated(self, test: DateTest, value: Value) -> Code:
        text = f"{self._source.constant(test)}({value.code.text}, now, due)"
        return self._source.flat(Code(text, level=value.code.level + 1))

    def _between(self, node: Operation) -> Code:
        value_node, low_node, high_node = node.args
        window = self._operands.numeric_window(value_node)
        if window is not None and isinstance(low_node, Literal) and isinstance(high_node, Literal):
            both = Operation(
                "and", (Operation(">", (value_node, low_node)), Operation("<", (value_node, high_node)))
            )
            return self._joined(both, exact=True)
        value = self._operands.value(value_node)
        dated = value.kind in _DATES or any(map(self._operands.point, (low_node, high_node)))
        low = self._date_test_of_bound(">", value, low_node, dated=dated)
        high = self._date_test_of_bound("<", value, high_node, dated=dated)
        if low is not None and high is not None:
            return self._dated(dates.between_dates(low, high), value)
        bounds = [self._operands.value(low_node), self._operands.value(high_node)]
        if _DATES & {value.kind, bounds[0].kind, bounds[1].kind}:
            reads = tuple(_reader(part) for part in (value, *bounds))
            test = dates.between_read(reads)
        else:
            test = comparisons.between
        return self._operands.applied(test, value.code, *[bound.code for bound in bounds])

    def _date_test_of_bound(self, op: str, value: Value, bound: Node, *, dated: bool) -> DateTest | None:
        # Lists are spread by the test between both bounds, so each bound sees a single date.
        return self._date_test(op, Value(value.code, "date" if dated else value.kind), bound)

    def _membership(self, node: Operation) -> Code:
        left, right = node.args
        choices = right.items if isinstance(right, ListOf) else (right,)
        value = self._operands.value(left)
        if value.kind in _DATES and all(isinstance(choice, Literal) for choice in choices):
            same = tuple(Operation("=", (left, choice)) for choice in choices)
            return self._joined(Operation("or", same), exact=True)
        if all(isinstance(choice, Literal) for choice in choices):
            test = comparisons.membership([one.value for one in choices if isinstance(one, Literal)])
            return self._operands.applied(test, value.code, total=True)
        wanted = self._operands.value(right)
        if _DATES & {value.kind, wanted.kind}:
            test = partial(dates.among_dates, (_reader(value), _reader(wanted)))
            return self._operands.applied(test, value.code, wanted.code, total=True)
        return self._operands.applied(comparisons.among_value, value.code, wanted.code, total=True)

    def _text_test(self, node: Operation) -> Code:
        op, (left, right) = node.op, node.args
        value = self._operands.text(left)
        if isinstance(right, Literal) and isinstance(right.value, str) and right.value:
            wanted = right.value
            if op == "like" and len(wanted) > wildcards.LONGEST:
                raise at(
                    right, f"a LIKE pattern has at most {wildcards.LONGEST} characters, found {len(wanted)}"
                )
            if op == "like":
                fits = self._source.constant(wildcards.matcher(wanted))
                return self._shortcut(value, f"{fits}({{held}})", "is str", comparisons.likeness(wanted))
            part = self._source.constant(wanted)
            return self._shortcut(value, f"{part} in {{held}}", "is str", comparisons.containment(wanted))
        general = comparisons.contains if op == "contains" else comparisons.like
        return self._operands.applied(general, value.code, self._operands.value(right).code)


def _reader(value: Value) -> Read:
    return as_instant if value.kind in _DATES else parse_time


def include_call(name: str, *, shared: str) -> str:
    """Make the code that answers for an included filter, once per evaluation when it is shared."""
    if shared:
        return f"{shared}(memo, {name}, {PARAMETERS})"
    return f"({name}({PARAMETERS}) is True)"
