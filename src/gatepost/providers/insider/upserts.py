"""The output check of one user sent to `/api/user/v1/upsert`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from gatepost.model.jsonvalue import JsonValue
from gatepost.providers.contract import Advice
from gatepost.providers.insider.people import empty_advice, error, shape

_BOOLEANS = frozenset(("email_optin", "sms_optin", "whatsapp_optin", "gdpr_optin"))
_LISTS = frozenset(("static_segment_id", "list_id"))
_TEXTS = frozenset(
    (
        *(
            "email",
            "phone_number",
            "uuid",
            "name",
            "surname",
            "birthday",
            "gender",
            "language",
            "lo",
            "locale",
        ),
        *("country", "city", "app_version", "idfa", "model", "last_ip", "carrier", "os_version", "platform"),
        *("timezone", "em", "pn", "na", "la", "co", "ci"),
    )
)
_IDENTIFIERS = ("email", "phone_number", "uuid")
_DELETIONS = ("partial", "whole")
_DELETE_URL = "POST /api/user/v1/attribute/delete"
_EVENT_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")


def upsert_advice(path: str, user: Mapping[str, JsonValue]) -> Iterator[Advice]:
    """Check attributes and events."""
    attributes, events = user.get("attributes"), user.get("events")
    if not attributes and not events:
        yield error(path, "there is neither attributes nor events; Insider refuses a user without either")
    yield from _misplaced_deletions(path, user, user.get("custom"))
    if isinstance(attributes, Mapping):
        yield from _attributes_advice(f"{path}.attributes", user, attributes)
    elif attributes is not None:
        yield error(f"{path}.attributes", f"attributes is {shape(attributes)}; Insider wants an object")
    if isinstance(events, Sequence) and not isinstance(events, str):
        for index, event in enumerate(events):
            yield from _event_advice(f"{path}.events.{index}", event)
    elif events is not None:
        yield error(f"{path}.events", f"events is {shape(events)}; Insider wants a list")


def _misplaced_deletions(path: str, user: Mapping[str, JsonValue], custom: JsonValue) -> Iterator[Advice]:
    for name in _DELETIONS:
        if name in user:
            yield error(f"{path}.{name}", f"an upsert deletes nothing; send {name} by {_DELETE_URL}")
        if isinstance(custom, Mapping) and name in custom:
            yield error(
                f"{path}.custom.{name}", f"an upsert deletes nothing; send custom.{name} by {_DELETE_URL}"
            )


def _attributes_advice(
    path: str, user: Mapping[str, JsonValue], attributes: Mapping[str, JsonValue]
) -> Iterator[Advice]:
    identifiers = user.get("identifiers")
    for name in _IDENTIFIERS:
        value = attributes.get(name)
        if value and isinstance(identifiers, Mapping) and identifiers.get(name) == value:
            message = f"{name} is an identifier already; leave it out of attributes"
            yield Advice(path=f"{path}.{name}", message=message)
    for name, value in attributes.items():
        if name != "custom":
            yield from _attribute_advice(path, name, value)
    custom = attributes.get("custom")
    if isinstance(custom, Mapping):
        for name, value in custom.items():
            yield from _custom_advice(f"{path}.custom", name, value)


def _attribute_advice(path: str, name: str, value: JsonValue) -> Iterator[Advice]:
    where = f"{path}.{name}"
    if value is None or value == "":
        yield from empty_advice(where, name, value)
    elif name == "phone":
        yield Advice(path=where, message=f"Insider's name for it is phone_number; write {path}.phone_number")
    elif name in _BOOLEANS:
        if not isinstance(value, bool):
            yield Advice(path=where, message=f"{name} is {shape(value)}; Insider keeps only true or false")
    elif name == "age":
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield Advice(path=where, message=f"age is {shape(value)}; Insider keeps only a number")
    elif name in _TEXTS:
        if not isinstance(value, str):
            yield Advice(path=where, message=f"{name} is {shape(value)}; Insider keeps only a text")
    elif name not in _LISTS:
        message = f"{name} is not one of Insider's own attributes; write it as {path}.custom.{name}"
        yield Advice(path=where, message=message)


def _custom_advice(path: str, name: str, value: JsonValue) -> Iterator[Advice]:
    where = f"{path}.{name}"
    if name in _DELETIONS and isinstance(value, Mapping):
        yield error(
            where, f"an upsert deletes nothing; write users[].custom.{name} and send it by {_DELETE_URL}"
        )
    elif isinstance(value, Mapping):
        yield Advice(
            path=where, message=f"{name} is an object; Insider drops it, so send its values one by one"
        )
    elif name.startswith("c_"):
        yield Advice(
            path=where, message=f"custom names go without c_ here; write {path}.{name.removeprefix('c_')}"
        )
    else:
        yield from empty_advice(where, name, value)


def _event_advice(path: str, event: JsonValue) -> Iterator[Advice]:
    if not isinstance(event, Mapping):
        yield error(path, f"an event is {shape(event)}; Insider wants an object")
        return
    name, at = event.get("event_name"), event.get("timestamp")
    if not isinstance(name, str) or not _EVENT_NAME.fullmatch(name):
        message = "an event name has lower-case letters, digits, dots, hyphens and underscores only"
        yield error(f"{path}.event_name", message)
    if not isinstance(at, str) or not _is_rfc3339(at):
        yield error(f"{path}.timestamp", "a timestamp is RFC 3339, such as 2026-11-05T11:02:09Z")
    params = event.get("event_params")
    custom = params.get("custom") if isinstance(params, Mapping) else None
    if isinstance(custom, Mapping):
        for key, value in custom.items():
            yield from empty_advice(f"{path}.event_params.custom.{key}", key, value)


def _is_rfc3339(text: str) -> bool:
    if not _RFC3339.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return True
