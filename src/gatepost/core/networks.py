"""Which IP addresses are not for the public internet, and what they are for."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

METADATA = "a metadata service of a cloud"

_TABLE: tuple[tuple[str, tuple[str, ...]], ...] = (
    # The narrow ranges come first: the first match names the reason.
    (
        METADATA,
        (
            *("169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32", "100.100.100.200/32"),
            *("192.0.0.192/32", "168.63.129.16/32", "fd00:ec2::/32", "fd20:ce::254/128"),
        ),
    ),
    ("unspecified", ("0.0.0.0/8", "::/128")),
    ("a loopback address", ("127.0.0.0/8", "::1/128")),
    ("a private address", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10")),
    ("a link-local address", ("169.254.0.0/16", "fe80::/10")),
    ("a carrier-grade NAT address", ("100.64.0.0/10",)),
    ("a multicast address", ("224.0.0.0/4", "ff00::/8")),
    ("a broadcast address", ("255.255.255.255/32",)),
    ("a documentation address", ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")),
    ("a documentation address", ("2001:db8::/32", "3fff::/20")),
    ("a benchmarking address", ("198.18.0.0/15", "2001:2::/48")),
    ("an IPv4 address mapped into IPv6", ("::ffff:0:0/96",)),
    ("an IPv4 address translated into IPv6", ("::ffff:0:0:0/96",)),
    ("an IPv4 address inside IPv6", ("::/96",)),
    ("a NAT64 address", ("64:ff9b::/96", "64:ff9b:1::/48")),
    ("a 6to4 address", ("192.88.99.0/24", "2002::/16")),
    ("a Teredo address", ("2001::/32",)),
    ("a reserved address", ("192.0.0.0/24", "240.0.0.0/4", "100::/64", "2001::/23", "5f00::/16")),
)
_RANGES = tuple((ip_network(text), reason) for reason, texts in _TABLE for text in texts)
_PUBLIC_V6 = IPv6Network("2000::/3")


@lru_cache(maxsize=4096)
def forbidden_reason(text: str) -> str | None:
    """Say what an address is, when it is not one of the public internet; None when it is."""
    try:
        address = ip_address(text)
    except ValueError:
        return "not an IP address"
    if isinstance(address, IPv6Address) and address.scope_id:
        return "a link-local address"
    for network, reason in _RANGES:
        if address in network:
            return reason
    if isinstance(address, IPv6Address) and (address not in _PUBLIC_V6 or _is_isatap(address)):
        return "a reserved address"
    return None


def _is_isatap(address: IPv6Address) -> bool:
    """ISATAP carries an IPv4 address in its last half, below any prefix."""
    return int(address) >> 32 & 0xFDFF_FFFF == 0x5EFE
