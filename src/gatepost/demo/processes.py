"""Starts the programs of a demo, waits until they answer, ends them."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from gatepost.model.errors import OperatorError

_HEALTHY_SECONDS = 30.0
_GRACE_SECONDS = 10.0
_POLL_SECONDS = 0.05
_TAIL = 2_000


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback address that nobody listens on."""
    with ExitStack() as held:
        listeners = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in listeners]


def demo_environment(**settings: str) -> dict[str, str]:
    """Return the environment for the programs: the caller's own settings must not lead a demo elsewhere."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("GATEPOST_", "INSIDER_"))
    }
    return {**kept, **settings}


@asynccontextmanager
async def running(arguments: Sequence[str], log: Path, address: str) -> AsyncIterator[None]:
    """Run `gatepost <arguments>` from when it is healthy until the block ends; its output goes to `log`."""
    process = await _started(arguments, log, demo_environment())
    try:
        await _healthy(process, log, address)
        yield
    finally:
        await _ended(process)


async def finished(arguments: Sequence[str], log: Path, environment: dict[str, str]) -> None:
    """Run `gatepost <arguments>` to its end; raise OperatorError with its output when it fails."""
    process = await _started(arguments, log, environment)
    try:
        await process.wait()
    finally:
        await _ended(process)
    if process.returncode:
        msg = f"gatepost {' '.join(arguments)} failed with {process.returncode}: {_tail(log)}"
        raise OperatorError(msg)


async def _started(arguments: Sequence[str], log: Path, environment: dict[str, str]) -> Process:
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "gatepost", *arguments),
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
            env=environment,
            # Ctrl-C is for the demo, which ends its programs itself and in order.
            start_new_session=True,
        )


async def _healthy(process: Process, log: Path, address: str) -> None:
    deadline = asyncio.get_running_loop().time() + _HEALTHY_SECONDS
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        while process.returncode is None and asyncio.get_running_loop().time() < deadline:
            with suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(f"{address}/health") as answer:
                    if answer.ok:
                        return
            await asyncio.sleep(_POLL_SECONDS)
    ended = "it is still starting" if process.returncode is None else f"it ended with {process.returncode}"
    msg = f"{address} did not become healthy within {_HEALTHY_SECONDS:.0f} s, {ended}: {_tail(log)}"
    raise OperatorError(msg)


async def _ended(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _GRACE_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-_TAIL:].strip() or "it said nothing"
