"""Functions that speak another language: regular expressions, JMESPath and phone numbers."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jmespath
import orjson
import phonenumbers
import re2
from jmespath.exceptions import JMESPathError

from gatepost.core.filterql.functions.record import Function
from gatepost.core.filterql.values import text_of
from gatepost.model.jsonvalue import JsonValue

_LONGEST = 1_000
"""Characters of a pattern or path; what is longer was not written by a person."""


def _options() -> "re2.Options":
    options = re2.Options()
    options.log_errors = False
    return options


@lru_cache(maxsize=512)
def _pattern(text: str) -> Any:
    """Return a compiled pattern, None for a bad one. RE2 takes time linear in the text, whatever the pattern."""
    try:
        return re2.compile(text, _options()) if len(text) <= _LONGEST else None
    except re2.error:
        return None


def _matches(value: JsonValue, pattern: JsonValue) -> bool | None:
    text, compiled = text_of(value), _pattern(text_of(pattern) or "")
    if compiled is None:
        return None
    return text is not None and compiled.search(text) is not None


@lru_cache(maxsize=512)
def _path(text: str) -> Any:
    try:
        return jmespath.compile(text) if len(text) <= _LONGEST else None
    except (JMESPathError, RecursionError):
        return None


def _jmespath(value: JsonValue, path: JsonValue) -> JsonValue:
    compiled = _path(text_of(path) or "")
    if compiled is None or not isinstance(value, str):
        return None
    try:
        found: JsonValue = compiled.search(orjson.loads(value))
    except (JMESPathError, orjson.JSONDecodeError, RecursionError, TypeError):
        return None
    return found


def _e164(value: JsonValue, country: JsonValue = "US") -> str | None:
    try:
        number = phonenumbers.parse(text_of(value) or "", text_of(country))
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _compiles(compiled: Callable[[str], object], what: str) -> Callable[[int, JsonValue], str]:
    """Make the check that a literal in the second place is of a language."""

    def check(position: int, literal: JsonValue) -> str:
        wrong = position == 1 and (not isinstance(literal, str) or compiled(literal) is None)
        return f"{str(literal)[:80]!r} is no {what}" if wrong else ""

    return check


def _country_problem(position: int, literal: JsonValue) -> str:
    if position != 1 or literal in phonenumbers.SUPPORTED_REGIONS:
        return ""
    return f"no country is called {literal}; write two capital letters such as US"


FUNCTIONS = (
    Function(
        name="regex.match",
        params=("text", "text"),
        returns="bool",
        call=_matches,
        check=_compiles(_pattern, "regular expression of the RE2 kind"),
        summary="True when a regular expression (RE2) fits some part of the text; ^ and $ tie it to the ends.",
        examples=(
            ('regex.match("order-123", "[0-9]+$")', True),
            ('regex.match("order-123", "^[0-9]+")', False),
            ('regex.match(missing, ".")', False),
        ),
    ),
    Function(
        name="json.jmespath",
        params=("text", "text"),
        call=_jmespath,
        check=_compiles(_path, "JMESPath"),
        summary="What a JMESPath finds in a text of JSON.",
        examples=(('json.jmespath("{""a"": [1, 2]}", "a[1]")', 2), ('json.jmespath("[", "a")', None)),
    ),
    Function(
        name="phone.e164",
        params=("text", "text"),
        optional=1,
        returns="text",
        call=_e164,
        check=_country_problem,
        summary="A phone number as +, country and digits; one without a country is of the second argument, else US.",
        examples=(
            ('phone.e164("(415) 555-2671")', "+14155552671"),
            ('phone.e164("030 901820", "DE")', "+4930901820"),
            ('phone.e164("12")', None),
        ),
    ),
)
