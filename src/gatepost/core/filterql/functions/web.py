"""Functions on addresses: mail, web and network."""

import ipaddress
from collections.abc import Callable
from email.utils import parseaddr
from functools import lru_cache
from urllib.parse import SplitResult, unquote_plus, urlsplit

from publicsuffixlist import PublicSuffixList

from gatepost.core.filterql.functions.record import Function, on_text
from gatepost.core.filterql.values import is_list, text_of
from gatepost.core.filterql.wildcards import is_pattern, matcher
from gatepost.model.jsonvalue import JsonValue


def _address(value: JsonValue) -> tuple[str, str]:
    """Split into display name and lower-case address; the address is empty when there is none."""
    if is_list(value):
        value = next(iter(value), None)
    text = text_of(value) or ""
    name, address = parseaddr(text)
    user, _, host = address.rpartition("@")
    return (name, address.lower()) if user and host and " " not in address else ("", "")


def _split(text: str) -> SplitResult | None:
    """Take an address apart; one without a scheme is read as a web address."""
    try:
        return urlsplit(text if "://" in text else f"//{text.removeprefix('//')}")
    except ValueError:
        return None


def _of_url(read: Callable[[SplitResult], str]) -> Callable[[JsonValue], JsonValue]:
    def change(text: str) -> str | None:
        parts = _split(text.strip())
        return (read(parts) or None) if parts else None

    return on_text(change)


def _host(parts: SplitResult) -> str:
    return parts.hostname or ""


def _main(parts: SplitResult) -> str:
    return f"{_host(parts)}{parts.path}"


def _whole(parts: SplitResult) -> str:
    return parts._replace(netloc=parts.netloc.lower(), fragment="").geturl() if parts.netloc else ""


def _pairs(query: str) -> list[tuple[str, str]]:
    """List the keys of a query with the pair as written."""
    return [(unquote_plus(pair.partition("=")[0]), pair) for pair in query.split("&") if pair]


def _query_value(url: JsonValue, key: JsonValue) -> str | None:
    parts, wanted = _split(text_of(url) or ""), text_of(key)
    for name, pair in _pairs(parts.query) if parts and wanted else ():
        if name == wanted:
            return unquote_plus(pair.partition("=")[2]) or None
    return None


def _lower_query_value(url: JsonValue, key: JsonValue) -> str | None:
    return _query_value((text_of(url) or "").lower(), (text_of(key) or "").lower())


def _without_key(url: JsonValue, key: JsonValue) -> str | None:
    text, unwanted = text_of(url), text_of(key)
    parts = _split(text) if text else None
    if text is None or parts is None:
        return None
    kept = "&".join(pair for name, pair in _pairs(parts.query) if name != unwanted)
    shortened = parts._replace(query=kept).geturl()
    return shortened if "://" in text else shortened.removeprefix("//")


def _matching_query(url: JsonValue, *patterns: JsonValue) -> str | None:
    text = text_of(url)
    parts = _split(text) if text else None
    if parts is None:
        return None
    tests = [matcher(one if is_pattern(one) else f"{one}*") for item in patterns if (one := text_of(item))]
    kept = "&".join(pair for name, pair in _pairs(parts.query) if any(test(name) for test in tests))
    return _main(parts) + (f"?{kept}" if kept else "")


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    # Reading the packaged list takes a while, so it waits until somebody asks.
    return PublicSuffixList()


def _domain(parts: SplitResult) -> str:
    return _suffixes().privatesuffix(_host(parts)) or ""


def _each(read: Callable[[SplitResult], str]) -> Callable[..., JsonValue]:
    def call(*values: JsonValue) -> JsonValue:
        one = _of_url(read)
        items = [item for value in values for item in (value if is_list(value) else (value,))]
        return list(dict.fromkeys(found for item in items if (found := one(item)))) or None

    return call


def _ipfilter(address: JsonValue, network: JsonValue) -> bool | None:
    try:
        return ipaddress.ip_address(text_of(address) or "") in ipaddress.ip_network(
            text_of(network) or "", strict=False
        )
    except ValueError:
        return None


FUNCTIONS = (
    Function(
        name="email",
        params=("any",),
        returns="text",
        call=lambda value: _address(value)[1] or None,
        summary="The mail address in lower case, also out of a name and address; no value without an @.",
        examples=(('email("Bob <Bob@Example.com>")', "bob@example.com"), ('email("bob")', None)),
    ),
    Function(
        name="emailname",
        params=("any",),
        returns="text",
        call=lambda value: _address(value)[0] or None,
        summary="The display name before a mail address.",
        examples=(('emailname("Bob <bob@example.com>")', "Bob"),),
    ),
    Function(
        name="emaildomain",
        params=("any",),
        returns="text",
        call=lambda value: _address(value)[1].rpartition("@")[2] or None,
        summary="The part of a mail address after the @.",
        examples=(('emaildomain("bob@Example.com")', "example.com"),),
    ),
    Function(
        name="host",
        params=("text",),
        returns="text",
        call=_of_url(_host),
        summary="The host of a web address in lower case.",
        examples=(('host("https://www.Example.com/a")', "www.example.com"),),
    ),
    Function(
        name="hosts",
        params=("any",),
        rest=True,
        returns="list",
        call=_each(_host),
        summary="The distinct hosts of web addresses, lists spread.",
        examples=(('hosts("http://a.com/1", "http://a.com/2", "http://b.com")', ["a.com", "b.com"]),),
    ),
    Function(
        name="domain",
        params=("text",),
        returns="text",
        call=_of_url(_domain),
        summary="The registrable domain of a web address: the public suffix and the label before it.",
        examples=(
            ('domain("https://www.Example.co.uk/a")', "example.co.uk"),
            ('domain("http://com/")', None),
        ),
    ),
    Function(
        name="domains",
        params=("any",),
        rest=True,
        returns="list",
        call=_each(_domain),
        summary="The distinct registrable domains of web addresses, lists spread.",
        examples=(('domains("http://a.example.com", "http://b.example.com")', ["example.com"]),),
    ),
    Function(
        name="path",
        params=("text",),
        returns="text",
        call=_of_url(lambda parts: parts.path),
        summary="The path of a web address.",
        examples=(('path("https://www.Example.com/blog/hello.html")', "/blog/hello.html"),),
    ),
    Function(
        name="url",
        params=("text",),
        returns="text",
        call=_of_url(_whole),
        summary="A web address with its host in lower case and without its fragment.",
        examples=(
            ('url("https://www.Example.com/a?b=1#top")', "https://www.example.com/a?b=1"),
            ('url("")', None),
        ),
    ),
    Function(
        name="urlmain",
        params=("text",),
        returns="text",
        call=_of_url(_main),
        summary="Host and path of a web address, without scheme and query.",
        examples=(('urlmain("https://www.Example.com/a?b=1")', "www.example.com/a"),),
    ),
    Function(
        name="urldecode",
        params=("text",),
        returns="text",
        call=on_text(unquote_plus),
        summary="The text with its percent signs decoded.",
        examples=(('urldecode("a%20b")', "a b"),),
    ),
    Function(
        name="urlminusqs",
        params=("text", "text"),
        returns="text",
        call=_without_key,
        summary="A web address without one key of its query.",
        examples=(('urlminusqs("http://example.com/a?b=1&c=2", "b")', "http://example.com/a?c=2"),),
    ),
    Function(
        name="url.matchqs",
        params=("text", "text"),
        rest=True,
        returns="text",
        call=_matching_query,
        summary="Host and path of a web address with just the query keys that fit a pattern.",
        examples=(('url.matchqs("http://example.com/a?mc_id=1&pid=2", "mc_*")', "example.com/a?mc_id=1"),),
    ),
    Function(
        name="qs",
        aliases=("qsl",),
        params=("text", "text"),
        returns="text",
        call=_lower_query_value,
        summary="The value of a query key, all in lower case.",
        examples=(('qs("http://example.com/?UTM=Mail", "utm")', "mail"),),
    ),
    Function(
        name="qs2",
        params=("text", "text"),
        returns="text",
        call=_query_value,
        summary="The value of a query key, as written.",
        examples=(('qs2("http://example.com/?UTM=Mail", "UTM")', "Mail"),),
    ),
    Function(
        name="ipfilter",
        params=("text", "text"),
        returns="bool",
        call=_ipfilter,
        summary="True when a network address lies in a network; no value when one of them is malformed.",
        examples=(('ipfilter("127.0.0.1", "127.0.0.0/8")', True), ('ipfilter("x", "127.0.0.0/8")', None)),
    ),
)
