"""The gate in front of every route: who asks, may they, and for which account. No body is read before it opens."""

import itertools
import re
import traceback
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import parse_qsl

import msgspec
import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Request

from gatepost.app import App
from gatepost.model.catalog import Account, Scope, Token
from gatepost.model.errors import GatepostError, NotFound
from gatepost.operations.context import new_id
from gatepost.web.bodies import header
from gatepost.web.problems import REQUEST_ID, response_to
from gatepost.web.snapshot import CatalogSnapshot

CALLER = "gatepost.caller"
"""Where the caller of a request lies in its scope."""

_LOG = structlog.get_logger("gatepost.web")
_GUARDED = ("/api/", "/v2/", "/collect/")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_READING_POSTS = re.compile(
    r"/v2/erasure/[^/]+/verify|/v2/identity/lookup|/api/segment/(?:validate|size|scan|[^/]+/scan)|/v2/segment/backtest|/v2/template/(?:[^/]+/)?test"
)
_KEYS = ("key", "access_token")
_PROCESS = new_id()[:16]
_REQUESTS = itertools.count(1)
"""Requests are numbered within the process: a random id each would cost a system call."""


class Caller(msgspec.Struct, frozen=True):
    """Who asks."""

    token: Token
    account: Account


class Gate:
    """Admits requests with a good token, numbers them all, and answers for those that fail."""

    def __init__(self, inner: ASGIApp, app: App, snapshot: CatalogSnapshot) -> None:
        self._inner = inner
        self._app = app
        self._snapshot = snapshot

    async def __call__(self, scope: Request, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        scope[REQUEST_ID] = f"{_PROCESS}{next(_REQUESTS):016x}"
        exchange = _Exchange(scope, send)
        try:
            await self._serve(scope, receive, exchange)
        except ClientDisconnect:
            return
        except GatepostError as error:
            await exchange.fail(error, receive)
        except Exception as error:  # noqa: BLE001 - whatever a request raises, its sender gets an answer and the server goes on
            await exchange.fail(error, receive)

    async def _serve(self, scope: Request, receive: Receive, exchange: "_Exchange") -> None:
        path: str = scope["path"]
        if path.startswith(_GUARDED):
            needed = needed_scope(scope["method"], path)
            scope[CALLER] = await self._admit(scope, needed)
            if needed is Scope.ADMIN:
                exchange.before_start = self._snapshot.refresh
        if scope["method"] == "OPTIONS":
            await _options(scope)(scope, receive, exchange.send)
        elif scope["method"] == "HEAD":
            # The server leaves the body out; the application need not know.
            await self._inner({**scope, "method": "GET"}, receive, exchange.send)
        else:
            await self._inner(scope, receive, exchange.send)

    async def _admit(self, scope: Request, needed: Scope) -> Caller:
        await self._snapshot.look()
        given = parse_qsl(scope["query_string"].decode("latin-1")) if scope["query_string"] else []
        token, account = await self._app.doorkeeper.identify(token_text(scope, given), needed)
        for name, value in given:
            if name == "account_id" and value not in {account.id, str(account.number)}:
                raise NotFound("account", value[:64])
        return Caller(token, account)


def needed_scope(method: str, path: str) -> Scope:
    """Return what a token must be allowed: to send data, to read, or everything."""
    if path.startswith("/collect/"):
        return Scope.DATA
    if method in _READING or (method == "POST" and _READING_POSTS.fullmatch(path)):
        return Scope.READ
    return Scope.ADMIN


def token_text(scope: Request, query: Iterable[tuple[str, str]]) -> str:
    """Return the token of a request, raw or after `Bearer`; the header wins over the query."""
    text = header(scope["headers"], b"authorization").strip()
    if text[:7].lower() == "bearer ":
        return text[7:].strip()
    return text or next((value for name, value in query if name in _KEYS and value), "")


def allowed_methods(routes: Iterable[BaseRoute], scope: Request) -> str:
    """Return the methods that a path understands, for the `Allow` header; empty when there is no such path."""
    methods = {
        method
        for route in routes
        if route.matches(scope)[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }
    if not methods:
        return ""
    return ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))


class _Exchange:
    """One answer on its way out: it carries the request's id, and tells whether it has begun."""

    def __init__(self, scope: Request, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._begun = False
        self.before_start: Callable[[], Awaitable[None]] | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self.before_start is not None:
                step, self.before_start = self.before_start, None
                await step()
            self._begun = True
            message["headers"] = [*message["headers"], (b"request-id", self._scope[REQUEST_ID].encode())]
        await self._send(message)

    async def fail(self, error: Exception, receive: Receive) -> None:
        if not isinstance(error, GatepostError):
            # Frames only: neither the message nor the values of a request belong in a log.
            trace = "".join(traceback.format_tb(error.__traceback__))
            _LOG.error("request failed", id=self._scope[REQUEST_ID], error=type(error).__name__, trace=trace)
        if not self._begun:
            await response_to(self._scope, error)(self._scope, receive, self.send)


def _options(scope: Request) -> Response:
    allowed = allowed_methods(scope["app"].routes, scope)
    if not allowed:
        raise NotFound("route", scope["path"][:80])
    return Response(status_code=204, headers={"Allow": allowed})
