"""What a render says about the request: body, address and extra headers."""

import re

import msgspec

from gatepost.model.catalog import TemplateType
from gatepost.model.errors import TemplateError
from gatepost.model.request import Header

_BODY, _URL, _HEADERS = "ly_template_body", "ly_template_url", "ly_template_headers"
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class RequestParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a template decides of a request; its headers win over the authorization's of the same name."""

    body: str
    url: str
    headers: tuple[Header, ...] = ()


def request_parts(rendered: str, default_url: str) -> RequestParts | None:
    """Return the parts of the request a render asks for, or None when it printed nothing or `null`: nothing is sent."""
    if rendered.strip() in {"", "null"}:
        return None
    members = _members(rendered)
    if _BODY not in members:
        return RequestParts(body=rendered, url=default_url)
    body = _body(bytes(members[_BODY]))
    if body is None:
        return None
    url = _text(members[_URL], _URL) if _URL in members else default_url
    headers = _headers(_text(members[_HEADERS], _HEADERS)) if _HEADERS in members else ()
    return RequestParts(body=body, url=url, headers=headers)


def compacted(body: str) -> str:
    """Return a JSON body without the white space between its parts, every number as it is; others stay as they are."""
    try:
        return msgspec.json.format(body, indent=-1)
    except msgspec.DecodeError:
        return body


def template_url(rendered: str, type_: TemplateType) -> str:
    """Return the address a URL template printed: as text in Handlebars, else as a JSON string."""
    if type_ is TemplateType.HANDLEBARS:
        return rendered.strip()
    try:
        return msgspec.json.decode(rendered, type=str)
    except msgspec.DecodeError as error:
        shown = rendered.strip()[:80]
        msg = f'a URL template prints one string, such as "https://example.com/hook"; this printed {shown}'
        raise TemplateError(msg) from error


def _members(rendered: str) -> dict[str, msgspec.Raw]:
    # Most renders have none of our keys, and a render that is not JSON is sent as it is.
    if _BODY not in rendered or not rendered.lstrip().startswith("{"):
        return {}
    try:
        return msgspec.json.decode(rendered, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return {}


def _body(printed: bytes) -> str | None:
    if printed == b"null":
        return None
    # A string is the body's own text; anything else is sent as printed, so that no number is rounded again.
    return msgspec.json.decode(printed, type=str) if printed.startswith(b'"') else printed.decode()


def _text(printed: msgspec.Raw, key: str) -> str:
    try:
        return msgspec.json.decode(printed, type=str)
    except msgspec.DecodeError as error:
        msg = f"{key} is {bytes(printed)[:80].decode('utf-8', 'ignore')}; it must be text"
        raise TemplateError(msg) from error


def _headers(text: str) -> tuple[Header, ...]:
    lines = enumerate(text.replace("\r\n", "\n").split("\n"), start=1)
    return tuple(_header(line, number) for number, line in lines if line.strip())


def _header(line: str, number: int) -> Header:
    name, colon, value = line.partition(":")
    if not colon or not _NAME.fullmatch(name.strip()) or _CONTROL.search(value):
        # The line itself may hold a credential, so it is not shown.
        msg = f"line {number} of {_HEADERS} is not a header; write lines such as X-Source: gatepost"
        raise TemplateError(msg)
    return name.strip(), value.strip()
