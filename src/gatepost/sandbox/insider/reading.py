"""The profile call: one profile in the shape that Insider gives it to its customers."""

from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.times import SECOND, Instant, to_rfc3339
from gatepost.sandbox.insider.events import unpack
from gatepost.sandbox.insider.profiles import Profile
from gatepost.sandbox.insider.values import is_number
from gatepost.sandbox.insider.vocabulary import SHORT_NAMES

_MAX_INSTANT = 253_402_300_799_999


def wanted_attributes(profile: Profile, wanted: list[JsonValue]) -> JsonObject:
    """Return the attributes asked for; `*` is all of them, custom ones carry `c_`."""
    every: JsonObject = {"iid": str(profile.number), "upta": to_rfc3339(profile.updated)}
    every |= {name: values[-1] for name, values in profile.identifiers.items()}
    every |= {("gdpr" if name == "gdpr_optin" else name): value for name, value in profile.default.items()}
    every |= {f"c_{name}": value for name, value in profile.custom.items()}
    if "*" in wanted:
        return every
    names = [name for name in wanted if isinstance(name, str)]
    found = {("gdpr" if name == "gdpr_optin" else name): _long_name(name) for name in names}
    return {shown: every[name] for shown, name in found.items() if name in every}


def wanted_events(profile: Profile, query: JsonObject) -> JsonObject:
    """Return the events asked for, by name."""
    start = _instant(query.get("start_date"), 0)
    end = _instant(query.get("end_date"), _MAX_INSTANT)
    wanted = query.get("wanted")
    limit = query.get("limit_per_source")
    found: dict[str, list[JsonValue]] = {}
    filters = _filters(wanted if isinstance(wanted, list) else [])
    for event in profile.events:
        name, at, parameters = unpack(event)
        if name in filters and start <= at <= end:
            found.setdefault(name, []).append(_event_row(at, parameters, filters[name]))
    if isinstance(limit, int) and limit > 0:
        return {name: rows[-limit:] for name, rows in found.items()}
    return dict(found)


def _long_name(name: str) -> str:
    return {**SHORT_NAMES, "gdpr_optin": "gdpr"}.get(name, name)


def _instant(value: JsonValue, default: Instant) -> Instant:
    if not isinstance(value, int | float) or not is_number(value):
        return default
    return int(min(max(value * SECOND, 0), _MAX_INSTANT))


def _filters(wanted: list[JsonValue]) -> dict[str, list[JsonValue]]:
    filters: dict[str, list[JsonValue]] = {}
    for entry in wanted:
        if isinstance(entry, dict) and isinstance(entry.get("event_name"), str):
            params = entry.get("params")
            filters[str(entry["event_name"])] = params if isinstance(params, list) else []
    return filters


def _event_row(at: Instant, parameters: JsonObject, wanted: list[JsonValue]) -> JsonObject:
    flat: JsonObject = {name: value for name, value in parameters.items() if name != "custom"}
    custom = parameters.get("custom")
    if isinstance(custom, dict):
        flat |= {f"c_{name}": value for name, value in custom.items()}
    chosen = {name: value for name, value in flat.items() if not wanted or name in wanted}
    return {**chosen, "source": "api", "created_date": to_rfc3339(at)}
