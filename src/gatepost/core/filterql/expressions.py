"""Expressions and guards of mappings: what an event contributes to a profile."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from gatepost.core.filterql.fields import EventNames, field_name
from gatepost.core.filterql.nodes import Call, Name, Node
from gatepost.core.filterql.operands import Operands
from gatepost.core.filterql.parser import explained, parse_filter, parse_phrase
from gatepost.core.filterql.phrases import Phrases
from gatepost.core.filterql.source import Source
from gatepost.model.errors import FilterError
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import Instant

Event: TypeAlias = Mapping[str, JsonValue]
_OF_INSTANTS = frozenset({"epochms", "maptime"})
"""Functions whose numbers are instants, though what they give is no date by its kind."""
Guard: TypeAlias = Callable[[Event, Instant], bool]


class CompiledExpression(msgspec.Struct, frozen=True):
    """An expression ready to run on events; `now` is the event's time."""

    reads: frozenset[str]
    """Event fields the value depends on."""
    name: str | None
    """The event field when the expression is just that."""
    evaluate: Callable[[Event, Instant], JsonValue]
    """Gives the value, dates as instants; None means the event contributes nothing."""
    instants: bool = False
    """Whole numbers it gives are instants, whatever their size."""


def compile_expression(text: str) -> CompiledExpression:
    """Compile the expression of a mapping, such as `email(mail)`."""
    node = parse_phrase(text)
    names, source = EventNames(), Source()
    try:
        value = _operands(names, source).value(node)
    except FilterError as error:
        raise explained(error, text) from None
    name = field_name(node) if isinstance(node, Name) else None
    instants = value.kind in {"date", "dates"} or (isinstance(node, Call) and node.function in _OF_INSTANTS)
    built = _built(source, f"return {value.code.text}")
    return CompiledExpression(frozenset(names.reads), name, built, instants)


def compile_guard(text: str) -> Guard:
    """Compile a condition on an event, such as `event = "purchase"`; what cannot be evaluated is false."""
    try:
        return compile_condition(parse_filter(text).filter)
    except FilterError as error:
        raise explained(error, text) from None


def compile_condition(node: Node) -> Guard:
    """Compile a condition on an event that is read already."""
    source = Source()
    answer = Phrases(_operands(EventNames(), source), {}).phrase(node, exact=False).text
    return _built(source, f"return ({answer}) is True")


def _operands(names: EventNames, source: Source) -> Operands:
    operands = Operands(names, source, of_profile=False)
    # Phrases may stand inside values, so values know the way to them.
    Phrases(operands, {})
    return operands


def _built(source: Source, last: str) -> Callable[[Event, Instant], Any]:
    # Generated code calls its second source of data `windows`; for an event that is the event itself.
    source.define("evaluate", "windows, now", ("get = windows.get", "due = []", "memo = None", last))
    return source.built("evaluate")
