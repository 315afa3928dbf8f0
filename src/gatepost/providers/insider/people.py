"""Who a user of a body is: the part that upsert and attribute/delete share."""

import re
from collections.abc import Iterator, Mapping, Sequence

from gatepost.model.jsonvalue import JsonValue
from gatepost.providers.contract import Advice, AdviceLevel

_EMAIL = re.compile(r".+@.+\..+")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_KNOWN = frozenset(("email", "phone_number", "uuid", "custom"))
_EMPTY = "is an empty text; leave the field out when there is no value"


def person_advice(path: str, user: Mapping[str, JsonValue]) -> Iterator[Advice]:
    """Check `insider_id` and `identifiers`."""
    if user.get("insider_id") == "":
        yield Advice(path=f"{path}.insider_id", message=f"insider_id {_EMPTY}")
    identifiers = user.get("identifiers")
    if identifiers is not None and not isinstance(identifiers, Mapping):
        yield error(f"{path}.identifiers", f"identifiers is {shape(identifiers)}; Insider wants an object")
        return
    named = identifiers or {}
    custom = named.get("custom")
    values = [value for name, value in named.items() if name != "custom"]
    values += list(custom.values()) if isinstance(custom, Mapping) else []
    if not user.get("insider_id") and not any(values):
        yield error(path, "nobody is named; give an identifier such as identifiers.email, or insider_id")
    for name, value in named.items():
        yield from _identifier_advice(f"{path}.identifiers", name, value)
    if isinstance(custom, Mapping):
        for name, value in custom.items():
            yield from _text_advice(f"{path}.identifiers.custom.{name}", name, value)


def _identifier_advice(path: str, name: str, value: JsonValue) -> Iterator[Advice]:
    if name == "custom":
        return
    where = f"{path}.{name}"
    if name not in _KNOWN:
        yield error(where, f"{name} is not one of Insider's identifiers; write it as {path}.custom.{name}")
        return
    texts = list(_text_advice(where, name, value))
    yield from texts
    if texts or not isinstance(value, str):
        return
    if name == "email" and not _EMAIL.fullmatch(value):
        yield error(where, "this is not an email address; Insider refuses the user")
    if name == "phone_number" and not _PHONE.fullmatch(value):
        yield error(where, "this is not a phone number as +6598765432; Insider refuses the user")


def _text_advice(where: str, name: str, value: JsonValue) -> Iterator[Advice]:
    if value == "":
        # Insider checks the form of these two, and an empty text has none.
        level = AdviceLevel.ERROR if name in {"email", "phone_number"} else AdviceLevel.WARNING
        yield Advice(path=where, message=f"{name} {_EMPTY}", level=level)
    elif value is not None and not isinstance(value, str):
        yield error(where, f"{name} is {shape(value)}; an identifier is a text")


def empty_advice(path: str, name: str, value: JsonValue) -> Iterator[Advice]:
    """Find empty texts where a value is meant, also inside a list."""
    if value == "":
        yield Advice(path=path, message=f"{name} {_EMPTY}")
    elif isinstance(value, Sequence) and not isinstance(value, str) and "" in value:
        yield Advice(path=path, message=f"{name} holds an empty text; leave it out of the list")


def shape(value: JsonValue) -> str:
    """Name the kind of a JSON value."""
    if value is None:
        return "missing or null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "an object" if isinstance(value, Mapping) else "a list"


def error(path: str, message: str) -> Advice:
    """Return advice that must be followed."""
    return Advice(path=path, message=message, level=AdviceLevel.ERROR)
