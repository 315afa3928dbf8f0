"""One helper process, as its parent sees it."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from typing import Self

from gatepost.engines import frames
from gatepost.model.errors import OperatorError
from gatepost.rendering.options import MIB, RenderOptions
from gatepost.rendering.program import Program

_START = 30.0
"""Seconds a helper may take to start on a busy machine."""
_GRACE = 5.0
"""Seconds beyond the deadline after which a helper that did not end itself is killed."""
_KEPT_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")
"""All a helper gets of the environment, which may hold keys: what Python needs to find its modules."""
_OUT_OF_MEMORY = {-signal.SIGABRT, 2}
"""How the engine's process ends when it cannot have more memory."""


class HelperError(Exception):
    """A helper process ended in the middle of its work; `kind` is that of a RenderFailure."""

    def __init__(self, message: str, *, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class HelperProcess:
    """A running helper: it takes one request at a time and answers result by result."""

    def __init__(self, process: Process, options: RenderOptions) -> None:
        if process.stdin is None or process.stdout is None:
            raise TypeError("a helper is spoken to through pipes")
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._options = options
        self._renders = 0
        self._resident = 0

    @classmethod
    async def start(cls, program: Program, options: RenderOptions) -> Self:
        """Start a helper and wait until it is warm; raise OperatorError when it cannot start."""
        spawning = asyncio.create_task(_spawn(program, options))
        try:
            started = cls(await asyncio.shield(spawning), options)
        except asyncio.CancelledError:
            # A process half created is nobody's to collect, so it is created first and then ended.
            await cls(await spawning, options).end()
            raise
        limits = (options.deadline, options.memory, options.output)
        files = [part.encode() for file in program.files.items() for part in file]
        setup = [*(str(limit).encode() for limit in limits), *files]
        try:
            await started._write(frames.pack(setup))
            await started._read(_START)
        except HelperError as ended:
            await started.end()
            asked = f"is {program.package} installed for {sys.executable}?"
            msg = f"the template engine does not start: {ended}; {asked}"
            raise OperatorError(msg) from ended
        except BaseException:
            await started.end()
            raise
        return started

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process is not known to have ended."""
        return self._process.returncode is None

    @property
    def fresh(self) -> bool:
        """Whether it has not rendered anything yet."""
        return self._renders == 0

    @property
    def worn(self) -> bool:
        """Whether it has served long enough or grown too large, and is to be replaced."""
        options = self._options
        return self._renders >= options.recycle_after or self._resident > options.recycle_above

    async def results(self, request: Sequence[bytes], count: int) -> AsyncIterator[tuple[bytes, bytes]]:
        """Yield state and text of each of `count` results as they come; raise HelperError when it dies."""
        patience = self._options.deadline / 1000 + _GRACE
        await self._write(frames.pack(request))
        for _ in range(count):
            state, text, resident = await self._read(patience)
            self._renders += 1
            self._resident = int(resident)
            yield state, text

    async def end(self) -> None:
        """End the process, whatever it is doing, and leave nothing of it behind."""
        if self._process.returncode is None:
            # It may have ended a moment ago, unnoticed as yet. Process.kill would collect it then, behind the back of
            # the event loop, which would warn of a lost child.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
        self._stdin.close()
        await self._stdout.read()
        await self._process.wait()

    async def _write(self, message: bytes) -> None:
        self._stdin.write(message)
        try:
            async with asyncio.timeout(_START):
                await self._stdin.drain()
        except (ConnectionError, TimeoutError) as error:
            raise await self._ended() from error

    async def _read(self, patience: float) -> list[bytes]:
        try:
            async with asyncio.timeout(patience):
                (length,) = frames.LENGTH.unpack(await self._stdout.readexactly(frames.LENGTH.size))
                return frames.unpack(await self._stdout.readexactly(length))
        except TimeoutError as error:
            raise HelperError(_too_slow(self._options), kind="limit") from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise await self._ended() from error

    async def _ended(self) -> HelperError:
        try:
            async with asyncio.timeout(_GRACE):
                code = await self._process.wait()
        except TimeoutError:
            return HelperError("the template engine's process closed its output", kind="engine")
        if code == -signal.SIGALRM:
            return HelperError(_too_slow(self._options), kind="limit")
        # A helper that served others before may only have had too little left; the pool tries a new one.
        if code in _OUT_OF_MEMORY or (code == frames.EXHAUSTED and self.fresh):
            return HelperError(too_large(self._options), kind="limit")
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return HelperError(f"the template engine's process was ended {how}", kind="engine")


async def _spawn(program: Program, options: RenderOptions) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        program.module,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env=_environment(options),
        cwd="/",
        start_new_session=True,
    )


def too_large(options: RenderOptions) -> str:
    """Say that a template met the memory limit."""
    return f"the template needs more than the memory limit of {options.memory / MIB:g} MiB"


def _too_slow(options: RenderOptions) -> str:
    return f"the template takes longer than the time limit of {options.deadline / 1000:g} s"


def _environment(options: RenderOptions) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    # Renders are short: collecting their garbage less often, up to a bound, saves a quarter of the time.
    engine = {"GOGC": "400", "GOMEMLIMIT": str(options.memory * 3 // 4), "GOMAXPROCS": "2"}
    # An arena for each of the engine's threads would set aside 64 MiB, to be taken for growth.
    allocator = {"MALLOC_ARENA_MAX": "1"}
    # A date without a zone means the same on every machine.
    return {**kept, **engine, **allocator, "LANG": "C.UTF-8", "TZ": "UTC"}
