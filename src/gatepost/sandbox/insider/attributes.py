"""Reads attributes and parameters: what is kept, and what Insider would silently drop."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.sandbox.insider.accounts import Account
from gatepost.sandbox.insider.values import fits, is_custom_value, oversize
from gatepost.sandbox.insider.verdict import Verdict, shown
from gatepost.sandbox.insider.vocabulary import (
    ATTRIBUTE_TYPES,
    FILLED_BY_INSIDER,
    SHORT_NAMES,
    is_system_name,
)

_KEY = "attributes.*"


@dataclass(frozen=True, slots=True)
class Attributes:
    """Attribute values worth storing: Insider's own and the account's."""

    default: JsonObject = field(default_factory=dict)
    custom: JsonObject = field(default_factory=dict)


def read_attributes(given: JsonValue, account: Account, verdict: Verdict) -> Attributes | None:
    """Return the attributes to store; None when the user names none at all."""
    if given is None:
        return None
    if not isinstance(given, dict):
        verdict.refuse("attributes.type(object)", f"attributes must be object: {shown(given)}")
        return None
    custom = given.get("custom")
    if not given or (len(given) == 1 and "custom" in given and not custom):
        return None
    sent: JsonObject = given
    default: JsonObject = {}
    for key, value in sent.items():
        name = SHORT_NAMES.get(key, key)
        if key != "custom" and value is not None and _is_default(name, value, account, verdict):
            default[name] = value
    if custom is not None and not isinstance(custom, dict):
        verdict.lose("attributes.custom.type(object)", f"custom must be object: {shown(custom)}")
        custom = None
    return Attributes(default, read_custom(custom, account.attributes, account, verdict, key=_KEY))


def _is_default(name: str, value: JsonValue, account: Account, verdict: Verdict) -> bool:
    if name.startswith(FILLED_BY_INSIDER):
        verdict.lose(f"{_KEY}.computed", f"{name} is computed by Insider and was ignored")
        return False
    kind = ATTRIBUTE_TYPES.get(name)
    if kind is None:
        hint = "write phone_number" if name == "phone" else "put it under attributes.custom"
        verdict.lose(f"{_KEY}.in(defaults_column)", f"{name} is not a default attribute and was lost; {hint}")
        return False
    if not has_type(name, value, kind, verdict, key=_KEY):
        return False
    if name in account.identifiers:
        verdict.lose(f"{_KEY}.identifier", f"{name} is an identifier and is only written under identifiers")
        return False
    return True


def has_type(name: str, value: JsonValue, kind: str, verdict: Verdict, *, key: str) -> bool:
    """Tell whether a value fits its documented type, noting a misfit as lost."""
    if not fits(value, kind):
        verdict.lose(f"{key}.type({kind})", f"{name} must be {kind}: {shown(value)}")
        return False
    size = oversize(value)
    if size:
        verdict.remark(f"{key}.size", f"{name} has {size}")
    return True


def read_custom(
    given: Mapping[str, JsonValue] | None,
    registered: Mapping[str, str],
    account: Account,
    verdict: Verdict,
    *,
    key: str,
) -> JsonObject:
    """Return the custom attributes or parameters that the account would keep."""
    kept: JsonObject = {}
    for name, value in (given or {}).items():
        if value is None:
            continue
        kind = registered.get(name)
        if kind is None and not _may_register(name, account, verdict, key):
            continue
        if _has_custom_type(name, value, kind, verdict, key):
            kept[name] = value
    return kept


def _may_register(name: str, account: Account, verdict: Verdict, key: str) -> bool:
    if name.startswith("c_"):
        verdict.lose(f"{key}.registered", f"{name} was lost; custom names carry no c_ when they are written")
        return False
    if not account.auto_register:
        verdict.lose(f"{key}.registered", f"{name} is not registered in the account and was lost")
        return False
    if not is_system_name(name):
        verdict.remark(f"{key}.name", f"{shown(name)} is better written in lower case without spaces")
    return True


def _has_custom_type(name: str, value: JsonValue, kind: str | None, verdict: Verdict, key: str) -> bool:
    if kind is not None:
        return has_type(name, value, kind, verdict, key=key)
    if not is_custom_value(value):
        wanted = "string, number, boolean or an array of strings or numbers"
        verdict.lose(f"{key}.type(any)", f"{name} must be {wanted}: {shown(value)}")
        return False
    size = oversize(value)
    if size:
        verdict.remark(f"{key}.size", f"{name} has {size}")
    if isinstance(value, list) and "" in value:
        verdict.remark(f"{key}.empty", f"{name} contains an empty string")
    return True
