"""Walks through a page as its reader would: the commands it prints, in order, against real programs on free ports.

An HTML comment before a block says what to do with it: `run` runs it in one shell session, `run: again` repeats
it until it shows what the page shows, `run: stays` is a program that stays up, `shows` is what the last run printed.
"""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(
    r"<!-- (?P<role>run(?:: \w+)?|shows) -->\n```\w+\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
_PORTS = ("8090", "8400")
_PATIENCE_SECONDS = 30
_CHANGING = (
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z?"), "<time>"),
    (re.compile(r"\b\d+ ms\b"), "<milliseconds>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r"[ \t]+"), " "),
)
"""What differs from run to run, and how it is compared."""


class Block(NamedTuple):
    """A marked block of a page."""

    role: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    """Return the marked blocks of a page in order."""
    return [
        Block(found["role"], found["text"]) for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]


def walk_through(page: Path, folder: Path) -> str:
    """Do what a page says in an empty folder; return everything its commands printed."""
    blocks = blocks_of(page)
    ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
    url = f"http://127.0.0.1:{ports['8400']}"
    environment = os.environ | {
        "GATEPOST_PORT": ports["8400"],
        "GATEPOST_URL": url,
        "NO_COLOR": "1",
        "COLUMNS": "160",
    }
    printed = ""
    with ExitStack() as stays:
        for place, block in enumerate(blocks):
            following = blocks[place + 1] if place + 1 < len(blocks) else None
            promised = following.text if following and following.role == "shows" else ""
            text = _with_ports(block.text, ports)
            if block.role == "run: stays":
                stays.enter_context(_staying(text, folder, environment))
            elif block.role != "shows":
                patience = _PATIENCE_SECONDS if block.role == "run: again" else 0
                printed += _run_until(promised, text, folder, environment, patience)
    return printed


def _with_ports(text: str, ports: Mapping[str, str]) -> str:
    for written, port in ports.items():
        text = re.sub(rf"\b{written}\b", port, text)
    return text


def _free_ports(count: int) -> list[str]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [str(one.getsockname()[1]) for one in sockets]


def _run_until(promised: str, text: str, folder: Path, environment: dict[str, str], patience: int) -> str:
    """Run a block, and again while it does not print what is promised; return what it printed."""
    deadline = time.monotonic() + patience
    while True:
        done = _run(text, folder, environment)
        missing = _missing(promised, done.stdout)
        if not done.returncode and not missing:
            return done.stdout
        assert time.monotonic() < deadline, (
            f"{text}\nended with {done.returncode} without {missing}:\n{done.stdout}{done.stderr}"
        )
        time.sleep(0.1)


def _run(text: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a block in the reader's shell; what it exports holds for the blocks after it."""
    state = folder / ".exported"
    before = f". ./{state.name}\n" if state.is_file() else ""
    script = f"set -euo pipefail\n{before}{text}\nexport -p > {state.name}\n"
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )


@contextmanager
def _staying(text: str, folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Run a program for the length of the walk; go on when it says that it is ready."""
    said = folder / f".said-{len(list(folder.glob('.said-*')))}"
    command = ["bash", "-c", f"exec {text}"]
    with (
        said.open("wb") as output,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output) as process,
    ):
        try:
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while "is ready at" not in said.read_text():
                assert process.poll() is None, f"{text} ended:\n{said.read_text()}"
                assert time.monotonic() < deadline, f"{text} did not become ready:\n{said.read_text()}"
                time.sleep(0.05)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_PATIENCE_SECONDS)
    assert process.returncode == 0, f"{text} ended with {process.returncode}:\n{said.read_text()}"


def _missing(promised: str, shown: str) -> list[str]:
    """Return the lines of a page that were not printed."""
    found = {_plain(line) for line in shown.splitlines()}
    return [
        line
        for line in promised.splitlines()
        if line.strip() not in {"", "..."} and _plain(line) not in found
    ]


def _plain(line: str) -> str:
    for changing, name in _CHANGING:
        line = changing.sub(name, line)
    return line.strip()
