"""Where gatepost may send: which URLs, which hosts, which addresses."""

import re
from collections.abc import Iterable, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address, ip_network
from typing import NoReturn
from urllib.parse import quote, unquote

import msgspec

from gatepost.core.networks import METADATA, IPAddress, IPNetwork, forbidden_reason
from gatepost.model.errors import UnsafeUrl

__all__ = [
    "AllowList",
    "SafeUrl",
    "check_url",
    "erasing_reason",
    "forbidden_reason",
    "origin_of",
    "parse_allow_list",
    "refusal",
]

_URL = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII)
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*", re.ASCII)
_NUMERIC_END = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PORTS = {"https": 443, "http": 80}
_KEPT = "!$%&'()*+,/:;=?@[]~-._"

_LONGEST = 8_000
_DECODING_ROUNDS = 8
_ERASING = re.compile(
    r"/user/v\d+/(?:delete|anonymize|identity)(?![a-z0-9_-])|/(?:anonymize|identity)(?![a-z0-9_-])[^/]*$"
)
_INSIDER_ERASING = re.compile(r"(?<!/attribute)/delete(?![a-z0-9_-])[^/]*$")


class AllowList(msgspec.Struct, frozen=True, kw_only=True):
    """Exceptions from the guard: private receivers that the operator named."""

    hosts: frozenset[str] = frozenset()
    endpoints: frozenset[tuple[str, int]] = frozenset()
    """Hosts allowed at one port only."""
    networks: tuple[IPNetwork, ...] = ()

    def names(self, host: str, port: int) -> bool:
        """Say whether this host is allowed by name, wherever its name leads."""
        return host in self.hosts or (host, port) in self.endpoints

    def holds(self, address: IPAddress) -> bool:
        """Say whether this address lies in an allowed network."""
        return any(address in network for network in self.networks)


class SafeUrl(msgspec.Struct, frozen=True, kw_only=True):
    """A URL that passed the guard, in the one spelling that is sent."""

    url: str
    scheme: str
    host: str
    """Lower case, without brackets."""
    port: int
    literal: bool
    """The host is an address, so no name is looked up."""

    @property
    def origin(self) -> str:
        """The scheme, host and port, such as `https://unification.useinsider.com:443`."""
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}"


def parse_allow_list(entries: Iterable[str]) -> AllowList:
    """Read entries such as `crm.local`, `crm.local:8080`, `10.1.2.3` or `10.0.0.0/8`; raise UnsafeUrl."""
    hosts: set[str] = set()
    endpoints: set[tuple[str, int]] = set()
    networks: list[IPNetwork] = []
    for entry in filter(None, map(str.strip, entries)):
        if network := _network(entry):
            networks.append(network)
            continue
        host, port = _split_authority(entry.lower())
        if host is None or (port is not None and not 0 < port < 65_536):
            msg = f"{entry!r} does not fit the allow list; write a host, host:port or network (10.0.0.0/8)"
            raise UnsafeUrl(msg)
        if port is None:
            hosts.add(host)
        else:
            endpoints.add((host, port))
    return AllowList(hosts=frozenset(hosts), endpoints=frozenset(endpoints), networks=tuple(networks))


def check_url(url: str, allow: AllowList) -> SafeUrl:
    """Return the URL as it will be sent; raise UnsafeUrl, saying what would be right, when it may not be.

    A host name passes here by its form alone; its addresses are judged by `refusal` once they are known.
    """
    safe, path = _parse(url)
    literal = _literal(safe.host)
    named = allow.names(safe.host, safe.port)
    exempt = named or (literal is not None and allow.holds(literal))
    if safe.scheme == "http" and not exempt:
        _refuse(f"http is not encrypted; use https, or {_allowing(safe.host, safe.port)}")
    if (safe.host == "localhost" or safe.host.endswith(".localhost")) and not exempt:
        _refuse(f"{safe.host} is this machine; {_allowing(safe.host, safe.port)} if gatepost may send there")
    if literal is not None and (why := refusal(safe.host, safe.port, [safe.host], allow)):
        _refuse(why)
    if why := _erasing(safe.host, path):
        _refuse(why)
    return safe


def refused_url(url: str, allow: AllowList) -> str:
    """Return why a URL may not be called; empty when it may."""
    try:
        check_url(url, allow)
    except UnsafeUrl as error:
        return error.message
    return ""


def refusal(host: str, port: int, addresses: Sequence[str], allow: AllowList) -> str | None:
    """Say why a host with these addresses may not be called; None when every single one may.

    An allow-listed name may lead anywhere but to a metadata service, which must be allowed as a network.
    """
    named = allow.names(host, port)
    for text in addresses:
        reason = forbidden_reason(text)
        if reason is None or (named and reason != METADATA) or allow.holds(ip_address(text)):
            continue
        shown = text if text == host else f"{host} leads to {text}, which"
        return f"{shown} is {reason}; {_allowing(host, port)} if gatepost may send there"
    return None


def _allowing(host: str, port: int) -> str:
    named = f"[{host}]" if ":" in host else host
    return f"start gatepost with --allow-host {named}:{port}"


def origin_of(url: str) -> str:
    """Return scheme, host and port, such as `https://host:443`; raise UnsafeUrl for no web address."""
    return _parse(url)[0].origin


def erasing_reason(url: str) -> str | None:
    """Say why this URL erases people at the receiver, or None. Never raises, whatever the text."""
    if found := _URL.fullmatch(url.strip()):
        return _erasing(found[2].lower(), found[3])
    return _erasing("", re.split(r"[?#]", url, maxsplit=1)[0])


def _erasing(host: str, path: str) -> str | None:
    plain = _plain_path(path)
    if plain is None:
        return "the path is percent-encoded over and over; write it plainly"
    insider = re.search(r"(?:^|\.)useinsider\.com\.?(?::\d*)?$", host)
    found = _ERASING.search(plain) or (insider and _INSIDER_ERASING.search(plain))
    if not found:
        return None
    return (
        f"{found[0]} erases people or their identifiers at the receiver, for good; "
        "to take somebody out of an audience send to /api/user/v1/attribute/delete on the same host"
    )


def _plain_path(path: str) -> str | None:
    """Return the path as the laxest server may read it, or None when it never stops being encoded."""
    for _ in range(_DECODING_ROUNDS):
        decoded = unquote(path, errors="replace")
        if decoded == path:
            break
        path = decoded
    else:
        return None
    kept: list[str] = []
    for segment in re.split(r"[/\\]+", _CONTROL.sub("", path.casefold())):
        name = re.split(r"[;?#]", segment, maxsplit=1)[0].strip()
        if name == "..":
            del kept[-1:]
        elif name.strip("."):
            kept.append(name)
    return "/" + "/".join(kept)


def _parse(url: str) -> tuple[SafeUrl, str]:
    """Take a URL apart; return it with its path."""
    url = url.strip(" ")
    if len(url) > _LONGEST:
        _refuse(f"the URL has {len(url)} characters; {_LONGEST} are the most, so send data in the body")
    if _CONTROL.search(url):
        _refuse("the URL holds a control character or a line break; remove it")
    found = _URL.fullmatch(url)
    if found is None or (scheme := found[1].lower()) not in _PORTS:
        _refuse("this is not a web address; write it as https://host/path")
    _, authority, path, query, fragment = found.groups()
    if fragment is not None:
        _refuse("the URL has a fragment (#...), which is never sent; remove it, or write # as %23")
    _check_path(path)
    host, port = _host_and_port(authority, _PORTS[scheme])
    where = _bracketed(host) + ("" if port == _PORTS[scheme] else f":{port}")
    rest = quote((path or "/") + (query or ""), safe=_KEPT)
    sent = f"{scheme}://{where}{rest}"
    return SafeUrl(url=sent, scheme=scheme, host=host, port=port, literal=_literal(host) is not None), path


def _check_path(path: str) -> None:
    if "\\" in path:
        _refuse("the path holds a backslash, which some servers read as /; write it as %5C")
    if any(unquote(segment) in {".", ".."} for segment in path.split("/")):
        _refuse("the path has . or .. in it; write the path it leads to")


def _host_and_port(authority: str, default: int) -> tuple[str, int]:
    """Read the part between // and /; its text is never repeated, because it may hold a password."""
    if "@" in authority:
        _refuse("the URL holds a user name or password; put credentials into an authorization")
    if "\\" in authority or "%" in authority:
        _refuse("the host holds a character that no host name has; write it plainly")
    if not authority.isascii():
        _refuse("the host is not written in ASCII; write its international form, which starts with xn--")
    host, port = _split_authority(authority.lower())
    if host is None:
        _refuse("the host is not a name or an address; write it as api.example.com or api.example.com:8443")
    if port is not None and not 0 < port < 65_536:
        _refuse(f"{port} is not a port; ports go from 1 to 65535")
    return host, default if port is None else port


def _split_authority(text: str) -> tuple[str | None, int | None]:
    """Split a lower-case `host:port`; the host is None when it is neither a name nor an address."""
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        return None, None
    host = found[1]
    port = int(found[2]) if found[2] else None
    if host.startswith("["):
        return _ipv6(host[1:-1]), port
    host = host.removesuffix(".")
    if _NUMERIC_END.search(host):
        # Systems read 127.1, 0x7f.1, 0177.0.0.1 and 2130706433 as 127.0.0.1; only the plain form passes.
        return _ipv4(host), port
    return (host if len(host) <= 253 and _NAME.fullmatch(host) else None), port


def _ipv4(text: str) -> str | None:
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        return None


def _ipv6(text: str) -> str | None:
    try:
        return str(IPv6Address(text))
    except AddressValueError:
        return None


def _literal(host: str) -> IPAddress | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _network(entry: str) -> IPNetwork | None:
    try:
        return ip_network(entry.strip("[]"))
    except ValueError:
        return None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _refuse(message: str) -> NoReturn:
    raise UnsafeUrl(message)
