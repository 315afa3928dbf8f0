"""Cases a user keeps for a filter: the profile, what the filter should answer on it, when that may change."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias, TypeGuard

import msgspec

from gatepost.core.filterql.fields import KNOWN_TYPES
from gatepost.core.filterql.values import is_list
from gatepost.core.timestamps import parse_time
from gatepost.model.errors import InvalidInput
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import Instant

Answered: TypeAlias = bool | Literal["error"]

USUAL_NOW: Instant = 1_768_478_400_000
"""2026-01-15T12:00:00Z, the time of cases that name none: a file answers the same on every day."""
KEYS = (
    "filter",
    "context",
    "expected",
    "types",
    "now",
    "includes",
    "next_change",
    "phase",
    "accept",
    "source",
    "derived",
    "note",
    "group",
)
SHARED_KEYS = ("context", "types", "now", "includes", "matches", "fails", "cases")
_PHASES = ("parse", "include", "datemath", "eval")
_ALMOST = 0.75
"""How like a known key an unknown one is that must be a slip; any other is a remark of the user's."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One question and the answers that are right."""

    filter: str
    expected: Answered
    accepted: tuple[Answered, ...]
    context: Mapping[str, JsonValue]
    types: Mapping[str, str]
    includes: Mapping[str, str]
    now: Instant = USUAL_NOW
    next_change: Instant | None | msgspec.UnsetType = msgspec.UNSET
    """When the answer may change, None for never; unset when the case does not say."""


def read_cases(document: JsonValue) -> list[Case]:
    """Read the document of a case file; raise InvalidInput naming the entry, the key and what would be right.

    It is a list of cases, or an object of keys that all its cases share: `matches` and `fails` then list
    filters, and `cases` lists cases with keys of their own.
    """
    if is_list(document):
        return [_case(entry, {}, f"entry {place}") for place, entry in enumerate(document)]
    if not isinstance(document, Mapping):
        msg = "the file must hold a list of cases, or an object with matches, fails or cases"
        raise InvalidInput(msg)
    _check_keys(document, SHARED_KEYS, "the file")
    shared = {key: document[key] for key in ("context", "types", "now", "includes") if key in document}
    found = [
        _case({"filter": text, "expected": expected}, shared, f"{key}, entry {place}")
        for key, expected in (("matches", True), ("fails", False))
        for place, text in enumerate(_listed(document, key))
    ]
    own = enumerate(_listed(document, "cases"))
    return found + [_case(entry, shared, f"cases, entry {place}") for place, entry in own]


def _listed(document: Mapping[str, Any], key: str) -> Any:
    listed = document.get(key, [])
    if not is_list(listed):
        raise _wrong("the file", key, "must be a list")
    return listed


def _case(entry: JsonValue, shared: Mapping[str, JsonValue], where: str) -> Case:
    if not isinstance(entry, Mapping):
        msg = f'{where}: a case is an object such as {{"filter": "visits > 3", "expected": true}}'
        raise InvalidInput(msg)
    _check_keys(entry, KEYS, where)
    whole = {**shared, **entry}
    text, expected = whole.get("filter"), whole.get("expected")
    if not isinstance(text, str):
        raise _wrong(where, "filter", "must be the text of a filter, such as visits > 3")
    if not _is_answer(expected):
        raise _wrong(where, "expected", 'must be true, false or "error"')
    return Case(
        filter=text,
        expected=expected,
        accepted=_accepted(whole, expected, where),
        context=_object(whole, "context", where),
        types=_types(whole, where),
        includes=_includes(whole, where),
        now=_instant(whole["now"], "now", where) if whole.get("now") is not None else USUAL_NOW,
        next_change=_next_change(whole, where),
    )


def _accepted(whole: Mapping[str, Any], expected: Answered, where: str) -> tuple[Answered, ...]:
    phase = whole.get("phase")
    if phase is not None and phase not in _PHASES:
        raise _wrong(where, "phase", f"must be one of {', '.join(_PHASES)}")
    accept: Any = whole.get("accept")
    if accept is None:
        # What cannot be evaluated is no match here, never an error.
        return ("error", False) if (expected, phase) == ("error", "eval") else (expected,)
    if not isinstance(accept, list) or not all(map(_is_answer, accept)):
        raise _wrong(where, "accept", 'must be a list of true, false and "error"')
    return (expected, *accept)


def _types(whole: Mapping[str, Any], where: str) -> dict[str, str]:
    types = _object(whole, "types", where)
    for field, type_ in types.items():
        if not isinstance(type_, str) or type_ not in KNOWN_TYPES:
            known = ", ".join(sorted(KNOWN_TYPES))
            raise _wrong(where, f"types.{field}", f"must be one of {known}")
    return types


def _includes(whole: Mapping[str, Any], where: str) -> dict[str, str]:
    includes = _object(whole, "includes", where)
    for slug, text in includes.items():
        if not isinstance(text, str):
            raise _wrong(where, f"includes.{slug}", "must be the text of a filter, such as FILTER visits > 3")
    return includes


def _next_change(whole: Mapping[str, Any], where: str) -> Instant | None | msgspec.UnsetType:
    if "next_change" not in whole:
        return msgspec.UNSET
    value = whole["next_change"]
    return None if value is None else _instant(value, "next_change", where, "; null means never")


def _instant(value: JsonValue, key: str, where: str, more: str = "") -> Instant:
    instant = parse_time(value)
    if instant is None:
        raise _wrong(where, key, f"must be a time such as 2026-01-15T12:00:00Z{more}")
    return instant


def _object(whole: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    value = whole.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(where, key, "must be an object")
    return dict(value)


def _is_answer(value: object) -> TypeGuard[Answered]:
    return isinstance(value, bool) or value == "error"


def _check_keys(entry: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in _strangers(entry, known):
        near = get_close_matches(key[:40], known, n=1, cutoff=_ALMOST)
        if near:
            msg = f"{where}: there is no key {key}; did you mean {near[0]}?"
            raise InvalidInput(msg, path=key)


def _strangers(entry: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[str]:
    return (key for key in entry if key not in known)


def _wrong(where: str, key: str, problem: str) -> InvalidInput:
    return InvalidInput(f"{where}: {key} {problem}", path=key)
