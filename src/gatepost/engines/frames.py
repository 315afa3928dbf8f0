"""What a helper process and its parent say to each other, and the loop inside the process.

A message is a list of byte strings, each led by its length, the whole by the length of all. A helper serves one
request after another until its input ends. It ends itself when a render overstays: the kernel's alarm needs no
cooperation from an engine that is stuck, and works when the parent is gone.
"""

import contextlib
import os
import resource
import signal
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

LENGTH = struct.Struct(">I")

OK, FAULT, NO_TEMPLATE = b"ok", b"fault", b"source"
TOO_LONG, TOO_LARGE = b"long", b"large"
"""What became of a render: it came out, the engine refused it, the source is no template, it printed too much, it
wanted too much memory."""

RENDER, CHECK = b"render", b"check"
"""What a request asks for: its first part; the second is a source, the rest are contexts."""

CONTEXT_PARTS = 3
"""A render's context: entity, job configuration, authorization configuration."""

EXHAUSTED = 70
"""The exit code when memory ran out between renders rather than in one."""

MAX_MESSAGE = 8 * 1024
"""Bytes of an engine's message that are kept."""

Answer = tuple[bytes, bytes]
"""What became of a render or check, and its output or the engine's message."""


class Engine(Protocol):
    """A template engine under limits."""

    reserve: int
    """Bytes of address space the process may take beyond its memory limit, to tell that the limit was met."""

    def render(self, source: bytes, context: Sequence[bytes]) -> Answer:
        """Return what one render gave."""

    def check(self, source: bytes) -> Answer:
        """Return whether a source is a template, and the engine's message if not."""


def pack(parts: Sequence[bytes]) -> bytes:
    """Make the message of these parts."""
    body = b"".join(LENGTH.pack(len(part)) + part for part in parts)
    return LENGTH.pack(len(body)) + body


def unpack(body: bytes) -> list[bytes]:
    """Return the parts of a message, given without its leading length."""
    parts: list[bytes] = []
    at = 0
    while at < len(body):
        (length,) = LENGTH.unpack_from(body, at)
        at += LENGTH.size
        parts.append(body[at : at + length])
        at += length
    return parts


@contextlib.contextmanager
def alarm(deadline: float) -> Iterator[None]:
    """End this process unless what is inside takes less than so many seconds."""
    signal.setitimer(signal.ITIMER_REAL, deadline)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def peak() -> int:
    """Return the most bytes this process ever had in memory; 0 where the system does not tell."""
    # What `getrusage` tells begins with the peak of the process that started this one.
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - a helper imports little
            kibibytes = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
    except (FileNotFoundError, StopIteration):
        return 0
    return int(kibibytes) * 1024


def run(make: Callable[[Mapping[str, bytes], int], Engine]) -> None:
    """Be a helper process: make the engine from its files and its memory limit, and serve until the input ends."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    # Nothing but our frames may reach the parent, whatever the engine prints.
    out = os.dup(1)
    os.dup2(2, 1)
    try:
        _serve(out, make)
    except BrokenPipeError:
        os._exit(0)
    except MemoryError:
        os._exit(EXHAUSTED)


def _serve(out: int, make: Callable[[Mapping[str, bytes], int], Engine]) -> None:
    messages = _messages()
    setup = next(messages, None)
    if setup is None:
        return
    deadline, memory, output, *rest = setup
    files = {name.decode(): text for name, text in zip(rest[::2], rest[1::2], strict=True)}
    engine = make(files, int(memory))
    footprint = _Footprint(int(memory) + engine.reserve)
    _send(out, OK)
    for operation, source, *parts in messages:
        for start in range(0, len(parts), CONTEXT_PARTS if operation == RENDER else 1):
            with alarm(int(deadline) / 1000):
                if operation == RENDER:
                    state, text = engine.render(source, parts[start : start + CONTEXT_PARTS])
                else:
                    state, text = engine.check(parts[start])
            if state == OK and len(text) > int(output):
                state, text = TOO_LONG, b""
            _send(out, state, text, str(footprint.taken()).encode())


def _messages() -> Iterator[list[bytes]]:
    with os.fdopen(0, "rb") as stream:
        while len(head := stream.read(LENGTH.size)) == LENGTH.size:
            (length,) = LENGTH.unpack(head)
            body = stream.read(length)
            if len(body) < length:
                return
            yield unpack(body)


def _send(out: int, *parts: bytes) -> None:
    rest = memoryview(pack(parts))
    while rest:
        rest = rest[os.write(out, rest) :]


class _Footprint:
    """What the engine holds, in address space too: that is what the limit counts, and of Jsonnet's it never shrinks."""

    def __init__(self, memory: int) -> None:
        """Bound what the engine may still take; what it reserved to start does not count."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        try:
            self._statm = os.open("/proc/self/statm", os.O_RDONLY)
        except FileNotFoundError:
            # Only Linux keeps this limit; elsewhere the deadline alone protects.
            self._statm, self._start = -1, 0
            return
        self._start, _ = self._pages()
        resource.setrlimit(resource.RLIMIT_AS, (self._start + memory, self._start + memory))

    def taken(self) -> int:
        """Return the bytes by which to judge whether this process has grown too large to go on."""
        addresses, resident = self._pages()
        return max(resident, addresses - self._start)

    def _pages(self) -> tuple[int, int]:
        if self._statm < 0:
            return 0, 0
        addresses, resident, *_ = os.pread(self._statm, 200, 0).split()
        return int(addresses) * resource.getpagesize(), int(resident) * resource.getpagesize()
