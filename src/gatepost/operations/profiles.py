"""Profiles to look at, by any of their identifiers."""

from collections.abc import Collection
from typing import Any

import msgspec

from gatepost.core.entities import entity_of
from gatepost.model.errors import InvalidInput
from gatepost.model.profile import Profile
from gatepost.model.schema import Schema
from gatepost.operations.context import Context
from gatepost.operations.members import entity_plan, meta_of, narrowed
from gatepost.operations.records import live_audiences
from gatepost.ports.store import Transaction

SYSTEM_IDENTIFIERS = ("_id", "_uid")
"""Found by everywhere; `_uid` leads nowhere unless the schema has it or `_uids`."""


class EntityQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a profile to return."""

    fields: Collection[str] = ()
    """Only these; none means all."""
    without: Collection[str] = ()
    """None of these."""
    segments: bool = True
    """Add the slugs of its public audiences; `_segments` has all of them in any case."""
    all_segments: bool = False
    """Add the ids of all its audiences."""


_WHOLE = EntityQuery()


async def find_entity(
    context: Context, account: int, field: str, value: str, query: EntityQuery = _WHOLE
) -> dict[str, dict[str, Any]] | None:
    """Return the profile an identifier leads to, as the entity API answers it: its `data`, and `meta` about it."""

    def work(tx: Transaction) -> dict[str, dict[str, Any]] | None:
        plan = entity_plan(tx, account)
        kind = identifier_kind(plan.schema, field)
        number = tx.profiles.find(account, [(kind, value)]).get((kind, value))
        profile = tx.profiles.load(account, [number]).get(number) if number is not None else None
        if profile is None or profile.hidden:
            return None
        entity = narrowed(entity_of(profile, plan), query.fields)
        entity = {name: shown for name, shown in entity.items() if name not in query.without}
        inside = [one for one in live_audiences(tx, account) if _is_in(profile, one.number)]
        if query.segments:
            entity["segments"] = sorted(one.slug for one in inside if one.is_public)
        if query.all_segments:
            entity["segments_all"] = sorted(one.id for one in inside)
        return {"data": entity, "meta": meta_of(profile)}

    return await context.store.read(work)


def found_by(tx: Transaction, account: int, schema: Schema, identifier: str) -> Profile | None:
    """Return the profile that `field=value` leads to, or a value alone by any identifier field, strongest first."""
    fields = [*schema.ranks, *(one.name for one in schema.fields if one.identifier), *SYSTEM_IDENTIFIERS]
    field, equals, value = identifier.partition("=")
    wanted = [(field, value)] if equals and field in fields else []
    wanted += [(name, identifier) for name in dict.fromkeys(fields)]
    known = tx.profiles.find(account, wanted)
    number = next((known[one] for one in wanted if one in known), None)
    return tx.profiles.load(account, [number]).get(number) if number is not None else None


def _is_in(profile: Profile, audience: int) -> bool:
    held = profile.memberships.get(audience)
    return held is not None and held.inside


def identifier_kind(schema: Schema, field: str) -> str:
    """Return the field by which to look somebody up; a `_uid` may be one of many `_uids`."""
    known = [one.name for one in schema.fields if one.identifier]
    if field not in known and field not in SYSTEM_IDENTIFIERS:
        shown = ", ".join([*known, "_id"])
        msg = f"{field} does not identify profiles; look one up by {shown}"
        raise InvalidInput(msg, path="field")
    return "_uids" if field == "_uid" and field not in known and "_uids" in known else field
