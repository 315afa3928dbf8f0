"""Built-in fields: what every profile knows of itself, to be read by audiences and shown beside its own fields."""

from collections.abc import Callable, Collection, Mapping

from gatepost.model.jsonvalue import JsonValue
from gatepost.model.profile import Profile
from gatepost.model.schema import FieldType

_PARTS = 100
_COOKIES = frozenset({"_uid", "_uids"})


def _split(digits: str) -> int:
    """Return one of a hundred parts of everybody; ids are hashes, so the parts are of one size."""
    return int(digits or "0", 16) % _PARTS


def _known(profile: Profile) -> int:
    """Count the identifiers that tell who it is; a cookie tells only that it is the same browser."""
    return sum(len(values) for name, values in profile.identifiers.items() if name not in _COOKIES)


_BUILTINS: dict[str, tuple[FieldType, Callable[[Profile], JsonValue]]] = {
    "_id": (FieldType.STRING, lambda profile: profile.id),
    "_created": (FieldType.DATE, lambda profile: profile.created),
    "_modified": (FieldType.DATE, lambda profile: profile.modified),
    "_num_events": (FieldType.INT, lambda profile: profile.events),
    "_num_streams": (FieldType.INT, lambda profile: len(profile.streams)),
    "_streamnames": (FieldType.STRINGS, lambda profile: sorted(profile.streams)),
    "_num_aliases": (FieldType.INT, lambda profile: len(profile.aliases)),
    "_num_conflicts": (FieldType.INT, lambda profile: profile.conflicts),
    "_num_identifiers_released": (FieldType.INT, lambda profile: profile.released),
    "_dropped_events_too_large": (FieldType.INT, lambda profile: profile.refused),
    "_num_known_identifiers": (FieldType.INT, _known),
    "_split": (FieldType.INT, lambda profile: _split(profile.id[:12])),
    "_split2": (FieldType.INT, lambda profile: _split(profile.id[12:24])),
}

BUILTIN_TYPES: dict[str, FieldType] = {name: type_ for name, (type_, _) in _BUILTINS.items()}
"""What the built-in fields hold."""
BUILTIN_AUDIENCES = {"all": "FILTER *", "anonymous_profiles": "FILTER _num_known_identifiers = 0"}
"""The audiences that are there by themselves, as in Lytics, by slug: their rules."""
RESERVED = frozenset((*_BUILTINS, "_segments", "segment_events", "segments"))
"""Names that no field of a schema may have."""


def with_builtins(profile: Profile, names: Collection[str]) -> Mapping[str, JsonValue]:
    """Return a profile's fields, and the built-in ones among `names` beside them."""
    return profile.fields | {name: builtin(profile, name) for name in names if name in _BUILTINS}


def builtin(profile: Profile, name: str) -> JsonValue:
    """Return the value of a built-in field, instants as milliseconds."""
    return _BUILTINS[name][1](profile)
