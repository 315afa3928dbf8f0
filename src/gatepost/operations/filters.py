"""Filters against what an account has: its fields, and the audiences they may include."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from gatepost.core.builtins import BUILTIN_TYPES
from gatepost.core.filterql import (
    CompiledFilter,
    Node,
    WindowRead,
    from_ast,
    inlined,
    print_filter,
    to_ast,
    unknown_fields,
)
from gatepost.core.filterql.calls import nearest
from gatepost.core.filterql.datemath import parse_date_math
from gatepost.core.filterql.doubts import doubts
from gatepost.core.filterql.nodes import Call, Literal, Name, children, depth, walk
from gatepost.core.filterql.parser import excerpt
from gatepost.core.filterql.windowcalls import EVENT_PREFIX, window_of
from gatepost.core.plans import compile_audience, field_types, filter_texts, included_names, parsed
from gatepost.model.audience import Audience
from gatepost.model.errors import FilterError, InvalidInput
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.schema import FieldType, Schema
from gatepost.model.times import Milliseconds

_DEEPEST_JSON = 100
_DATE = re.compile(r"now[-+]\d|\d{4}-\d\d-\d\d")
"""Levels of a filter that are shown as a JSON tree, which takes two levels for each."""


class UnknownField(FilterError):
    """A filter names a field that the schema does not have."""


def stored_filter(text: str) -> str:
    """Return a filter as it is kept: as written, but its ALIAS is the audience's own affair."""
    statement = parsed(text)
    checked_table(statement.table)
    return print_filter(msgspec.structs.replace(statement, alias="")) if statement.alias else text.strip()


def filter_of(ast: JsonValue) -> str:
    """Return the text of a filter given as a JSON tree."""
    return print_filter(msgspec.structs.replace(parsed("*"), filter=from_ast(ast)))


def tree_of(text: str) -> JsonObject | None:
    """Return a filter as a JSON tree; None when it nests deeper than readers of JSON like."""
    node = parsed(text).filter
    return to_ast(node) if depth(node) <= _DEEPEST_JSON else None


class FilterFacts(msgspec.Struct, frozen=True):
    """What a filter is made of, at a glance; what it includes is not looked into."""

    fields: list[str]
    """Profile fields as written, in order of the alphabet."""
    includes: list[str]
    """Slugs or ids."""
    leans_on_now: bool
    """It holds date math, such as `now-7d`."""
    looks_ahead: bool
    """Some of it is about the future, such as `now+7d`."""


def facts_of(text: str) -> FilterFacts:
    """Return what a filter is made of."""
    nodes = list(_outside_windows(parsed(text).filter))
    texts = [node.value for node in nodes if isinstance(node, Literal) and isinstance(node.value, str)]
    points = [text for text in texts if parse_date_math(text) is not None]
    read = {node.field for node in nodes if isinstance(node, Name)}
    of_windows = {one.source for _, one in _windowed(text) if one.of_values and not one.event_field}
    return FilterFacts(
        fields=sorted(read | of_windows),
        includes=sorted(included_names(text)),
        leans_on_now=bool(points),
        looks_ahead=any("+" in point for point in points),
    )


def _outside_windows(node: Node) -> Iterator[Node]:
    """Give a tree's nodes, but for conditions on events, whose names are no profile fields."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        if not (isinstance(current, Call) and window_of(current) is not None):
            waiting.extend(children(current))


def resolved(text: str, others: Sequence[Audience]) -> str:
    """Return a filter with the filters of the audiences it includes put in their places."""
    texts = filter_texts(others)

    def include(name: str) -> Node | None:
        return parsed(texts[name]).filter if name in texts else None

    statement = parsed(text)
    return print_filter(msgspec.structs.replace(statement, filter=inlined(statement.filter, include)))


def checked_table(table: str) -> str:
    """Return the table of an audience; raise InvalidInput for any but the one there is."""
    if table != "user":
        msg = f"there is no table {table!r}; audiences are of the table user"
        raise InvalidInput(msg, path="table")
    return table


def checked_filter(
    text: str, schema: Schema, others: Sequence[Audience], *, force: bool = False
) -> CompiledFilter:
    """Compile a filter; raise FilterError at the place where it does not parse, or does not fit the account.

    With `force`, fields that the schema does not know (yet) are allowed.
    """
    if not force:
        refuse_unknown_fields(text, schema)
    return compile_audience(text, schema, filter_texts(others))


def refuse_unknown_fields(text: str, schema: Schema) -> None:
    """Raise FilterError at the first field the schema does not know, naming the known one most like it."""
    types = BUILTIN_TYPES | {field.name: field.type for field in schema.fields}
    for name, near, line, column in unknown_fields(parsed(text).filter, types):
        raise _unknown(text, name, near, types.keys() - BUILTIN_TYPES, (line, column))
    for call, window in _windowed(text):
        if window.of_values and not window.event_field:
            _check_field(text, window, types, (call.line, call.column))


def doubts_of(text: str, schema: Schema) -> list[str]:
    """Return what a filter says that is allowed and hardly meant, a sentence each."""
    streams = {stream.name for stream in schema.streams} | {mapping.stream for mapping in schema.mappings}
    return doubts(parsed(text).filter, field_types(schema), sorted(streams))


def windows_in(text: str) -> list[WindowRead]:
    """Return the windows a filter asks for itself."""
    return [window for _, window in _windowed(text)]


def new_sources(text: str, before: Iterable[Audience]) -> tuple[str, ...]:
    """Return the sources of a filter's windows that no audience kept so far, or not for so long."""
    kept: dict[str, Milliseconds] = {}
    for audience in before:
        for window in windows_in(audience.filter):
            kept[window.key] = max(window.length, kept.get(window.key, 0))
    wanted = windows_in(text)
    return tuple(dict.fromkeys(window.key for window in wanted if window.length > kept.get(window.key, 0)))


def _check_field(
    text: str, window: WindowRead, types: Mapping[str, FieldType], place: tuple[int, int]
) -> None:
    type_ = types.get(window.source)
    if type_ is None:
        near = nearest(window.source, types)
        own = f'a field of the event itself is written "{EVENT_PREFIX}{window.source}"'
        raise _unknown(text, window.source, near, types, place, own)
    if window.kind == "sum" and type_ not in (FieldType.INT, FieldType.NUMBER):
        msg = f"{window.source} is of the type {type_.value}; a sum adds up int or number"
        raise FilterError(msg, line=place[0], column=place[1], excerpt=excerpt(text, *place))


def including(audience: Audience, others: Iterable[Audience], *, directly: bool = False) -> list[Audience]:
    """Return the audiences whose filters include one, by slug or id, by way of others too unless `directly`."""
    wanted = {audience.slug, audience.id}
    waiting = {
        other.slug: (other, included_names(other.filter)) for other in others if other.slug != audience.slug
    }
    found: list[Audience] = []
    while hits := [slug for slug, (_, names) in waiting.items() if names & wanted]:
        for slug in hits:
            other, _ = waiting.pop(slug)
            found.append(other)
            if not directly:
                wanted |= {other.slug, other.id}
    return found


def _windowed(text: str) -> list[tuple[Call, WindowRead]]:
    calls = [node for node in walk(parsed(text).filter) if isinstance(node, Call)]
    return [(call, read) for call in calls if (window := window_of(call)) for read in window.reads]


def _unknown(
    text: str, name: str, near: str | None, known: Collection[str], place: tuple[int, int], own: str = ""
) -> UnknownField:
    line, column = place
    if quoted := _meant_as_text(name):
        msg = f"the schema has no field {name}; {quoted}"
        return UnknownField(msg, line=line, column=column, excerpt=excerpt(text, line, column), hint=quoted)
    hint = f"did you mean {near}?" if near else _known_fields(known)
    hint = f"{hint}; {own}" if own else hint
    msg = f"the schema has no field {name}; {hint}"
    return UnknownField(msg, line=line, column=column, excerpt=excerpt(text, line, column), hint=hint)


def _meant_as_text(name: str) -> str:
    """Return advice for what no field is ever called: a date or an address that lost its quotation marks."""
    looks_so = _DATE.match(name) or "@" in name or any(mark.isspace() for mark in name)
    return f'a text and a date stand in double quotes: "{name}"' if looks_so else ""


def _known_fields(known: Collection[str]) -> str:
    if not known:
        return "the schema has no fields yet"
    shown = sorted(known)[:8]
    rest = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    return f"there are {', '.join(shown)}{rest}"
