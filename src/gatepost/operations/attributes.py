"""Attributes: the stored fields of a profile, read and written by hand."""

from collections.abc import Collection, Mapping

import msgspec

from gatepost.core.assertions import assertions_of
from gatepost.core.coercion import held_as
from gatepost.core.entities import fields_of
from gatepost.core.filterql.calls import nearest
from gatepost.model.errors import Conflict, InvalidInput, NotFound
from gatepost.model.event import RecordKind
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.profile import AttributesCommand, Identifier, Profile
from gatepost.model.schema import Field, Schema
from gatepost.model.times import Instant
from gatepost.operations.commands import command
from gatepost.operations.context import Context
from gatepost.operations.members import narrowed
from gatepost.operations.profiles import identifier_kind
from gatepost.operations.records import current_schema
from gatepost.ports.store import Transaction

STREAM = "attributes"
"""Where timelines and explanations show that a value came from."""
_LARGEST = 64 * 1024
"""Bytes of one write: as many as of an event."""


async def get_attributes(
    context: Context, account: int, key: Identifier, fields: Collection[str] = ()
) -> JsonObject:
    """Return the stored fields of the profile an identifier leads to, without what is derived from them."""

    def work(tx: Transaction) -> JsonObject:
        schema = current_schema(tx, account)
        profile = _profile(tx, account, schema, key)
        stored = narrowed(fields_of(profile, {one.name: one for one in schema.fields}), fields)
        return {"_id": profile.id, **stored}

    return await context.store.read(work)


async def overwrite(context: Context, account: int, key: Identifier, values: Mapping[str, JsonValue]) -> None:
    """Let fields hold just these values, null for none; the others stay. Return once it is so."""
    await _write(
        context, account, key, AttributesCommand(clear=sorted(values), values=_without_nulls(values))
    )


async def merge_in(context: Context, account: int, key: Identifier, values: Mapping[str, JsonValue]) -> None:
    """Let values meet what fields hold, as those of an event that happens now; null empties a field."""
    gone = sorted(name for name, value in values.items() if value is None)
    await _write(context, account, key, AttributesCommand(clear=gone, values=_without_nulls(values)))


async def remove(context: Context, account: int, key: Identifier, fields: Collection[str] = ()) -> None:
    """Empty fields; without any named, all but those that identify."""
    wish = AttributesCommand(clear=sorted(fields)) if fields else AttributesCommand(everything=True)
    await _write(context, account, key, wish)


async def _write(context: Context, account: int, key: Identifier, wish: AttributesCommand) -> None:
    if not (wish.clear or wish.values or wish.everything):
        raise InvalidInput("no field is named; give at least one", path="body")

    def work(tx: Transaction) -> AttributesCommand:
        schema = current_schema(tx, account)
        profile = _profile(tx, account, schema, key)
        _check(schema, wish, context.clock.audience())
        field, value = _leading(schema, profile, key)
        return msgspec.structs.replace(wish, key=field, value=value)

    order = msgspec.json.encode(await context.store.read(work))
    if len(order) > _LARGEST:
        msg = f"the write has {len(order):,} bytes, {_LARGEST:,} are allowed; write fewer fields at once"
        raise InvalidInput(msg, path="body")
    await command(context, account, RecordKind.ATTRIBUTES, order, stream=STREAM)


def _profile(tx: Transaction, account: int, schema: Schema, key: Identifier) -> Profile:
    field, value = key
    wanted = (identifier_kind(schema, field), value)
    number = tx.profiles.find(account, [wanted]).get(wanted)
    profile = tx.profiles.load(account, [number]).get(number) if number is not None else None
    if profile is None or profile.hidden:
        raise NotFound("profile", f"{field}={value}")
    return profile


def _leading(schema: Schema, profile: Profile, key: Identifier) -> Identifier:
    """Return the identifier a write goes by: the one that was named, or the strongest where `_id` was."""
    kind = identifier_kind(schema, key[0])
    if key[1] in profile.identifiers.get(kind, ()):
        return kind, key[1]
    names = [*schema.ranks, *(one.name for one in schema.fields if one.identifier)]
    held = ((name, value) for name in names for value in profile.identifiers.get(name, ()))
    found = next(held, None)
    if found is None:
        raise Conflict("the profile has no identifier any more by which it could be written")
    return found


def _check(schema: Schema, wish: AttributesCommand, now: Instant) -> None:
    known = {one.name: one for one in schema.fields}
    asserted = assertions_of(schema.fields)
    for name in dict.fromkeys([*wish.clear, *wish.values]):
        field = _writable(known, name)
        if name in wish.values:
            value = _fitting(field, wish.values[name])
            if name in asserted and asserted[name](value, now)[1]:
                msg = f"{name} asserts what the value given is not; the schema says what"
                raise InvalidInput(msg, path=name)


def _writable(known: Mapping[str, Field], name: str) -> Field:
    field = known.get(name)
    if field is None:
        near = nearest(name, known)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(sorted(known))}"
        raise InvalidInput(f"the schema has no field {name}; {hint}", path=name)
    if field.identifier:
        msg = f"{name} identifies profiles, and such a field is not written by hand; send an event that names both"
        raise InvalidInput(msg, path=name)
    return field


def _fitting(field: Field, value: JsonValue) -> JsonValue:
    try:
        held = held_as(field, value)
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        held = None
    if held is None:
        msg = f"{field.name} holds {field.type.value}, which the value given is not; null empties it"
        raise InvalidInput(msg, path=field.name)
    return held


def _without_nulls(values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: value for name, value in values.items() if value is not None}
