"""Where the value of a field comes from: the events and mappings that gave it.

A field of which one event decides (`latest`, `oldest`, `min`, `max`, a single identifier) has one origin. Sums,
counts, sets and maps are made of many: the latest are named, and all are counted.
"""

from collections.abc import Iterable, Iterator

import msgspec
import orjson

from gatepost.core.events import flatten
from gatepost.core.plans import AccountPlan, MappingPlan, StreamPlan
from gatepost.core.refolding import Refolded
from gatepost.core.versions import Versions
from gatepost.core.writing import KIND, read_writing
from gatepost.model.event import Event
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.profile import Profile
from gatepost.model.schema import Field, FieldType, Mapping, MergeOperator

BY_HAND = "written by hand"
"""Stands for the expression of a mapping where a value came through the attribute routes."""
MOST_EVENTS = 5
"""Events named for a field that is made of many."""

_ONE = frozenset({MergeOperator.LATEST, MergeOperator.OLDEST, MergeOperator.MIN, MergeOperator.MAX})


class Origin(msgspec.Struct, frozen=True):
    """What one event gave to a field."""

    event: Event
    mapping: Mapping
    value: JsonValue


class FieldSource(msgspec.Struct, kw_only=True):
    """How a field came to its value."""

    field: str
    operator: str
    """The merge operator; `identifier` for a field that identifies."""
    value: JsonValue
    """As stored."""
    type: str
    events: int = 0
    """How many events the value is made of; of those that are kept."""
    origins: list[Origin] = []
    """The one that decided, or the latest of many, newest first."""


def field_sources(versions: Versions, stored: Profile, history: Iterable[Refolded]) -> dict[str, FieldSource]:
    """Return the source of each field of a stored profile; `history` is the same profile refolded."""
    found = {
        name: FieldSource(
            field=name,
            operator="identifier" if field.identifier else field.merge.value,
            value=stored.fields[name],
            type=field.type.value,
        )
        for name, field in versions.current.fields.items()
        if name in stored.fields
    }
    for step in history:
        if step.changed is not None and step.event is not None:
            plan = versions.folding(step.event.id)
            if step.event.kind == KIND:
                _write(found, plan, step)
                continue
            for origin in _given(plan, step.event):
                _note(found, plan.fields[origin.mapping.field], origin, step)
    return found


def _write(found: dict[str, FieldSource], plan: AccountPlan, step: Refolded) -> None:
    """Note what was written by hand: nothing from before stays of a field that was emptied."""
    assert step.event is not None
    writing = read_writing(plan, step.event)
    for name in writing.cleared & found.keys():
        found[name].events, found[name].origins = 0, []
    for field, value in writing.values:
        mapping = Mapping(stream=step.event.stream, field=field.name, expression=BY_HAND)
        origin = Origin(step.event, mapping, value)
        if field.name in writing.cleared and field.name in found:
            found[field.name].events, found[field.name].origins = 1, [origin]
        else:
            _note(found, field, origin, step)


def _note(found: dict[str, FieldSource], field: Field, origin: Origin, step: Refolded) -> None:
    source = found.get(field.name)
    if source is None:
        return
    if not _decided_by_one(field):
        if not field.identifier or _leads_on(origin, step):
            source.events += 1
            source.origins = [origin, *source.origins][:MOST_EVENTS]
    elif _decides(field, origin, step):
        source.events, source.origins = 1, [origin]


def _leads_on(origin: Origin, step: Refolded) -> bool:
    """Say whether an identifier an event named became hers; another may be somebody else's."""
    named = origin.value if isinstance(origin.value, list) else [origin.value]
    held = step.profile.identifiers.get(origin.mapping.field, {})
    return any(one in held for one in named if isinstance(one, str))


def _decided_by_one(field: Field) -> bool:
    return field.type is FieldType.STRING if field.identifier else field.merge in _ONE


def _decides(field: Field, origin: Origin, step: Refolded) -> bool:
    stamp = step.profile.stamps.get(field.name)
    if not field.identifier and stamp is not None:
        return stamp == (origin.event.at, origin.event.id)
    return field.name in (step.changed or ())


def _given(plan: AccountPlan, event: Event) -> Iterator[Origin]:
    """Yield what each mapping makes of an event, as `core.applying` folds it."""
    body: JsonObject = orjson.loads(event.body)
    record = flatten(body)
    for mapping in _mappings(plan.stream(event.stream), record):
        raw = record.get(mapping.name) if mapping.name is not None else None
        if mapping.guard is not None and not mapping.guard(record, event.at):
            continue
        if mapping.name is None:
            raw = mapping.expression.evaluate(record, event.at)
        value = None if raw is None else mapping.take(raw)
        check = plan.asserted.get(mapping.field.name)
        if value is not None and check is not None:
            value, _ = check(value, event.at)
        if value is not None:
            yield Origin(event, mapping.mapping, value)


def _mappings(stream: StreamPlan, record: JsonObject) -> Iterator[MappingPlan]:
    for key in record:
        yield from stream.by_key.get(key, ())
    yield from stream.computed
