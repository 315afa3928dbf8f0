from typing import Any

import pytest

from gatepost.core.filterql import FUNCTIONS, Function, compile_expression
from gatepost.core.filterql.functions import BY_NAME, windows
from gatepost.core.filterql.functions.hashes import siphash
from gatepost.core.timestamps import parse_time
from gatepost.model.errors import FilterError
from gatepost.model.times import parse_duration
from tests.windows import folded, make_event, plan_of

EVENT_TIME = parse_time("2014-04-07T16:58:55Z")
EXAMPLES = [
    pytest.param(text, expected, id=text)
    for function in FUNCTIONS
    for text, expected in function.examples
    if not function.shape
]
OF_VALUES = [function for function in FUNCTIONS if not function.shape]
OVER_WINDOWS = [
    pytest.param(text, expected, id=text)
    for function in windows.FUNCTIONS
    for text, expected in function.examples
]


@pytest.mark.parametrize(("text", "expected"), EXAMPLES)
def test_every_example_of_a_function_holds(text: str, expected: Any) -> None:
    assert EVENT_TIME is not None
    expression = compile_expression(text)

    value = expression.evaluate({"utm_source": "mail", "city": "Lisbon"}, EVENT_TIME)

    assert expected == value
    assert type(expected) is type(value)


@pytest.mark.parametrize(("text", "expected"), OVER_WINDOWS)
def test_every_example_of_a_function_over_windows_holds(text: str, expected: bool) -> None:
    assert EVENT_TIME is not None
    plan = plan_of(text)
    events = [
        make_event(number, EVENT_TIME - parse_duration(ago), **dict[str, Any](body))
        for number, (ago, body) in enumerate(windows.HISTORY)
    ]
    profile = folded(plan, events, EVENT_TIME)

    verdict = plan.audiences[1].filter.evaluate({}, profile.windows, EVENT_TIME)

    assert expected == verdict.matches


DOCUMENTED = """
    count valuect sum min max set map match timebucket avg sqrt pow eq ne lt le gt ge any all oneof if ifcase
    in contains hasprefix hassuffix regex.match tolower string.lowercase string.uppercase string.titlecase
    string.index string.substr split strip replace join len array.index array.slice filter filtermatch mapkeys
    mapvalues mapinvert maptime toint tonumber tobool tostring cast unsign todate todatein now epochms yy mm
    monthofyear yymm dayofweek hourofday hourofweek totimestamp seconds extract strftime unixtrunc hash.sip
    hash hash.md5 hash.sha1 hash.sha256 hash.sha512 encoding.b64encode encoding.b64decode email emailname
    emaildomain domain domains host hosts path url urlmain urldecode urlminusqs url.matchqs qs qsl qs2
    useragent useragent.map ipfilter phone.e164 uuid json.jmespath timewindow
"""
"""The functions that Lytics documents, but for those that are the language's own, and `geodistance`."""


def test_every_function_lytics_documents_is_known_by_its_name() -> None:
    assert [name for name in DOCUMENTED.split() if name not in BY_NAME] == []


def test_what_looks_like_a_function_and_belongs_to_the_language_works_in_expressions() -> None:
    event = {"x": "5", "empty": ""}

    answers = {
        text: compile_expression(text).evaluate(event, 0)
        for text in (
            "cast(x as int)",
            "not(eq(x, 5))",
            "and(exists(empty), exists(x))",
            "or(exists(y), exists(x))",
        )
    }

    assert list(answers.values()) == [5, False, True, True]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_every_function_has_a_sentence_and_an_example_of_itself(function: Function) -> None:
    assert function.summary.endswith(".")
    assert any(
        f"{name}(" in text for name in (function.name, *function.aliases) for text, _ in function.examples
    )
    assert [bool(function.operator), bool(function.call), bool(function.shape)].count(True) == 1


def test_no_two_functions_share_a_name() -> None:
    assert len(BY_NAME) == sum(1 + len(function.aliases) for function in FUNCTIONS)


@pytest.mark.parametrize("function", OF_VALUES, ids=lambda function: function.name)
@pytest.mark.parametrize(
    "odd", [None, "", " ", "x", -1, 10**30, 1e308, True, [], ["a", None, {}], {}, {"": None}]
)
def test_no_function_fails_on_odd_values(function: Function, odd: Any) -> None:
    assert EVENT_TIME is not None
    literals = [
        '"Europe/Berlin"' if function.name == "todatein" and at == 1 else "odd"
        for at in range(function.least)
    ]
    expression = compile_expression(f"{function.name}({', '.join(literals)})")

    expression.evaluate({"odd": odd}, EVENT_TIME)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('regex.match(url, "(")', "is no regular expression"),
        ('regex.match(url, "a(?=b)")', "is no regular expression"),
        ('json.jmespath(raw, "a[")', "is no JMESPath"),
        ('phone.e164(phone, "Germany")', "such as US"),
        ('useragent(ua, "colour")', "has no part colour"),
        ('cast(total, "integer")', "write one of string, int"),
        ("timewindow(visits, 0, 7)", "whole numbers"),
        ("timewindow(visits, 5, 90)", "31 days at most"),
    ],
)
def test_a_literal_a_function_cannot_use_is_refused_beforehand(text: str, words: str) -> None:
    with pytest.raises(FilterError, match=words):
        compile_expression(text)


def test_a_hostile_pattern_takes_no_longer_than_any_other() -> None:
    assert EVENT_TIME is not None
    hostile = compile_expression('regex.match(text, "(a*)*(a|aa)+$")')

    assert hostile.evaluate({"text": "a" * 50_000 + "b"}, EVENT_TIME) is False


def test_siphash_gives_the_published_vector() -> None:
    key = (0x0706050403020100, 0x0F0E0D0C0B0A0908)

    assert 0xA129CA6149BE45E5 == siphash(bytes(range(15)), key)
