"""The program inside a helper process: it renders Jsonnet, one render after another, until its input ends.

It is started by its path, imports nothing of gatepost, and ends itself when a render overstays: the kernel's
alarm needs no cooperation from an engine that is stuck, and works when the parent is gone. Both ends share
the frames: a message is a list of byte strings, each led by its length, the whole by the length of all.
"""

import hashlib
import hmac
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable, Iterator, Sequence

LENGTH = struct.Struct(">I")

OK, FAULT, TOO_LONG = b"ok", b"fault", b"long"
"""What became of a render: it came out, the engine refused it, it printed too much."""

RENDER, CHECK = b"render", b"check"
"""What a request asks for: its first part; the second is a source, the rest are contexts."""

CONTEXT_PARTS = 3
"""A render's context: entity, job configuration, authorization configuration."""

EXHAUSTED = 70
"""The exit code when memory ran out between renders rather than in one."""

_MAX_MESSAGE = 8 * 1024
# Two surroundings in which a source is parsed and analysed but never run. Whatever closes the one early
# breaks the other, so a source is accepted by both only if it stands by itself.
_ASIDE = ("if true then null else (\n{}\n)", "[null,\n{}\n][0]")


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


class _Engine:
    """The Jsonnet engine under limits."""

    def __init__(self, library: dict[str, bytes], deadline: float, output: int) -> None:
        # Imported here: the parent reads this module too, and must never load the engine.
        from _gojsonnet import evaluate_snippet  # noqa: PLC0415 - as said above

        self._evaluate: Callable[..., str] = evaluate_snippet
        self._library = library
        self._deadline = deadline
        self._output = output
        self._natives = {
            "sha256": (("value",), _sha256),
            "sha1": (("value",), _sha1),
            "hmacSha256": (("message", "key"), _hmac_sha256),
        }
        self.render(b"null", [b"{}"] * CONTEXT_PARTS)

    def render(self, source: bytes, context: Sequence[bytes]) -> tuple[bytes, bytes]:
        """Return what became of one render, and its output or the engine's message."""
        entity, job_config, auth_config = (part.decode("utf-8", "replace") for part in context)
        variables = {
            "ly_entity": entity,
            "ly_job_config": job_config,
            "ly_auth_config": auth_config,
            "ly_segment_association": "{}",
            "ly_event_stream": "",
        }
        state, text = self._run(source.decode(), variables)
        if state == OK and len(text) > self._output:
            return TOO_LONG, b""
        return state, text

    def check(self, source: bytes) -> tuple[bytes, bytes]:
        """Return whether a source parses, and the engine's message if not; the template does not run."""
        text = source.decode()
        if all(self._run(aside.format(text), {})[0] == OK for aside in _ASIDE):
            return OK, b""
        # The engine's words and positions come from the source alone, which fails before anything of it runs.
        state, message = self._run(text, {})
        refused = state == FAULT and not message.startswith(b"RUNTIME ERROR")
        return (FAULT, message) if refused else (OK, b"")

    def _run(self, source: str, variables: dict[str, str]) -> tuple[bytes, bytes]:
        signal.setitimer(signal.ITIMER_REAL, self._deadline)
        try:
            text = self._evaluate(
                "template",
                source,
                ext_vars=variables,
                import_callback=self._import,
                native_callbacks=self._natives,
            )
        except MemoryError:
            os.abort()
        except Exception as error:  # noqa: BLE001 - whatever the binding raises is this render's
            return FAULT, str(error).encode("utf-8", "replace")[:_MAX_MESSAGE]
        else:
            return OK, text.encode("utf-8", "replace")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _import(self, _folder: str, name: str) -> tuple[str, bytes]:
        if name not in self._library:
            msg = f"import of {name!r} refused: a template may only import 'lytemplates.libsonnet'"
            raise RuntimeError(msg)
        return name, self._library[name]


def _sha256(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _sha1(value: str) -> str:
    return hashlib.sha1(value.encode(), usedforsecurity=False).hexdigest()


def _hmac_sha256(message: str, key: str) -> str:
    return hmac.new(key.encode(), message.encode(), "sha256").hexdigest()


class _Footprint:
    """What the engine has taken, in address space too: that is what the limit counts, and it never shrinks."""

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
        self._start = self._addresses()
        resource.setrlimit(resource.RLIMIT_AS, (self._start + memory, self._start + memory))

    def taken(self) -> int:
        """Return the bytes by which to judge whether this process has grown too large to go on."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        resident = peak if sys.platform == "darwin" else peak * 1024
        return max(resident, self._addresses() - self._start)

    def _addresses(self) -> int:
        if self._statm < 0:
            return 0
        return int(os.pread(self._statm, 200, 0).split()[0]) * resource.getpagesize()


def _serve(out: int) -> None:
    messages = _messages()
    setup = next(messages, None)
    if setup is None:
        return
    deadline, memory, output, *library = setup
    files = {name.decode(): text for name, text in zip(library[::2], library[1::2], strict=True)}
    engine = _Engine(files, int(deadline) / 1000, int(output))
    footprint = _Footprint(int(memory))
    _send(out, OK)
    for operation, source, *parts in messages:
        for start in range(0, len(parts), CONTEXT_PARTS if operation == RENDER else 1):
            if operation == RENDER:
                state, text = engine.render(source, parts[start : start + CONTEXT_PARTS])
            else:
                state, text = engine.check(parts[start])
            _send(out, state, text, str(footprint.taken()).encode())


def _main() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    # Nothing but our frames may reach the parent, whatever the engine prints.
    out = os.dup(1)
    os.dup2(2, 1)
    try:
        _serve(out)
    except BrokenPipeError:
        os._exit(0)
    except MemoryError:
        os._exit(EXHAUSTED)


if __name__ == "__main__":
    _main()
