"""Runs cases: the one way they are judged, for the command and for our own tests."""

import msgspec

from gatepost.core.filterql.cases import Answered, Case
from gatepost.core.filterql.compiler import CompiledFilter, Verdict, compile_filter
from gatepost.core.filterql.includes import included
from gatepost.core.filterql.nodes import Node, Operation, walk
from gatepost.core.filterql.parser import explained, parse_filter
from gatepost.core.filterql.values import is_list
from gatepost.core.timestamps import parse_time
from gatepost.model.errors import FilterError
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import Instant, to_rfc3339

_BOUNDED = frozenset({"<", "<=", ">", ">=", "between"})


class Trial(msgspec.Struct, frozen=True):
    """What a case came to."""

    case: Case
    got: Answered
    next_change: Instant | None = None
    message: str = ""
    """What is wrong with the filter, or with the case's own values; empty when it ran."""
    soonest: Instant | None = None
    """The earliest boundary among all date comparisons of the filter, whether the answer leant on them or not."""

    @property
    def passed(self) -> bool:
        """Whether the answer is one the case takes, and so is the instant of the next change.

        Gatepost looks only at the parts that decide an answer, so it may name a later instant than an engine
        that looks at every date in the filter; a case written for either passes.
        """
        if self.got not in self.case.accepted:
            return False
        wanted = self.case.next_change
        return wanted is msgspec.UNSET or self.got == "error" or wanted in (self.next_change, self.soonest)


def tried(case: Case) -> Trial:
    """Run a case; nothing a case can hold makes this raise."""
    try:
        fields = {name: _stored(name, value, case.types.get(name)) for name, value in case.context.items()}
        node = parse_filter(case.filter).filter
        verdict = _compiled(case, node).evaluate(fields, {}, case.now)
        return Trial(case, verdict.matches, verdict.next_change, soonest=_soonest(case, node, fields))
    except FilterError as error:
        explained(error, case.filter)
        place = f"line {error.line}, column {error.column}: " if error.line else ""
        return Trial(case, "error", message=f"{place}{error.message}")


def _compiled(case: Case, node: Node) -> CompiledFilter:
    return compile_filter(node, case.types, lambda slug: _include(case, slug))


def _include(case: Case, slug: str) -> Node | None:
    text = case.includes.get(slug)
    return None if text is None else parse_filter(text).filter


def _soonest(case: Case, node: Node, fields: dict[str, JsonValue]) -> Instant | None:
    if case.next_change is msgspec.UNSET:
        return None
    filters = (node, *included(node, lambda slug: _include(case, slug)).values())
    terms = [one for filter_ in filters for one in walk(filter_) if _has_boundary(one)]
    verdicts: list[Verdict] = [_compiled(case, term).evaluate(fields, {}, case.now) for term in terms]
    return min((one.next_change for one in verdicts if one.next_change is not None), default=None)


def _has_boundary(node: Node) -> bool:
    return isinstance(node, Operation) and node.op in _BOUNDED


def _stored(name: str, value: JsonValue, type_: str | None) -> JsonValue:
    """Turn a value of a case into what a profile holds: times become instants."""
    if type_ == "date":
        return _instant(name, value)
    if type_ == "[]time" and is_list(value):
        return [_instant(name, item) for item in value]
    if type_ == "map[string]time" and isinstance(value, dict):
        return {key: _instant(f"{name}.{key}", item) for key, item in value.items()}
    return value


def _instant(name: str, value: JsonValue) -> Instant | None:
    instant = parse_time(value)
    if instant is None and value is not None:
        example = to_rfc3339(0)
        msg = f"the context's {name} is no time, though types say so; write one such as {example}"
        raise FilterError(msg)
    return instant
