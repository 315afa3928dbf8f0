"""Requests at an even pace over kept connections, so that what waits is the server and not the sender."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType

from benchmarks._receiver import content_length

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Connections:
    """Kept connections to a server on this machine; each does one request at a time."""

    def __init__(self, port: int, count: int) -> None:
        self._port = port
        self._count = count
        self._free: asyncio.Queue[_Connection] = asyncio.Queue()

    async def __aenter__(self) -> "Connections":
        for _ in range(self._count):
            self._free.put_nowait(await asyncio.open_connection("127.0.0.1", self._port))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while not self._free.empty():
            self._free.get_nowait()[1].close()

    async def answered(self, request: bytes, on_answer: Callable[[], object] = lambda: None) -> float:
        """Send the bytes of a request and read the whole answer, which must be a 200; return the milliseconds."""
        reader, writer = connection = await self._free.get()
        sent = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        taken = (time.perf_counter() - sent) * 1_000
        on_answer()
        if b" 200 " not in head[:16]:
            raise SystemExit(f"a request was not accepted: {head.decode()}")
        await reader.readexactly(content_length(head))
        self._free.put_nowait(connection)
        return taken


async def paced(work: Callable[[], Awaitable[float]], rate: float, seconds: float) -> list[float]:
    """Begin so many pieces of work a second, however long each takes; return what each gave."""
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Future[float]] = []
    began = loop.time()
    for number in range(round(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
        tasks.append(asyncio.ensure_future(work()))
    return await asyncio.gather(*tasks)


def collect_request(path: str, token: str, body: bytes) -> bytes:
    """Return the bytes of a request that brings events."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
