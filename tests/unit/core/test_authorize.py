from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.core.authorize import NO_AUTH, HeaderParamAuth, authorized, parse_header_param_auth
from gatepost.model.errors import InvalidInput
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.request import Request

UPSERT = Request(
    method="POST",
    url="https://unification.useinsider.com/api/user/v1/upsert",
    headers=(("Content-Type", "application/json"),),
    body=b"{}",
)


def auth(headers: str = "", params: str = "") -> HeaderParamAuth:
    return parse_header_param_auth({"webhook_request_headers": headers, "webhook_request_params": params})


def test_the_two_header_lines_of_the_guide_go_with_every_request() -> None:
    insider = auth("X-PARTNER-NAME: acme\nX-REQUEST-TOKEN: t0ken:with=colon")

    request = authorized(UPSERT, insider)

    assert request.headers == (
        ("Content-Type", "application/json"),
        ("X-PARTNER-NAME", "acme"),
        ("X-REQUEST-TOKEN", "t0ken:with=colon"),
    )
    assert (request.method, request.url, request.body) == (UPSERT.method, UPSERT.url, UPSERT.body)


@pytest.mark.parametrize("text", ["A:1\nB: 2", "A: 1\r\n\r\nB:2\r\n", "  A : 1  \n\n B:\t2\t"])
def test_lines_are_read_however_they_were_typed(text: str) -> None:
    assert auth(text).headers == (("A", "1"), ("B", "2"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h.example/x", "https://h.example/x?key=a%20b&sig=c+d%2F="),
        ("https://h.example/x?y=1", "https://h.example/x?y=1&key=a%20b&sig=c+d%2F="),
        ("https://h.example/x?", "https://h.example/x?key=a%20b&sig=c+d%2F="),
        ("https://h.example/x?y=1&", "https://h.example/x?y=1&key=a%20b&sig=c+d%2F="),
    ],
)
def test_parameters_join_those_the_url_has_and_keep_their_encoding(url: str, expected: str) -> None:
    secret = auth(params="key=a b&sig=c+d%2F=")

    assert authorized(Request(method="GET", url=url), secret).url == expected


def test_a_credential_replaces_a_header_of_the_same_name() -> None:
    request = authorized(UPSERT, auth("content-type: application/vnd.acme+json"))

    assert request.headers == (("content-type", "application/vnd.acme+json"),)


@pytest.mark.parametrize("config", [{}, {"webhook_request_headers": None, "webhook_request_params": " \n"}])
def test_an_authorization_may_be_empty(config: dict[str, JsonValue]) -> None:
    empty = parse_header_param_auth(config)

    assert empty == NO_AUTH
    assert authorized(UPSERT, empty) is UPSERT


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("X-A: 1\nhunter2", "line 2 has no colon"),
        ("hunter2 x: 1", "no valid header name"),
        (": hunter2", "no valid header name"),
        ("X\u00e4: hunter2", "no valid header name"),
        ("X-A:", "no value"),
        ("X-A: hunter2\rX-Evil: 1", "printable ASCII"),
        ("X-A: hunter2\x00", "printable ASCII"),
        ("X-A: hunter2\u2028X-Evil: 1", "printable ASCII"),
        ("X-A: hunter2\u00fc", "printable ASCII"),
        ("Host: hunter2", "sets Host, which gatepost sets itself"),
        ("content-LENGTH: 3", "gatepost sets itself"),
        ("Transfer-Encoding: chunked", "gatepost sets itself"),
        ("Connection: close", "gatepost sets itself"),
        ("Proxy-Authorization: Basic hunter2", "gatepost sets itself"),
        ("Accept-Encoding: br", "gatepost sets itself"),
        ("Gatepost-Delivery-Id: 1", "gatepost sets itself"),
        ("X-A: 1\nx-a: hunter2", "line 2 repeats the header x-a"),
        ("X-A: " + "x" * 20_000, "16384"),
    ],
)
def test_a_line_that_would_break_the_request_is_refused_without_showing_it(text: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        auth(text)

    assert hint in refused.value.message
    assert "hunter2" not in refused.value.message
    assert refused.value.path == "config.webhook_request_headers"


@pytest.mark.parametrize("text", ["hunter2", "k=1&hunter2", "=hunter2", "k=hunter2\r\nX: 1", "k=\x00hunter2"])
def test_a_parameter_that_is_no_pair_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        auth(params=text)

    assert "hunter2" not in refused.value.message
    assert refused.value.path == "config.webhook_request_params"


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"webhook_request_headers": {"X-A": "1"}}, "config.webhook_request_headers"),
        ({"webhook_request_params": 7}, "config.webhook_request_params"),
        ({"webhook_request_header": "X-A: 1"}, "config.webhook_request_header"),
    ],
)
def test_a_misspelt_or_misshapen_setting_is_refused_at_its_place(
    config: dict[str, JsonValue], path: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_header_param_auth(config)

    assert refused.value.path == path


def test_printing_an_authorization_shows_names_and_never_values() -> None:
    secret = auth("X-REQUEST-TOKEN: hunter2", "key=hunter2")

    for shown in (repr(secret), str(secret), f"{secret}"):
        assert "hunter2" not in shown
        assert "X-REQUEST-TOKEN" in shown


@given(value=st.text(st.characters(min_codepoint=32, exclude_characters="&%+\x7f"), min_size=1, max_size=30))
def test_a_receiver_reads_back_the_parameter_that_was_typed(value: str) -> None:
    try:
        secret = auth(params=f"k=.{value}.")
    except InvalidInput:
        assert not value.isprintable()
        return

    url = authorized(Request(method="GET", url="https://h.example/"), secret).url

    assert parse_qsl(urlsplit(url).query) == [("k", f".{value}.")]
