"""Credentials onto a request, from the texts a user typed into an authorization."""

import re
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import quote

import msgspec

from gatepost.model.errors import InvalidInput
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.request import Header, Request

HEADERS_KEY = "webhook_request_headers"
PARAMS_KEY = "webhook_request_params"

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]+")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_KEPT = "!$%'()*+,/:;=?@[]~-._"
_LONGEST = 16_384

_OURS = frozenset(
    (
        *("host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer"),
        *("upgrade", "expect", "proxy-connection", "proxy-authorization", "proxy-authenticate"),
        *("accept-encoding", "content-encoding", "gatepost-delivery-id"),
    )
)
"""Headers that belong to the connection or to gatepost itself."""


class HeaderParamAuth(msgspec.Struct, frozen=True, kw_only=True):
    """Headers and URL parameters that go with every request; shown by their names only."""

    headers: tuple[Header, ...] = ()
    params: tuple[tuple[str, str], ...] = ()
    """Percent-encoded, ready to send."""

    def __repr__(self) -> str:
        headers = [name for name, _ in self.headers]
        params = [name for name, _ in self.params]
        return f"HeaderParamAuth(headers={headers}, params={params})"


NO_AUTH = HeaderParamAuth()


def parse_header_param_auth(config: Mapping[str, JsonValue]) -> HeaderParamAuth:
    """Read the configuration of an authorization as Lytics has it; raise InvalidInput with its place.

    Both texts are optional: `Name: value` line by line, and `name=value&name=value`.
    """
    for key, value in config.items():
        if key not in {HEADERS_KEY, PARAMS_KEY} and value:
            _refuse(key, f"there is no such setting here; there are {HEADERS_KEY} and {PARAMS_KEY}")
    return HeaderParamAuth(
        headers=_headers(_text(config, HEADERS_KEY)), params=_params(_text(config, PARAMS_KEY))
    )


def authorized(request: Request, auth: HeaderParamAuth) -> Request:
    """Return the request with the credentials added; a header of the authorization replaces its namesake."""
    if not auth.headers and not auth.params:
        return request
    names = {name.lower() for name, _ in auth.headers}
    kept = tuple(header for header in request.headers if header[0].lower() not in names)
    return Request(
        method=request.method,
        url=_with_params(request.url, auth.params) if auth.params else request.url,
        headers=kept + auth.headers,
        body=request.body,
    )


def _with_params(url: str, params: tuple[tuple[str, str], ...]) -> str:
    joint = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return url + joint + "&".join(f"{name}={value}" for name, value in params)


def _text(config: Mapping[str, JsonValue], key: str) -> str:
    value = config.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        _refuse(key, f"{key} is one text, not {type(value).__name__}")
    if len(value) > _LONGEST:
        _refuse(key, f"{key} has {len(value)} characters; {_LONGEST} are the most")
    return value


def _headers(text: str) -> tuple[Header, ...]:
    headers: dict[str, Header] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        header = _header(line.removesuffix("\r"), number)
        if headers.setdefault(header[0].lower(), header) is not header:
            _refuse(HEADERS_KEY, f"line {number} repeats the header {header[0]}; keep one of them")
    return tuple(headers.values())


def _header(line: str, number: int) -> Header:
    """Read one line; errors name it by its number only, for the text may be a secret."""
    name, colon, value = line.partition(":")
    name, value = name.strip(" \t"), value.strip(" \t")
    if not colon:
        _refuse(HEADERS_KEY, f"line {number} has no colon; write Name: value")
    if not _TOKEN.fullmatch(name):
        _refuse(HEADERS_KEY, f"line {number} has no valid header name before its colon; write Name: value")
    if name.lower() in _OURS:
        _refuse(HEADERS_KEY, f"line {number} sets {name}, which gatepost sets itself; remove the line")
    if not value:
        _refuse(HEADERS_KEY, f"line {number} has no value after its colon; write {name}: value")
    if not _VALUE.fullmatch(value):
        _refuse(HEADERS_KEY, f"line {number} holds a character no header may carry; use printable ASCII")
    return name, value


def _params(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [pair for pair in text.strip().removeprefix("?").split("&") if pair]
    return tuple(_param(pair, number) for number, pair in enumerate(pairs, start=1))


def _param(pair: str, number: int) -> tuple[str, str]:
    name, equals, value = pair.partition("=")
    if not equals or not name:
        _refuse(PARAMS_KEY, f"parameter {number} is not name=value; write k1=v1&k2=v2")
    if not pair.isprintable():
        _refuse(PARAMS_KEY, f"parameter {number} holds a control character or a line break; remove it")
    return _encoded(name), _encoded(value)


def _encoded(text: str) -> str:
    """Percent-encode what a URL cannot carry and keep what is encoded already."""
    return quote(_BARE_PERCENT.sub("%25", text), safe=_KEPT)


def _refuse(key: str, message: str) -> NoReturn:
    raise InvalidInput(message, path=f"config.{key}")
