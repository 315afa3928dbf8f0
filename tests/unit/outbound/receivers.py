"""Receivers on this machine that behave, and receivers that do not."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from gatepost.core.addresses import parse_allow_list
from gatepost.model.request import Request
from gatepost.outbound.sender import HttpSender, SendOptions

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

Conversation = Callable[["Line"], Awaitable[None]]


class Line:
    """One accepted connection: read whole requests from it, say anything on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number
        """Counts the connections of the receiver, from 1."""

    async def request(self) -> bytes:
        """Return the next request as it came over the wire."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        if b"chunked" in fields.get(b"transfer-encoding", b""):
            return head + await self.reader.readuntil(b"0\r\n\r\n")
        return head + await self.reader.readexactly(int(fields.get(b"content-length", b"0")))

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Break the connection so that the peer sees a reset, not an end."""
        raw: socket.socket = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Receiver:
    """A listening receiver and what reached it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connections = 0
        self.requests: list[bytes] = []

    def url(self, path: str = "/hook", *, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def post(self, path: str = "/hook", body: bytes = b"{}", **kwargs: str) -> Request:
        return Request(method="POST", url=self.url(path, **kwargs), body=body)


@asynccontextmanager
async def receiving(conversation: Conversation, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Listen, and hold this conversation on every connection."""
    tasks: set[asyncio.Task[None]] = set()
    lines: list[Line] = []

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.connections += 1
        line = Line(reader, writer, receiver.connections)
        lines.append(line)
        task = asyncio.ensure_future(_held(conversation, line))
        tasks.add(task)
        await task

    server = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=tls, limit=1 << 24)
    receiver = Receiver(server.sockets[0].getsockname()[1])
    try:
        yield receiver
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for line in lines:
            # A task that was cancelled before its first step has closed nothing.
            line.writer.close()
        await server.wait_closed()


async def _held(conversation: Conversation, line: Line) -> None:
    try:
        await conversation(line)
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        pass
    finally:
        line.writer.close()


def answering(*answers: bytes) -> Conversation:
    """Hold a conversation that gives these answers in turn, then the last one for ever."""

    async def converse(line: Line) -> None:
        for turn in range(1_000):
            await line.request()
            await line.say(answers[min(turn, len(answers) - 1)])

    return converse


def response(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole answer on the wire."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def silence(line: Line) -> None:
    """Take everything and never answer."""
    await line.reader.read(-1)


class Names:
    """A name server in a table; names it does not have do not exist."""

    def __init__(self, table: Mapping[str, Sequence[str]]) -> None:
        self.table = dict(table)
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.table:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self.table[host]


@asynccontextmanager
async def sending(
    *allow: str,
    names: Names | None = None,
    tls: ssl.SSLContext | None = None,
    options: SendOptions | None = None,
) -> AsyncIterator[HttpSender]:
    """Open a sender that may call this machine, unless told otherwise."""
    allowed = parse_allow_list(allow or ("127.0.0.1",))
    base = options or SendOptions()
    chosen = SendOptions(
        allow=allowed,
        deadline_s=base.deadline_s,
        connect_s=base.connect_s,
        lookup_s=base.lookup_s,
        lookup_kept_s=base.lookup_kept_s,
        answer_limit=base.answer_limit,
    )
    sender = HttpSender(chosen, lookup=names or Names({}), tls=tls)
    try:
        yield sender
    finally:
        await sender.close()
