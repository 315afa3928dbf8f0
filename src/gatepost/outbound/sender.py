"""The way out: one request, one answer, and nothing a receiver does can hold, flood or mislead us."""

import asyncio
import io
import socket
import ssl
from contextvars import ContextVar
from functools import lru_cache

import aiohttp
import msgspec
from aiohttp.connector import AddrInfoType
from multidict import CIMultiDict
from yarl import URL

from gatepost import __version__
from gatepost.core.addresses import AllowList, SafeUrl, check_url
from gatepost.model.delivery import ErrorClass
from gatepost.model.errors import Blocked, Unreachable, UnsafeUrl
from gatepost.model.request import Answer, Request
from gatepost.outbound.encodings import decoded
from gatepost.outbound.failures import unreachable
from gatepost.outbound.resolver import GuardedResolver, Lookup, SystemLookup

_OWN_HEADERS = {"User-Agent": f"gatepost/{__version__}", "Accept-Encoding": "identity"}
_LARGE_BODY = 1 << 20
_URLS_KEPT = 4096

_settled: ContextVar[list[str]] = ContextVar("settled")
"""Why the attempt under way must not be repeated at once: it opened a connection, or an answer began."""


class SendOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How long, how much and where."""

    allow: AllowList = AllowList()
    deadline_s: float = 30.0
    """From the start to the last byte of the answer, name look-up and second try included."""
    connect_s: float = 10.0
    lookup_s: float = 5.0
    lookup_kept_s: int = 30
    """How long a vetted look-up serves new connections."""
    answer_limit: int = 1 << 20
    """The most bytes of an answer that are read."""
    connections: int = 1024
    """The most in use at once; a request that finds none free waits within its deadline."""
    connections_per_host: int = 256
    keep_alive_s: float = 30.0


class HttpSender:
    """Sends over HTTP. Belongs to the event loop it first sends in."""

    def __init__(
        self, options: SendOptions, *, lookup: Lookup | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._options = options
        self._system_lookup: SystemLookup | None = None
        if lookup is None:
            lookup = self._system_lookup = SystemLookup()
        self._lookup: Lookup = lookup
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None
        self._target = lru_cache(_URLS_KEPT)(self._checked)

    async def send(self, request: Request) -> Answer:
        """Send; raise Unreachable when no whole answer came, Blocked when the guard said no."""
        try:
            safe, url = self._target(request.url)
        except UnsafeUrl as error:
            raise Blocked(error.message) from error
        # The causes are cut off below: they quote the URL and the headers, which a traceback would print.
        try:
            async with asyncio.timeout(self._options.deadline_s):
                return await self._exchanged(request, url)
        except aiohttp.ClientError as error:
            raise unreachable(error, safe.origin) from None
        except TimeoutError:
            message = f"{safe.origin}: no whole answer within {self._options.deadline_s:g} s"
            raise Unreachable(message, error_class=ErrorClass.TIMEOUT_ANSWER) from None
        except OSError as error:
            raise unreachable(error, safe.origin) from None
        except ValueError:
            raise Blocked(f"{safe.origin}: the method or a header is not valid HTTP; mend the job") from None

    async def close(self) -> None:
        """Close every connection."""
        if self._session:
            await self._session.close()
            self._session = None
        if self._system_lookup:
            self._system_lookup.close()

    def _checked(self, url: str) -> tuple[SafeUrl, URL]:
        safe = check_url(url, self._options.allow)
        return safe, URL(safe.url, encoded=True)

    async def _exchanged(self, request: Request, url: URL) -> Answer:
        """Exchange once, and once more when a kept connection turns out to be gone."""
        settled: list[str] = []
        _settled.set(settled)
        try:
            return await self._exchange(request, url)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientConnectionResetError):
            if settled:
                raise
        return await self._exchange(request, url)

    async def _exchange(self, request: Request, url: URL) -> Answer:
        session = self._session or self._open_session()
        body = request.body
        async with session.request(
            request.method,
            url,
            data=io.BytesIO(body) if len(body) > _LARGE_BODY else body or None,
            headers=CIMultiDict(request.headers),
            allow_redirects=False,
        ) as response:
            _settled.get().append("answered")
            return await self._answer(response)

    async def _answer(self, response: aiohttp.ClientResponse) -> Answer:
        limit = self._options.answer_limit
        body, truncated = await _read(response, limit)
        headers = {name.lower(): _printable(value) for name, value in response.headers.items()}
        if "content-encoding" in headers:
            body, cut = decoded(body, headers["content-encoding"], limit)
            truncated = truncated or cut
        return Answer(status=response.status, headers=headers, body=body, truncated=truncated)

    def _open_session(self) -> aiohttp.ClientSession:
        options = self._options
        connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(options.allow, self._lookup, options.lookup_s),
            ttl_dns_cache=options.lookup_kept_s,
            limit=options.connections,
            limit_per_host=options.connections_per_host,
            keepalive_timeout=options.keep_alive_s,
            socket_factory=_open_socket,
            ssl=self._tls or True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=options.connect_s),
            headers=_OWN_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        return self._session


async def _read(response: aiohttp.ClientResponse, limit: int) -> tuple[bytes, bool]:
    """Read the body as far as the limit; beyond it the connection is dropped with what it still holds."""
    length = response.content_length
    if length is not None and length <= limit:
        return await response.read(), False
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            response.close()
            break
    return b"".join(chunks)[:limit], size > limit


def _open_socket(address: AddrInfoType) -> socket.socket:
    """Open a socket as the connector would, and note that this attempt has its own connection."""
    _settled.get().append("connected")
    family, kind, protocol, _, _ = address
    return socket.socket(family, kind, protocol)


def _printable(value: str) -> str:
    """Replace bytes that are no text, which the client keeps as surrogates that cannot be stored."""
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
