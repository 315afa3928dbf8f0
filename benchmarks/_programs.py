"""The programs a benchmark starts beside itself, each in a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

ROOT = Path(__file__).resolve().parent.parent
_GRACE_S = 20
_PATIENCE_S = 60


def environment() -> dict[str, str]:
    """Return an environment in which the caller's own settings lead nothing elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GATEPOST_")}


@contextmanager
def program(module: str, *arguments: str) -> Iterator[dict[str, Any]]:
    """Run `python -m module`; give the JSON line it prints once it is ready and its number, and end it afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield {**_first_line(process.stdout, module), "pid": process.pid}
    finally:
        _end(process)
        process.stdout.close()


@contextmanager
def gatepost(data: Path, *arguments: str) -> Iterator[dict[str, Any]]:
    """Run a real gatepost on a data folder; give its address, port and first token."""
    folder = ("--data", str(data))
    with program("gatepost", "up", "--json", "--port", "0", *folder, *arguments) as ready:
        address: str = ready["address"]
        yield {**ready, "port": int(address.rsplit(":", 1)[1])}


def outcome(module: str, *arguments: str) -> dict[str, Any]:
    """Run `python -m module` to its end and return the JSON line it printed."""
    command: Sequence[str] = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, check=True, timeout=_PATIENCE_S
    )
    document: dict[str, Any] = orjson.loads(done.stdout)
    return document


def _first_line(output: IO[bytes], module: str) -> dict[str, Any]:
    line = output.readline()
    if not line:
        raise SystemExit(f"{module} ended before it was ready; its message is above")
    document: dict[str, Any] = orjson.loads(line)
    return document


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
