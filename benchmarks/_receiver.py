"""A receiver that answers 200 to everything and costs next to nothing, so that the sender is what is measured."""

import asyncio
from collections.abc import Callable
from typing import cast

import orjson
import uvloop

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_LENGTH = b"content-length:"


class Receiver(asyncio.Protocol):
    """One connection; `began` is told the first bytes of each request as they come in."""

    def __init__(self, began: Callable[[bytes], None] = lambda _: None) -> None:
        self._began = began
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if not self._waiting:
            self._began(data)
        self._waiting += data
        end = self._waiting.find(b"\r\n\r\n")
        if end < 0:
            return
        if len(self._waiting) >= end + 4 + content_length(self._waiting[:end]):
            self._waiting = b""
            self._transport.write(_ANSWER)


def content_length(head: bytes) -> int:
    """Return the length of the body that follows a head; 0 when it names none."""
    lower = head.lower()
    start = lower.find(_LENGTH)
    return int(lower[start + len(_LENGTH) :].split(b"\r\n", 1)[0]) if start >= 0 else 0


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0, backlog=2_048)
    print(orjson.dumps({"port": server.sockets[0].getsockname()[1]}).decode(), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
