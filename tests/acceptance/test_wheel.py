"""What a user gets from the package registry runs on its own, far from the source tree."""

import os
import re
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

READY = re.compile(r"gatepost is ready at (http://127\.0\.0\.1:\d+)")
UV = str(Path(sys.executable).with_name("uv"))


@pytest.fixture(scope="module")
def wheel(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, installer_environment: dict[str, str]
) -> Path:
    """The wheel, built from the source tree with the pinned build back end."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [UV, "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
    subprocess.run([*build, "--out-dir", str(folder), str(repository)], check=True, env=installer_environment)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def bin_folder(
    wheel: Path,
    repository: Path,
    tmp_path_factory: pytest.TempPathFactory,
    installer_environment: dict[str, str],
) -> Path:
    """The commands of an environment that holds the wheel and its pinned dependencies, and nothing else."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    lock = str(repository / "requirements" / "product.lock")
    install = [UV, "pip", "install", "--quiet", "--python", str(venv / "bin" / "python")]
    for command in (
        [UV, "venv", "--quiet", "--python", sys.executable, str(venv)],
        [*install, "--require-hashes", "--no-build", "--requirement", lock],
        [*install, "--no-deps", str(wheel)],
    ):
        subprocess.run(command, check=True, env=installer_environment)
    return venv / "bin"


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    tops = {name.split("/")[0] for name in names}

    assert {"gatepost"} == {top for top in tops if not top.endswith(".dist-info")}
    assert "gatepost/py.typed" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_the_installed_wheel_serves_and_stops_when_asked(bin_folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    log = tmp_path / "log"
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    command = [str(bin_folder / "gatepost"), "up", "--port", "0", "--data", str(data)]

    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=output, stderr=output)
    try:
        address = printed_address(server, log)
        health = httpx.get(f"{address}/health", trust_env=False)
        server.send_signal(signal.SIGTERM)
        exit_code = server.wait(timeout=20)
    finally:
        server.kill()
        server.wait()

    assert health.status_code == 200
    assert stat.S_IMODE((data / "admin-token").stat().st_mode) == 0o600
    assert exit_code == 0, log.read_text()


def printed_address(server: subprocess.Popen[bytes], log: Path) -> str:
    """Wait for the line that names the address and return it."""

    def found() -> str | None:
        if server.poll() is not None:
            pytest.fail(f"gatepost ended with {server.returncode}:\n{log.read_text()}")
        line = READY.search(log.read_text())
        return line.group(1) if line else None

    return awaited(found, log.read_text)


def awaited(attempt: Callable[[], str | None], story: Callable[[], str]) -> str:
    """Ask again and again until there is an answer; fail after half a minute with what was seen."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = attempt()
        if answer:
            return answer
        time.sleep(0.02)
    pytest.fail(f"no answer in 30 s, only:\n{story()}")
