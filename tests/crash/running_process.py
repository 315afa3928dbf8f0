"""`gatepost up` as a process of its own, to be killed, watched and started again on the same folder."""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from gatepost.backends.clock import HandClock
from gatepost.model.catalog import Scope
from gatepost.operations.tokens import put_token
from gatepost.ports.store import Transaction
from tests.factories import ACCOUNT
from tests.pipeline import START, Pipeline, make_job
from tests.receiving import PATIENCE_SECONDS


class GatepostProcess:
    """A gatepost with one job, and the ways to end it."""

    def __init__(self, data: Path, token: str, *, allow: str, **settings: str) -> None:
        self.data = data
        self.url = f"http://127.0.0.1:{free_port()}"
        self.token = token
        self.errors = data.parent / f"{data.name}.stderr"
        self._words = [sys.executable, "-m", "gatepost", "up", "--data", str(data)]
        self._words += ["--port", self.url.rpartition(":")[2], "--allow-host", allow]
        self._environment = os.environ | {f"GATEPOST_{name.upper()}": text for name, text in settings.items()}
        self._process: subprocess.Popen[str] | None = None
        self._is_group = False

    def start(self, prefix: Sequence[str] = ()) -> None:
        """Start it and wait until it is ready."""
        with self.errors.open("ab") as errors:
            self._process = subprocess.Popen(
                [*prefix, *self._words],
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self._environment,
                text=True,
                # A tracer that is killed lets go of what it traced: both have to be ended together.
                start_new_session=bool(prefix),
            )
            self._is_group = bool(prefix)
        self._wait_until_ready(self._process)

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """Send SIGKILL, and do not wait."""
        assert self._process is not None
        if self._is_group:
            os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()

    def wait(self) -> int:
        """Wait for its end; return how it ended."""
        assert self._process is not None
        assert self._process.stdout is not None
        code = self._process.wait(PATIENCE_SECONDS)
        self._process.stdout.close()
        return code

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def tidy(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
            self.wait()

    def client(self) -> httpx.Client:
        """An HTTP client with its token."""
        headers = {"Authorization": self.token}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS)

    def complaints(self) -> str:
        """What it wrote to standard error, over all its lives."""
        return self.errors.read_text()

    def _wait_until_ready(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while selector.select(PATIENCE_SECONDS):
                line = process.stdout.readline()
                if "is ready at" in line:
                    return
                if not line:
                    break
        raise RuntimeError(f"gatepost did not start: {self.complaints()}")


@contextmanager
def gatepost_process(data: Path, url: str, *filters: str, **settings: str) -> Iterator[GatepostProcess]:
    """A gatepost, not yet started, whose one job sends to a URL; gone at the end of the block."""
    token = prepared(data, url, *filters)
    allow = url.split("/")[2]
    process = GatepostProcess(data, token, allow=allow, **settings)
    try:
        yield process
    finally:
        process.tidy()


def prepared(data: Path, url: str, *filters: str) -> str:
    """Fill a new data folder: a shop, audiences, a job that watches them all. Return a token's text."""
    data.mkdir(exist_ok=True)
    pipeline = Pipeline(data, HandClock(START))
    pipeline.configure(*filters, jobs=False)

    def work(tx: Transaction) -> str:
        job = make_job(len(filters), webhook_url=url)
        tx.catalog.put(ACCOUNT, job.id, job)
        return put_token(tx, ACCOUNT, "test", Scope.ADMIN, START)[1]

    token = pipeline.store.write_blocking(work)
    pipeline.close()
    return token


def free_port() -> int:
    """A port that is free now, to be had again after every kill."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Poll what only another process knows."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not come to this: {what}")
        time.sleep(0.02)


def status_of(api: httpx.Client) -> dict[str, Any]:
    """What gatepost says of itself."""
    data: dict[str, Any] = api.get("/api/status").raise_for_status().json()["data"]
    return data


def wait_until_quiet(api: httpx.Client) -> None:
    """Wait until everything collected is applied and every trigger has ended one way or another."""

    def quiet() -> bool:
        status = status_of(api)
        unfinished = sum(status["deliveries"].get(name, 0) for name in ("waiting", "leased", "retrying"))
        return bool(status["lag"] == 0 and unfinished == 0)

    wait_until(quiet, "everything applied and delivered")
