"""A receiver of deliveries on this machine: it keeps what reached it and answers as it is told."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import orjson

from gatepost.providers.contract import DELIVERY_HEADER

PATIENCE_SECONDS = 30


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """One request that reached a receiver."""

    delivery: str
    path: str
    headers: dict[str, str]
    """Lower-case names."""
    body: bytes
    at: float
    """Monotonic seconds."""

    @property
    def profile(self) -> dict[str, Any]:
        """The profile in the payload of a job without a template."""
        data: dict[str, Any] = orjson.loads(self.body)["data"]
        return data

    @property
    def crossing(self) -> str:
        """What the payload of a job without a template tells about: `enter` or `exit`."""
        return str(self.profile["segment_events"][0]["event"])


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver says."""

    status: int = 200
    headers: dict[str, str] = {}
    body: bytes = b"{}"


OK = Reply()
Answering = Callable[[Received, int], Reply | None]
"""Given a request and how often its delivery has come so far, from 1; None keeps the caller waiting."""


class Receiver:
    """Listens on a free port as soon as it is opened; until then nothing answers there."""

    def __init__(self, answering: Answering = lambda _received, _times: OK) -> None:
        self._answering = answering
        self._changed = threading.Condition()
        self._received: list[Received] = []
        self._times: dict[str, int] = {}
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._server = _Server(("127.0.0.1", 0), _handler(self), bind_and_activate=False)
        self._server.server_bind()
        self.port: int = self._server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"

    def url(self, path: str = "/hook") -> str:
        """The address of a path."""
        return f"http://{self.host}{path}"

    def open(self) -> None:
        """Begin to answer."""
        self._server.server_activate()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let everybody go who waits for an answer, and stop."""
        self._closing.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    @property
    def received(self) -> list[Received]:
        """What came so far, in order."""
        with self._changed:
            return [*self._received]

    def wait_for(self, count: int, path: str = "") -> list[Received]:
        """Return what came, to one path or to all, once there is so much of it."""

        def wanted() -> list[Received]:
            return [one for one in self._received if not path or one.path == path]

        with self._changed:
            if not self._changed.wait_for(lambda: len(wanted()) >= count, PATIENCE_SECONDS):
                raise TimeoutError(f"{len(wanted())} of {count} requests came")
            return wanted()

    def answer(self, received: Received) -> Reply | None:
        """Note a request and say what to answer, called on the thread of its connection."""
        with self._changed:
            times = self._times[received.delivery] = self._times.get(received.delivery, 0) + 1
        reply = self._answering(received, times)
        with self._changed:
            self._received.append(received)
            self._changed.notify_all()
        if reply is None:
            self._closing.wait(PATIENCE_SECONDS)
        return reply


class _Server(ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def handle_error(self, *_: object) -> None:
        """A caller that was killed in the middle of a request is no news here."""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(
                delivery=headers.get(DELIVERY_HEADER.lower(), ""),
                path=self.path,
                headers=headers,
                body=body,
                at=time.monotonic(),
            )
            reply = receiver.answer(received)
            if reply is None:
                self.close_connection = True
                return
            with suppress(ConnectionError):
                self._say(reply)

        def _say(self, reply: Reply) -> None:
            self.send_response_only(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the test asks for what came."""

    return Handler


@contextmanager
def receiving(answering: Answering = lambda _received, _times: OK) -> Iterator[Receiver]:
    """Receive for the length of the block."""
    receiver = Receiver(answering)
    receiver.open()
    try:
        yield receiver
    finally:
        receiver.close()
