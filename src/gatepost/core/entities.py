"""A profile as templates and the entity API see it: fields at the top level, dates as RFC 3339."""

import hashlib
from collections.abc import Collection, Mapping

from gatepost.core.builtins import BUILTIN_TYPES, builtin
from gatepost.core.plans import AccountPlan
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.profile import Profile
from gatepost.model.schema import Field, FieldType
from gatepost.model.times import to_rfc3339


def _everybody(profile: Profile) -> set[str]:
    """Return the audiences that are there by themselves, as in Lytics."""
    return {"all"} if builtin(profile, "_num_known_identifiers") else {"all", "anonymous_profiles"}


_MARKERS = ("_num_identifiers_released", "_dropped_events_too_large")
"""What a profile tells just when it is so."""
_SHOWN = {name: type_ for name, type_ in BUILTIN_TYPES.items() if name != "_num_known_identifiers"}
"""The identifiers stand beside it already."""


def entity_of(profile: Profile, plan: AccountPlan) -> JsonObject:
    """Return the profile's fields and what gatepost itself knows of it."""
    entity = fields_of(profile, plan.fields)
    inside = {plan.slugs.get(number, "") for number, held in profile.memberships.items() if held.inside}
    entity["_segments"] = sorted((inside | _everybody(profile)) - {""})
    for name, type_ in _SHOWN.items():
        value = builtin(profile, name)
        entity[name] = _dated(value) if type_ is FieldType.DATE else value
    for marker in _MARKERS:
        if not entity[marker]:
            del entity[marker]
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
