"""A profile as templates and the entity API see it: fields at the top level, dates as RFC 3339."""

import hashlib
from collections.abc import Collection, Mapping

from gatepost.core.plans import AccountPlan
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.profile import Profile
from gatepost.model.schema import Field, FieldType
from gatepost.model.times import to_rfc3339


def entity_of(profile: Profile, plan: AccountPlan) -> JsonObject:
    """Return the profile's fields and what gatepost itself knows of it."""
    entity = fields_of(profile, plan.fields)
    entity["_id"] = profile.id
    entity["_segments"] = sorted(
        plan.slugs[number]
        for number, held in profile.memberships.items()
        if held.inside and number in plan.slugs
    )
    entity["_created"] = to_rfc3339(profile.created)
    entity["_modified"] = to_rfc3339(profile.modified)
    entity["_num_events"] = profile.events
    entity["_num_conflicts"] = profile.conflicts
    entity["_num_aliases"] = len(profile.aliases)
    entity["_streamnames"] = sorted(profile.streams)
    if profile.released:
        entity["_num_identifiers_released"] = profile.released
    if profile.refused:
        entity["_dropped_events_too_large"] = profile.refused
    return entity


def fields_of(profile: Profile, fields: Mapping[str, Field]) -> JsonObject:
    """Return the profile's own fields; those that left the schema are left out."""
    entity: JsonObject = {}
    for name, value in profile.fields.items():
        field = fields.get(name)
        if field is None:
            continue
        entity[name] = shown_value(value, field.type)
    return entity


_DATED = frozenset({FieldType.DATE, FieldType.DATES, FieldType.DATE_MAP})


def shown_value(value: JsonValue, type_: str) -> JsonValue:
    """Return a stored value as it is shown: dates as RFC 3339."""
    return _dated(value) if type_ in _DATED else value


def _dated(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {key: _dated(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_dated(inner) for inner in value]
    return to_rfc3339(value) if isinstance(value, int) else value


def exported(entity: JsonObject, wanted: Collection[str]) -> JsonObject:
    """Narrow an entity to export fields; none means all, and `segment_events` always stays."""
    if not wanted:
        return entity
    kept = {*wanted, "segment_events"}
    return {name: value for name, value in entity.items() if name in kept}


def user_number(profile_id: str) -> str:
    """Return the decimal text that names the person in a default payload: the same for every message."""
    digest = hashlib.blake2b(profile_id.encode(), digest_size=8).digest()
    return str(int.from_bytes(digest, "big"))
