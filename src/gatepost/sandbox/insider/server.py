"""The sandbox as a web application, and the server that runs it."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gatepost.model.errors import OperatorError
from gatepost.sandbox.insider import answers
from gatepost.sandbox.insider.endpoint import CUT, Endpoint
from gatepost.sandbox.insider.inspection import Inspection
from gatepost.sandbox.insider.operations import calls
from gatepost.sandbox.insider.options import SandboxOptions
from gatepost.sandbox.insider.page import Page
from gatepost.sandbox.insider.sandbox import Sandbox, open_sandbox

_GRACE_SECONDS = 5
_KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep idle connections, so that none is closed under a request."""


def create_sandbox(options: SandboxOptions) -> Starlette:
    """Return the sandbox as an application; its folder is open from here until the application stops."""
    sandbox = open_sandbox(options)
    api = [Route(call.path, Endpoint(sandbox, call)) for call in calls()]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with _saving(sandbox):
            yield

    return Starlette(
        routes=[*api, *Inspection(sandbox).routes(), *Page(sandbox).routes()],
        lifespan=lifespan,
        exception_handlers={HTTPException: _without_body, Exception: _unknown_error},
    )


def serve(
    port: int,
    data: Path,
    *,
    host: str = "127.0.0.1",
    clock_manual: bool = False,
    rate_per_minute: int | None = 25_000,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Run the sandbox until SIGTERM or SIGINT; `ready` gets its address once it answers."""
    options = SandboxOptions(data=data, clock_manual=clock_manual, rate_per_minute=rate_per_minute)
    run_sandbox(options, port, host=host, ready=ready)


def run_sandbox(
    options: SandboxOptions, port: int, *, host: str = "127.0.0.1", ready: Callable[[str], None] | None = None
) -> None:
    """Run a sandbox with any options until SIGTERM or SIGINT; port 0 takes a free one."""
    with _listening(host, port) as listener, _signals_end_quietly():
        config = uvicorn.Config(
            create_sandbox(options),
            loop="uvloop",
            http=_CuttableProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        _Server(config, _address(listener), ready).run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, address: str, ready: Callable[[str], None] | None) -> None:
        super().__init__(config)
        self._address = address
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._ready and self.started:
            self._ready(self._address)


class _CuttableProtocol(HttpToolsProtocol):
    """Lets the application cut a connection, which ASGI itself has no word for."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CUT: self.transport.abort}  # type: ignore[dict-item] # not in ASGI's list


@asynccontextmanager
async def _saving(sandbox: Sandbox) -> AsyncIterator[None]:
    saving = asyncio.create_task(sandbox.writer.run())
    try:
        yield
    finally:
        sandbox.writer.stop()
        await saving
        sandbox.store.close()
    if sandbox.writer.trouble:
        raise OperatorError(sandbox.writer.trouble)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server((host, port), backlog=2_048, family=_family(host))
    except OSError as error:
        msg = f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}; choose another port"
        raise OperatorError(msg) from error
    with listener:
        yield listener


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _signals_end_quietly() -> Iterator[None]:
    """Keep a signal that uvicorn obeys, and raises again afterwards, from ending the process rudely."""
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread hears signals.
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def _without_body(_request: Request, error: Exception) -> Response:
    return Response(status_code=error.status_code if isinstance(error, HTTPException) else 500)


async def _unknown_error(_request: Request, _error: Exception) -> Response:
    answer = answers.UNKNOWN_ERROR
    return Response(answer.body, answer.status, media_type="application/json")
