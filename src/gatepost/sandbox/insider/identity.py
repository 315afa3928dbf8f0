"""Reads the part of a user that says who it is."""

from dataclasses import dataclass

from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.sandbox.insider.accounts import Account
from gatepost.sandbox.insider.verdict import Verdict, shown
from gatepost.sandbox.insider.vocabulary import EMAIL_PATTERN, PHONE_PATTERN, SHORT_NAMES, is_email, is_phone

_DEFAULT_IDENTIFIERS = ("email", "phone_number", "uuid")
_TYPE_KEY = "identifiers.*.type(string)"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a user of a request is: Insider's own id, identifiers, or both."""

    insider_id: str
    identifiers: dict[str, str]
    """By name, the account's strongest first."""


def read_identity(user: JsonObject, account: Account, verdict: Verdict) -> Identity:
    """Return the usable identifiers of a user, with every finding about them in the verdict."""
    insider_id = user.get("insider_id") or ""
    if not isinstance(insider_id, str):
        verdict.refuse("insider_id.type(string)", f"insider_id must be string: {shown(insider_id)}")
        insider_id = ""
    given = user.get("identifiers") or {}
    if not isinstance(given, dict):
        verdict.refuse("identifiers.type(object)", f"identifiers must be object: {shown(given)}")
        return Identity(insider_id, {})
    if not given and not insider_id and not verdict.refused:
        for key in ("identifiers.required", "insider_id.required"):
            verdict.refuse(key, "either insider_id or idenifiers must be specified")
        return Identity(insider_id, {})
    identifiers = _read_identifiers(given, account, verdict)
    if not identifiers and not insider_id and not verdict.refused:
        verdict.refuse("identifiers.required", "no valid identifier")
    return Identity(insider_id, _by_priority(identifiers, account))


def _read_identifiers(given: JsonObject, account: Account, verdict: Verdict) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in given.items():
        name = SHORT_NAMES.get(key, key)
        if key == "custom":
            _read_custom(value, account, verdict, found)
        elif name not in _DEFAULT_IDENTIFIERS:
            verdict.refuse(
                "identifiers.*.in(defaults_column)", "key must be one of phone_number(pn), email(em) or uuid"
            )
        elif _is_acceptable(name, value, verdict) and _is_in_use(name, str(value), account, verdict):
            found[name] = str(value)
    return found


def _read_custom(given: JsonValue, account: Account, verdict: Verdict, found: dict[str, str]) -> None:
    if given is None:
        return
    if not isinstance(given, dict):
        verdict.refuse("identifiers.custom.type(object)", f"custom must be object: {shown(given)}")
        return
    for name, value in given.items():
        if value is None or value == "":
            verdict.remark("identifiers.custom.*.empty", f"{name} is empty and was ignored")
        elif not isinstance(value, str):
            verdict.refuse(_TYPE_KEY, f"{name} must be string: {shown(value)}")
        elif _is_in_use(name, value, account, verdict, custom=True):
            found[name] = value


def _is_acceptable(name: str, value: JsonValue, verdict: Verdict) -> bool:
    if value is None or (value == "" and name == "uuid"):
        verdict.remark("identifiers.*.empty", f"{name} is empty and was ignored")
        return False
    if not isinstance(value, str):
        verdict.refuse(_TYPE_KEY, f"{name} must be string: {shown(value)}")
        return False
    if name == "email" and not is_email(value):
        verdict.refuse(f"identifiers.*.regexp({EMAIL_PATTERN})", f"not a valid email address: {shown(value)}")
        return False
    if name == "phone_number" and not is_phone(value):
        verdict.refuse(
            f"identifiers.*.regexp({PHONE_PATTERN})", f"user has an invalid phone number: {shown(value)}"
        )
        return False
    return True


def _is_in_use(name: str, value: str, account: Account, verdict: Verdict, *, custom: bool = False) -> bool:
    if value.lower() in account.blocked_values:
        verdict.lose("identifiers.*.blocked", f"{name} has a blocked value and was ignored: {shown(value)}")
        return False
    if not account.identifies(name, custom=custom):
        verdict.lose(
            "identifiers.*.enabled", f"{name} is not enabled in the identity settings and was ignored"
        )
        return False
    return True


def _by_priority(identifiers: dict[str, str], account: Account) -> dict[str, str]:
    if len(identifiers) < 2:
        return identifiers
    ordered = {name: identifiers[name] for name in account.identifiers if name in identifiers}
    return ordered | identifiers
