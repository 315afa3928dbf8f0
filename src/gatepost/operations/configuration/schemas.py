"""The schema part of a document."""

import re
from collections.abc import Mapping as ReadOnly
from collections.abc import Sequence
from functools import partial
from typing import TypeVar

import msgspec

from gatepost.core.filterql import compile_expression, compile_guard
from gatepost.core.filterql.calls import nearest
from gatepost.core.identity import LONGEST_IDENTIFIER
from gatepost.model.schema import EVERY_STREAM, Field, FieldType, Mapping, Schema, Stream
from gatepost.operations.configuration.declaration import (
    Declaration,
    DeclaredField,
    DeclaredMapping,
    DeclaredStream,
)
from gatepost.operations.configuration.fields import field_of
from gatepost.operations.configuration.problems import Problems
from gatepost.operations.configuration.state import Draft, Moment, State
from gatepost.operations.schemas import publish

N = TypeVar("N", Stream, Field)

_MOST_IDENTIFIERS = 1_000
_STREAM = re.compile(r"[\w.-]{1,255}")


def plan_schema(declaration: Declaration, state: State, draft: Draft, *, prune: bool) -> Schema:
    """Return the schema a document leads to, and plan its publishing when it differs from the published one."""
    old, problems = state.schema, draft.problems
    fields, mappings, ranks = {field.name: field for field in old.fields}, old.mappings, old.ranks
    blocked, limit = old.blocked, old.identifiers_limit
    streams = _merged(
        {stream.name: stream for stream in old.streams},
        _streams(declaration.streams, problems),
        "stream",
        draft,
        prune=prune and bool(declaration.streams),
    )
    if (declared := declaration.schema) is not None:
        fields = _merged(fields, _fields(declared.fields, problems), "field", draft, prune=prune)
        mappings = _mappings(declared.mappings, fields, streams, problems)
        ranks = _ranks(declared.ranks, fields, problems)
        blocked = _blocked(declared.blocked, problems)
        limit = _limit(declared.identifiers_limit, problems)
    new = Schema(
        version=old.version + 1,
        streams=tuple(streams.values()),
        fields=tuple(fields.values()),
        mappings=mappings,
        ranks=ranks,
        blocked=blocked,
        identifiers_limit=limit,
    )
    details = _differences(old, new)
    if not details:
        if declaration.streams or declared is not None:
            draft.change("unchanged", "schema", "user")
        return old
    draft.change("update" if old.version else "create", "schema", "user", details)
    draft.risks += _risks(old, new)
    draft.do(partial(_publish, new))
    return new


def _publish(schema: Schema, moment: Moment) -> None:
    published = msgspec.structs.replace(
        schema, published=moment.now, after=moment.head, since=moment.audience_time
    )
    publish(moment.tx, moment.account, published)


def _streams(declared: ReadOnly[str, DeclaredStream], problems: Problems) -> dict[str, Stream]:
    for name in declared:
        if not _STREAM.fullmatch(name):
            problems.add(f"streams.{name}", "a stream's name has letters, digits, _, - and . only")
    return {
        name: Stream(
            name=name,
            timestamp_field=stream.timestamp_field,
            event_name_field=stream.event_name_field,
            description=stream.description,
        )
        for name, stream in declared.items()
    }


def _fields(declared: ReadOnly[str, DeclaredField], problems: Problems) -> dict[str, Field]:
    fields = {}
    for name, one in declared.items():
        # What is wrong with a field is said here once; its mappings and readers shall not say that it is missing.
        fields[name] = Field(name=name, type=FieldType.NUMBER, identifier=one.identifier)
        with problems.at(f"schema.fields.{name}"):
            fields[name] = field_of(name, one)
        if one.assertions and one.assertions.filter:
            with problems.at(f"schema.fields.{name}.assertions.filter"):
                compile_guard(one.assertions.filter)
    return fields


def _mappings(
    declared: Sequence[DeclaredMapping],
    fields: ReadOnly[str, Field],
    streams: ReadOnly[str, Stream],
    problems: Problems,
) -> tuple[Mapping, ...]:
    mappings = []
    for place, one in enumerate(declared):
        path = f"schema.mappings.{place}"
        if one.field not in fields:
            problems.add(f"{path}.field", f"the schema has no field {one.field}{_meant(one.field, fields)}")
        if one.stream not in (*streams, EVERY_STREAM) and (near := nearest(one.stream, streams)):
            problems.add(f"{path}.stream", f"there is no stream {one.stream}; did you mean {near}?")
        with problems.at(f"{path}.expression"):
            compile_expression(one.expression)
        if one.guard:
            with problems.at(f"{path}.if"):
                compile_guard(one.guard)
        mappings.append(
            Mapping(stream=one.stream, field=one.field, expression=one.expression, guard=one.guard)
        )
    return tuple(mappings)


def _ranks(declared: Sequence[str], fields: ReadOnly[str, Field], problems: Problems) -> tuple[str, ...]:
    identifiers = {name: None for name, field in fields.items() if field.identifier}
    for place, name in enumerate(declared):
        if name not in identifiers:
            msg = f"{name} is not an identifier{_meant(name, identifiers)}"
            problems.add(f"schema.ranks.{place}", msg)
    # Identifiers that nobody ranked come last, in the order of their fields.
    return tuple(dict.fromkeys([*declared, *identifiers]))


def _blocked(declared: Sequence[str], problems: Problems) -> tuple[str, ...]:
    for place, value in enumerate(declared):
        if not value.strip() or len(value.encode()) > LONGEST_IDENTIFIER:
            msg = f"a value that identifies nobody has 1 to {LONGEST_IDENTIFIER} bytes"
            problems.add(f"schema.blocked.{place}", msg)
    return tuple(dict.fromkeys(declared))


def _limit(declared: int, problems: Problems) -> int:
    if not 1 <= declared <= _MOST_IDENTIFIERS:
        msg = f"a profile has 1 to {_MOST_IDENTIFIERS:,} identifiers at most, not {declared}"
        problems.add("schema.identifiers_limit", msg)
    return declared


def _merged(old: dict[str, N], new: dict[str, N], kind: str, draft: Draft, *, prune: bool) -> dict[str, N]:
    """Put declared things before those that only the published schema has, which stay unless pruned."""
    rest = {name: thing for name, thing in old.items() if name not in new}
    if prune or not rest:
        return new
    if new:
        draft.warnings.append(f"kept, though the document does not have it: {kind} {', '.join(rest)}")
    return {**new, **rest}


def _meant(name: str, known: ReadOnly[str, object]) -> str:
    near = nearest(name, known)
    return f"; did you mean {near}?" if near else ""


def _differences(old: Schema, new: Schema) -> list[str]:
    details = _compared("stream", {s.name: s for s in old.streams}, {s.name: s for s in new.streams})
    details += _compared("field", {f.name: f for f in old.fields}, {f.name: f for f in new.fields})
    if old.mappings != new.mappings:
        before, after = set(old.mappings), set(new.mappings)
        details += [f"mapping {m.stream} to {m.field} added" for m in new.mappings if m not in before]
        details += [f"mapping {m.stream} to {m.field} removed" for m in old.mappings if m not in after]
        if before == after:
            details.append("mappings reordered")
    if old.ranks != new.ranks:
        details.append(f"ranks: {', '.join(new.ranks)}")
    if set(old.blocked) != set(new.blocked):
        details.append(f"blocked: {', '.join(new.blocked) or 'nothing of your own'}")
    if old.identifiers_limit != new.identifiers_limit:
        details.append(f"identifiers of a profile: at most {new.identifiers_limit}")
    return details


def _compared(kind: str, old: ReadOnly[str, object], new: ReadOnly[str, object]) -> list[str]:
    return [
        *(f"{kind} {name} added" for name in new if name not in old),
        *(f"{kind} {name} changed" for name in new if name in old and new[name] != old[name]),
        *(f"{kind} {name} removed" for name in old if name not in new),
    ]


def _risks(old: Schema, new: Schema) -> list[str]:
    after = {field.name: field for field in new.fields}
    risks = []
    for field in old.fields:
        now = after.get(field.name)
        if now is None:
            risks.append(f"the field {field.name} disappears from every profile")
        elif now.type is not field.type:
            change = f"{field.type.value} to {now.type.value}"
            risks.append(f"the field {field.name} changes from {change}; stored values keep their old form")
        elif now.identifier != field.identifier:
            what = "begins" if now.identifier else "ceases"
            risks.append(f"the field {field.name} {what} to identify people, from the next event on")
        if now is not None and 0 < now.keep_days < (field.keep_days or now.keep_days + 1):
            older = f"what is older than {now.keep_days} days goes from every profile"
            risks.append(f"the field {field.name} keeps its values for less long; {older}")
    return risks


def changed_fields(old: Schema, new: Schema) -> set[str]:
    """Return the fields whose values a filter would now read differently."""
    before = {field.name: field.type for field in old.fields}
    after = {field.name: field.type for field in new.fields}
    return {name for name in before.keys() | after.keys() if before.get(name) is not after.get(name)}
