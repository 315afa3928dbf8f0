"""A gatepost that runs beside the test, on a thread with an event loop of its own."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import httpx
import uvloop

from gatepost.app import App
from gatepost.settings import Settings
from gatepost.web.server import serve

_PATIENCE_SECONDS = 30


class RunningServer:
    """A started gatepost: its address, its administrator token, its data folder."""

    def __init__(self, settings: Settings) -> None:
        self.url = ""
        self.token = ""
        self.data = settings.data
        self._settings = settings
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="gatepost-under-test", daemon=True)
        self._thread.start()
        if not self._ready.wait(_PATIENCE_SECONDS):
            raise TimeoutError("gatepost did not start")
        if self._error is not None:
            raise self._error

    def client(self, token: str | None = None) -> httpx.Client:
        """Return an HTTP client that carries the administrator token, or another one."""
        headers = {"Authorization": self.token if token is None else token}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=_PATIENCE_SECONDS)

    def stop(self) -> None:
        """Stop as a signal would; a server that ended with an error raises it here."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._until.set)
            self._thread.join(_PATIENCE_SECONDS)
        if self._error is not None:
            raise self._error

    def run(self, work: Callable[[App], Awaitable[object]]) -> object:
        """Do something inside the server's own event loop, for what no route offers."""

        async def inside() -> object:
            return await work(self._app)

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(_PATIENCE_SECONDS)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - it belongs to the test, which is on another thread
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._until = asyncio.Event()
        self._app = App(self._settings)
        await serve(self._app, host="127.0.0.1", port=0, ready=self._opened, until=self._until)

    def _opened(self, url: str, token: str) -> None:
        # Only the first start tells the token; a restart finds it where the operator would.
        self.url, self.token = url, token or (self.data / "admin-token").read_text().strip()
        self._ready.set()
