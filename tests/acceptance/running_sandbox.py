"""The Insider sandbox as a process of its own on a free port."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

_PROGRAM = """
import json, sys
from pathlib import Path
from gatepost.sandbox.insider.options import SandboxOptions
from gatepost.sandbox.insider.server import run_sandbox
options = SandboxOptions(data=Path(sys.argv[1]), **json.loads(sys.argv[2]))
run_sandbox(options, 0, ready=lambda address: print(address, flush=True))
"""

KEYS = {"X-PARTNER-NAME": "sandbox", "X-REQUEST-TOKEN": "sandbox-token"}


class RunningSandbox:
    """Speaks to a sandbox the way a partner of Insider does, and looks into it."""

    def __init__(self, process: subprocess.Popen[str], client: httpx.Client) -> None:
        self.process = process
        self.client = client

    def post(self, call: str, body: Any, **headers: str) -> httpx.Response:
        """Send a call of Insider's user API."""
        return self.client.post(f"/api/user/v1/{call}", json=body, headers=KEYS | headers)

    def look(self, path: str) -> Any:
        """Read a document of the inspection."""
        return self.client.get(f"/sandbox/{path}").raise_for_status().json()

    def steer(self, path: str, body: Any = None) -> Any:
        """Change something by the inspection."""
        return self.client.post(f"/sandbox/{path}", json=body or {}).raise_for_status().json()

    def profile(self, email: str) -> Any:
        """Return the profile with this email."""
        return self.look(f"profiles/email/{email}")

    def stop(self) -> int:
        """Ask the process to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)

    def kill(self) -> None:
        """End the process without a chance to tidy up."""
        self.process.kill()
        self.process.wait(timeout=20)


@contextmanager
def running_sandbox(data: Path, **options: Any) -> Iterator[RunningSandbox]:
    """Run a sandbox over a folder for the length of the block."""
    command = [sys.executable, "-c", _PROGRAM, str(data), json.dumps(options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            with httpx.Client(base_url=process.stdout.readline().strip(), timeout=30) as client:
                yield RunningSandbox(process, client)
        finally:
            process.terminate()
