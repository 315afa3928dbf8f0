"""A real gatepost for acceptance tests.

`server` is one with its defaults and audience time moved by hand; `gatepost_server(...)` starts more of them or
other ones: `gatepost_server(clock="wall", allow_hosts=["127.0.0.1"], data=folder, event_limit=1000)`.
Every one is stopped at the end of its test. `standing_api` talks to one that all tests of a module share, for
requests that change nothing.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from gatepost.settings import Settings
from tests.acceptance.running import RunningServer


class StartServer(Protocol):
    """Starts a gatepost; other keywords are settings."""

    def __call__(
        self,
        *,
        clock: str = "manual",
        allow_hosts: Sequence[str] = (),
        data: Path | None = None,
        **settings: Any,
    ) -> RunningServer: ...


@pytest.fixture
def gatepost_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start gateposts, each in a folder of its own unless told."""
    started: list[RunningServer] = []

    def start(
        *, clock: str = "manual", allow_hosts: Sequence[str] = (), data: Path | None = None, **settings: Any
    ) -> RunningServer:
        folder = data or tmp_path / f"data-{len(started)}"
        chosen = Settings(data=folder, clock=clock, allow_hosts=tuple(allow_hosts), **settings)
        server = RunningServer(chosen)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def server(gatepost_server: StartServer) -> RunningServer:
    """A gatepost with its defaults and audience time moved by hand."""
    return gatepost_server()


@pytest.fixture
def api(server: RunningServer) -> Iterator[httpx.Client]:
    """An HTTP client with the administrator token of `server`."""
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def standing_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A gatepost for a whole module; its tests change nothing in it."""
    server = RunningServer(Settings(data=tmp_path_factory.mktemp("standing") / "data", clock="manual"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def standing_api(standing_server: RunningServer) -> Iterator[httpx.Client]:
    """An HTTP client with the administrator token of `standing_server`."""
    with standing_server.client() as client:
        yield client
