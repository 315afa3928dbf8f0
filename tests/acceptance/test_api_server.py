"""Starting and stopping: the address, the signals, and what a second start says."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from gatepost.app import App
from gatepost.model.errors import OperatorError
from gatepost.settings import Settings
from gatepost.web.server import serve
from tests.acceptance.conftest import StartServer
from tests.acceptance.running import RunningServer

PROGRAM = """
import asyncio, sys
from pathlib import Path
from gatepost.app import App
from gatepost.settings import Settings
from gatepost.web.server import serve

def ready(url, token):
    print(url, token, flush=True)

if __name__ == "__main__":
    asyncio.run(serve(App(Settings(data=Path(sys.argv[1]))), host="127.0.0.1", port=0, ready=ready))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_without_a_word_even_while_a_request_hangs(
    tmp_path: Path, number: signal.Signals
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, str(program), str(tmp_path / "data")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url, token = process.stdout.readline().split()

    with httpx.Client(base_url=url, trust_env=False, headers={"Authorization": token}) as client:
        health = client.get("/health")
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)

    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    assert (process.returncode, output, errors) == (0, "", "")


def test_the_first_start_tells_the_token_and_later_ones_do_not(tmp_path: Path) -> None:
    tokens: list[str] = []

    async def once() -> None:
        until = asyncio.Event()

        def ready(_url: str, token: str) -> None:
            tokens.append(token)
            until.set()

        app = App(Settings(data=tmp_path / "data"))
        await serve(app, host="127.0.0.1", port=0, ready=ready, until=until)

    asyncio.run(once())
    asyncio.run(once())

    assert tokens[0].startswith("at.")
    assert tokens[1] == ""


def test_a_port_that_is_taken_is_named_and_the_folder_given_up(
    server: RunningServer, gatepost_server: StartServer, tmp_path: Path
) -> None:
    data = tmp_path / "other"
    port = httpx.URL(server.url).port or 0

    async def second() -> None:
        await serve(App(Settings(data=data)), host="127.0.0.1", port=port, ready=lambda *_: None)

    with pytest.raises(OperatorError, match=rf"cannot listen on 127\.0\.0\.1:{port}"):
        asyncio.run(second())

    assert gatepost_server(data=data).url


def test_audience_time_moves_by_hand_and_never_back(api: httpx.Client) -> None:
    forward = api.post("/api/clock", json={"now": "2026-01-02T03:04:05Z"})
    back = api.post("/api/clock", json={"now": "2026-01-01T00:00:00Z"})

    assert forward.json()["data"] == {"now": "2026-01-02T03:04:05Z"}
    assert (back.status_code, back.json()["message"]) == (409, "audience time never goes back")
    assert api.get("/api/status").json()["data"]["now"] == "2026-01-02T03:04:05Z"


def test_audience_time_is_wall_time_unless_told_otherwise(gatepost_server: StartServer) -> None:
    server = gatepost_server(clock="wall")

    with server.client() as api:
        refused = api.post("/api/clock", json={"now": "2036-01-02T03:04:05Z"})
        status = api.get("/api/status").json()["data"]

    assert refused.status_code == 409
    assert "--clock manual" in refused.json()["message"]
    assert status["clock"] == "wall"


def test_what_was_collected_is_applied(api: httpx.Client) -> None:
    api.post("/collect/json/web", json=[{"email": "ada@example.com"}, {"email": "joan@example.com"}])

    deadline = time.monotonic() + 30
    while (status := api.get("/api/status").json()["data"])["lag"] and time.monotonic() < deadline:
        continue

    assert (status["events_collected"], status["events_applied"], status["lag"]) == (2, 2, 0)
    assert set(status) >= {"profiles", "now", "clock", "audiences", "deliveries", "counters"}
