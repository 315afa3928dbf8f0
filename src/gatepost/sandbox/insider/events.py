"""Reads the events of a user into the form in which a profile keeps them."""

import orjson

from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.times import DAY, Instant
from gatepost.sandbox.insider.accounts import Account
from gatepost.sandbox.insider.attributes import has_type, read_custom
from gatepost.sandbox.insider.values import rfc3339
from gatepost.sandbox.insider.verdict import Verdict, shown
from gatepost.sandbox.insider.vocabulary import (
    EVENT_KEYS,
    EVENT_NAME_PATTERN,
    PARAMETER_TYPES,
    REQUIRED_PARAMETERS,
    is_event_name,
)

StoredEvent = bytes
"""Canonical JSON `[name, instant, parameters]`: equal events have equal bytes, so one is kept of many."""

_MANY_EVENTS = 1_000


def read_events(given: JsonValue, account: Account, now: Instant, verdict: Verdict) -> list[StoredEvent]:
    """Return the events to store; refused and dropped ones are in the verdict."""
    if not given and not isinstance(given, int | float | str):
        return []
    if not isinstance(given, list):
        verdict.refuse("events.type(array)", f"events must be array: {shown(given)}")
        return []
    if len(given) > _MANY_EVENTS:
        verdict.remark("events.size", f"{len(given)} events in one user, more than {_MANY_EVENTS}")
    read = (_read_event(event, f"events.{j}", account, now, verdict) for j, event in enumerate(given))
    return [event for event in read if event is not None]


def unpack(event: StoredEvent) -> tuple[str, Instant, JsonObject]:
    """Return name, instant and parameters of a stored event."""
    name, at, parameters = orjson.loads(event)
    return name, at, parameters


def _read_event(
    event: JsonValue, key: str, account: Account, now: Instant, verdict: Verdict
) -> StoredEvent | None:
    if not isinstance(event, dict):
        verdict.refuse(f"{key}.type(object)", f"event must be object: {shown(event)}")
        return None
    before = len(verdict.refusals)
    name = _read_name(event.get("event_name"), key, verdict)
    at = _read_timestamp(event.get("timestamp"), key, verdict)
    parameters = _read_parameters(name, event.get("event_params"), key, account, verdict)
    for stray in event.keys() - EVENT_KEYS:
        verdict.lose(f"{key}.in(event)", f"{shown(stray)} stands beside event_params and was lost")
    if name is None or at is None or len(verdict.refusals) > before:
        return None
    if not _is_kept(name, at, key, account, now, verdict):
        return None
    return orjson.dumps([name, at, parameters], option=orjson.OPT_SORT_KEYS)


def _read_name(name: JsonValue, key: str, verdict: Verdict) -> str | None:
    if name is None or name == "":
        verdict.refuse(f"{key}.event_name.required", "event_name is required")
    elif not isinstance(name, str):
        verdict.refuse(f"{key}.event_name.type(string)", f"event_name must be string: {shown(name)}")
    elif not is_event_name(name):
        verdict.refuse(
            f"{key}.event_name.*.regexp({EVENT_NAME_PATTERN})", f"invalid event name: {shown(name)}"
        )
    else:
        return name
    return None


def _read_timestamp(text: JsonValue, key: str, verdict: Verdict) -> Instant | None:
    if text is None or text == "":
        verdict.refuse(f"{key}.timestamp.required", "timestamp is required")
        return None
    at = rfc3339(text)
    if at is None:
        verdict.refuse(
            f"{key}.timestamp.datetime(rfc3339)", f"timestamp must be in RFC3339 format: {shown(text)}"
        )
    return at


def _read_parameters(
    event_name: str | None, given: JsonValue, key: str, account: Account, verdict: Verdict
) -> JsonObject:
    if given is not None and not isinstance(given, dict):
        verdict.refuse(f"{key}.event_params.type(object)", f"event_params must be object: {shown(given)}")
        return {}
    parameters = given or {}
    if event_name in REQUIRED_PARAMETERS:
        _require(event_name, parameters, key, verdict)
    kept: JsonObject = {}
    for name, value in parameters.items():
        if name != "custom" and value is not None and _is_parameter(name, value, key, verdict):
            kept[name] = value
    custom = parameters.get("custom")
    if custom is not None and not isinstance(custom, dict):
        verdict.lose(f"{key}.event_params.custom.type(object)", f"custom must be object: {shown(custom)}")
    elif custom:
        named = f"{key}.event_params.custom.*"
        kept["custom"] = read_custom(custom, account.parameters, account, verdict, key=named)
    return kept


def _require(event_name: str, parameters: JsonObject, key: str, verdict: Verdict) -> None:
    for name in REQUIRED_PARAMETERS[event_name]:
        if parameters.get(name) is None:
            message = f"{name} parameter is required on {event_name} event"
            verdict.refuse(f"{key}.event_params.*.required", message)
    if event_name == "purchase" and parameters.get("quantity") is None:
        verdict.remark(f"{key}.event_params.quantity", "a purchase should say its quantity")


def _is_parameter(name: str, value: JsonValue, key: str, verdict: Verdict) -> bool:
    kind = PARAMETER_TYPES.get(name)
    if kind is None:
        hint = "put it under event_params.custom"
        message = f"{shown(name)} is not a default parameter and was lost; {hint}"
        verdict.lose(f"{key}.event_params.*.in(defaults_column)", message)
        return False
    return has_type(name, value, kind, verdict, key=f"{key}.event_params.*")


def _is_kept(name: str, at: Instant, key: str, account: Account, now: Instant, verdict: Verdict) -> bool:
    if at < now - account.retention(name):
        days = account.retention(name) // DAY
        verdict.lose(f"{key}.timestamp.retention", f"{name} is older than {days} days and was not written")
        return False
    if at > now + DAY:
        verdict.lose(f"{key}.timestamp.future", f"{name} is more than 24 hours ahead and was not written")
        return False
    if not account.auto_register and name not in account.events and not _is_default_event(name):
        verdict.lose(f"{key}.event_name.registered", f"{name} is not registered in the account and was lost")
        return False
    return True


def _is_default_event(name: str) -> bool:
    return name in _DEFAULT_EVENTS


_DEFAULT_EVENTS = frozenset(
    (
        *REQUIRED_PARAMETERS,
        "confirmation_page_view",
        "home_page_view",
        "homepage_view",
        "listing_page_view",
        "product_detail_page_view",
        "other_page_view",
        "checkout_page_view",
        "item_added_to_cart",
        "item_removed_from_cart",
        "sign_up_confirmation",
        "email_click",
        "journey_entered",
    )
)
