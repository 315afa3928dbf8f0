"""Host names to addresses, every one of them vetted: the connector connects to nothing else."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import cast

from aiohttp.abc import AbstractResolver, ResolveResult

from gatepost.core.addresses import AllowList, refusal
from gatepost.model.delivery import ErrorClass
from gatepost.model.errors import Blocked, Unreachable

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Finds the addresses of a host; raises OSError when there are none."""

_THREADS = 32
"""A dead name server holds a thread for seconds; there must be enough for the living."""


class SystemLookup:
    """Asks the operating system, in threads of its own so that slow names wait only for each other."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="lookup")

    async def __call__(self, host: str, port: int) -> list[str]:
        """Return every address of the host, best first."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _addresses, host, port)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Start no more look-ups; wait for none."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedResolver(AbstractResolver):
    """Looks a name up once per connection and lets only a wholly allowed answer through."""

    def __init__(self, allow: AllowList, lookup: Lookup, budget_s: float) -> None:
        self._allow = allow
        self._lookup = lookup
        self._budget_s = budget_s

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses; raise Blocked when one is forbidden, Unreachable when there are none."""
        addresses = await self._addresses(host, port)
        if not addresses:
            raise Unreachable(f"the name {host} has no address", error_class=ErrorClass.DNS)
        if reason := refusal(host, port, addresses, self._allow):
            raise Blocked(reason)
        results = [_result(host, port, address) for address in addresses]
        wanted = [one for one in results if family in {socket.AF_UNSPEC, one["family"]}]
        if not wanted:
            raise Unreachable(
                f"the name {host} has no address of the kind asked for", error_class=ErrorClass.DNS
            )
        return wanted

    async def close(self) -> None:
        """Hold nothing that needs closing."""

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            async with asyncio.timeout(self._budget_s):
                return await self._lookup(host, port)
        except TimeoutError as error:
            message = f"the name {host} was not resolved within {self._budget_s:g} s"
            raise Unreachable(message, error_class=ErrorClass.TIMEOUT_DNS) from error
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "the look-up failed"
            raise Unreachable(
                f"the name {host} was not resolved: {reason}", error_class=ErrorClass.DNS
            ) from error


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # A scope (fe80::1%eth0) only ever comes with link-local addresses, which the guard names as such.
    return [cast("str", entry[4][0]) for entry in found]


def _result(host: str, port: int, address: str) -> ResolveResult:
    is_v4 = ip_address(address).version == 4
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET if is_v4 else socket.AF_INET6,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
