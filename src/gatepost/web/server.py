"""The server: one gatepost and its HTTP face, started and stopped together."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from gatepost.app import App
from gatepost.model.errors import OperatorError
from gatepost.web.application import create_application
from gatepost.web.front import Front

Ready = Callable[[str, str], None]
"""Called with the address, and with the administrator token's text when this start made it."""

_GRACE_SECONDS = 3
"""How long requests under way may take when the server stops."""
_BACKLOG = 2_048


async def serve(app: App, *, host: str, port: int, ready: Ready, until: asyncio.Event | None = None) -> None:
    """Start gatepost and serve it until SIGTERM, SIGINT or the event; port 0 takes a free one."""
    try:
        with _listening(host, port) as listener:
            token = await app.start()
            server = _Server(Front(create_application(app)), until or asyncio.Event())
            await server.run_on(listener, lambda: ready(_address(listener), token))
    finally:
        await app.stop()


class _Server(uvicorn.Server):
    def __init__(self, application: Front, until: asyncio.Event) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._until = until
        self._on_ready: Callable[[], None] = lambda: None

    async def run_on(self, listener: socket.socket, on_ready: Callable[[], None]) -> None:
        """Serve on a socket until told to stop."""
        self._on_ready = on_ready
        watch = asyncio.create_task(self._watch())
        try:
            await self.serve([listener])
        finally:
            watch.cancel()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal, hurry at the second, and do not raise it again afterwards as the original does."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGTERM, signal.SIGINT)
        for number in numbers:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    async def _watch(self) -> None:
        await self._until.wait()
        self.should_exit = True


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), backlog=_BACKLOG, family=family)
    except OSError as error:
        msg = f"cannot listen on {host}:{port}: {error.strerror}; choose another port or address"
        raise OperatorError(msg) from error
    with listener:
        yield listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
