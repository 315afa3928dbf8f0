"""A program that sends one prepared request over and over on kept connections, and counts the answers.

It parses as little as it can, so that it takes little of the machine from the server it measures.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import cast

import orjson
import uvloop

from benchmarks._common import percentile
from benchmarks._receiver import content_length


class Tally:
    """What came of all connections together."""

    def __init__(self) -> None:
        self.answers = 0
        self.waits: list[float] = []
        self.failure = b""
        self.ends = 0.0
        self.open = 0
        self.done = asyncio.Event()


class Sender(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, request: bytes, tally: Tally) -> None:
        self._request = request
        self._tally = tally
        self._answer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._tally.open += 1
        self._send()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, gap, body = self._answer.partition(b"\r\n\r\n")
        if not gap or len(body) < content_length(head):
            return
        tally, now = self._tally, time.perf_counter()
        if not head.startswith(b"HTTP/1.1 200"):
            tally.failure = self._answer[:2_000]
        self._answer = b""
        tally.answers += 1
        tally.waits.append(now - self._sent)
        if now < tally.ends and not tally.failure:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None or self._answer:
            self._tally.failure = f"a connection ended early: {exc}".encode()
        self._tally.open -= 1
        if not self._tally.open:
            self._tally.done.set()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)


async def measured(port: int, request: bytes, connections: int, seconds: float) -> Tally:
    """Send on all connections for some seconds."""
    tally, loop = Tally(), asyncio.get_running_loop()
    began = time.perf_counter()
    tally.ends = began + seconds
    await asyncio.gather(
        *(
            loop.create_connection(lambda: Sender(request, tally), "127.0.0.1", port)
            for _ in range(connections)
        )
    )
    await tally.done.wait()
    tally.ends = time.perf_counter() - began
    return tally


def run() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("port", "connections"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--request", required=True, help="file with the bytes of one request")
    given = parser.parse_args()
    request = Path(given.request).read_bytes()
    tally = uvloop.run(measured(given.port, request, given.connections, given.seconds))
    if tally.failure or not tally.answers:
        sys.exit(f"the server did not answer 200: {tally.failure.decode(errors='replace')}")
    waits = {f"p{share}_ms": round(percentile(tally.waits, share / 100) * 1000, 2) for share in (50, 99)}
    print(orjson.dumps({"rate": tally.answers / tally.ends, **waits}).decode())


if __name__ == "__main__":
    run()
