"""Cases that a template carries: a profile in, and what has to come out."""

import json
from collections.abc import Mapping
from difflib import get_close_matches, unified_diff
from itertools import zip_longest
from typing import Any

import msgspec

from gatepost.core.templates.context import SAMPLE_AUDIENCE, sample_event
from gatepost.core.templates.sending import RequestParts, request_parts
from gatepost.core.timestamps import parse_time
from gatepost.model.errors import InvalidInput, TemplateError
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.times import Instant

USUAL_AT: Instant = 1_767_323_045_000
"""2026-01-02T03:04:05Z, the time of triggers that name none: a case answers the same on every day."""
EXPECTATIONS = ("body", "text", "omitted", "error")
"""What a case may expect, one of them."""
_KEYS = ("profile", "event", "audience", "at", "job_config", "url", "note", *EXPECTATIONS)
_MOST_LINES = 4_000


class TemplateCase(msgspec.Struct, frozen=True, kw_only=True):
    """A profile with its trigger, and what the template has to make of them."""

    name: str
    entity: JsonObject
    """The profile as a template reads it, `segment_events` included."""
    job_config: JsonObject
    expectation: str
    """`body`, `text`, `omitted` or `error`."""
    expected: JsonValue
    event: str = "enter"
    url: str = ""
    """Where the request has to go when the template says so; empty when the case does not care."""


class Outcome(msgspec.Struct, frozen=True):
    """What came of one case; it passed when there is nothing to say."""

    case: str
    message: str = ""
    diff: str = ""
    """What was expected against what came, as a unified diff, where both are known."""
    body: str = ""
    """What would be sent; empty when nothing would."""
    reason: str = ""
    """Why nothing would be sent, as the engine says it; empty when the template gave null."""


def read_case(name: str, document: JsonValue) -> TemplateCase:
    """Read a case; raise InvalidInput with the key that is wrong and what would be right."""
    if not isinstance(document, dict):
        raise InvalidInput('a case is an object such as {"profile": {...}, "body": {...}}')
    for key in document:
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_KEYS)}"
            raise InvalidInput(f"there is no {key!r} in a case; {hint}", path=key)
    expectations = [key for key in EXPECTATIONS if key in document]
    if len(expectations) != 1:
        said = " and ".join(expectations) or "nothing"
        raise InvalidInput(f"a case expects one of {', '.join(EXPECTATIONS)}; this one expects {said}")
    expectation = expectations[0]
    return TemplateCase(
        name=name,
        entity=_entity(document),
        job_config=_object(document, "job_config"),
        event=_text(document, "event", "enter"),
        expectation=expectation,
        expected=_expected(expectation, document[expectation]),
        url=_text(document, "url", ""),
    )


def outcome_of(case: TemplateCase, printed: str | None, failure: str) -> Outcome:
    """Judge what a template printed for a case, or, when it printed nothing, what the engine said against it."""
    try:
        parts = None if printed is None else request_parts(printed, "")
    except TemplateError as error:
        failure, parts = error.message, None
    if parts is None:
        reason = failure.split("\n", 1)[0].removeprefix("RUNTIME ERROR: ")
        return Outcome(case.name, _unlike_nothing(case, failure, reason), reason=reason)
    message, diff = _unlike(case, parts)
    return Outcome(case.name, message, diff, body=parts.body)


def _unlike_nothing(case: TemplateCase, failure: str, reason: str) -> str:
    """Say in what a template that gave nothing to send differs from what was expected; empty when in nothing."""
    if case.expectation not in {"omitted", "error"}:
        return f"the template failed: {reason}" if failure else "the template gave null, so nothing is sent"
    if case.expected is True or (isinstance(case.expected, str) and failure and case.expected in failure):
        return ""
    said = f"the engine said: {reason}" if failure else "the template gave null"
    return f"expected {_shown(case)}, but {said}"


def _unlike(case: TemplateCase, parts: RequestParts) -> tuple[str, str]:
    """Say in what a body differs from what was expected, and the difference."""
    if case.expectation in {"omitted", "error"}:
        return f"expected {_shown(case)}, but there is a body", _diff("", _pretty(parts.body))
    if case.url and parts.url != case.url:
        return f"expected the URL {case.url}, got {parts.url or 'none'}", ""
    if case.expectation == "text":
        same = parts.body == case.expected
        diff = _diff(str(case.expected), parts.body) or "only the ends of lines differ"
        return ("", "") if same else ("the body is not the expected text", diff)
    return _unlike_json(case.expected, parts.body)


def _unlike_json(expected: JsonValue, body: str) -> tuple[str, str]:
    try:
        got = json.loads(body)
    except (ValueError, RecursionError):
        return "the body is no JSON", _diff(_printed(expected), body)
    # Printed with sorted keys, equal values are equal texts; 1 and true, or 1 and "1", are not.
    wanted, came = _printed(expected), _printed(got)
    return ("", "") if wanted == came else ("the body is not the expected one", _diff(wanted, came))


def _shown(case: TemplateCase) -> str:
    match case.expectation:
        case "omitted":
            reason = f" because of {case.expected!r}" if isinstance(case.expected, str) else ""
            return f"nothing to be sent{reason}"
        case "error":
            return f"the error {case.expected!r}"
        case _:
            return "a body"


def _entity(document: Mapping[str, JsonValue]) -> JsonObject:
    profile = _object(document, "profile")
    if "segment_events" in profile:
        return profile
    event = sample_event(
        _text(document, "audience", SAMPLE_AUDIENCE), _text(document, "event", "enter"), _at(document)
    )
    return {**profile, "segment_events": [event]}


def _at(document: Mapping[str, JsonValue]) -> Instant:
    text = _text(document, "at", "")
    instant = parse_time(text) if text else USUAL_AT
    if instant is None:
        raise InvalidInput(f"{text!r} is no time; write one like 2026-01-02T03:04:05Z", path="at")
    return instant


def _expected(expectation: str, value: JsonValue) -> JsonValue:
    right = {
        "text": isinstance(value, str),
        "error": isinstance(value, str) and value != "",
        "omitted": value is True or (isinstance(value, str) and value != ""),
    }
    if not right.get(expectation, True):
        wanted = {"omitted": "true, or part of the message", "error": "part of the engine's message"}
        raise InvalidInput(f"{expectation} is {wanted.get(expectation, 'a text')}", path=expectation)
    return value


def _object(document: Mapping[str, JsonValue], key: str) -> JsonObject:
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise InvalidInput(f"{key} is an object", path=key)
    return value


def _text(document: Mapping[str, JsonValue], key: str, default: str) -> str:
    value = document.get(key, default)
    if not isinstance(value, str):
        raise InvalidInput(f"{key} is a text", path=key)
    return value


def _printed(value: Any) -> str:
    return json.dumps(_plain(value), indent=2, sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Return a value in which 1.0 is 1, as JSON has one kind of number."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def _pretty(body: str) -> str:
    try:
        return _printed(json.loads(body))
    except (ValueError, RecursionError):
        return body


def _diff(expected: str, got: str) -> str:
    old, new = expected.splitlines(), got.splitlines()
    if len(old) + len(new) > _MOST_LINES:
        # Comparing takes the square of the lines, and nobody reads that much.
        pairs = enumerate(zip_longest(old, new, fillvalue=""), start=1)
        return next(
            (f"line {number}\n-{one}\n+{other}" for number, (one, other) in pairs if one != other), ""
        )
    return "\n".join(unified_diff(old, new, "expected", "got", lineterm=""))
