"""Programs of the system that some tests need: installed from Debian if allowed, else named with a remedy."""

import contextlib
import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

ENVIRONMENT_AT_START = dict(os.environ)


def missing_after_install(programs: Iterable[str]) -> list[str]:
    """Return the programs that are not here and could not be installed."""
    return [program for program in programs if not (shutil.which(program) or installed(program))]


def remedy(program: str) -> str:
    """Say how to get a program."""
    return f"Remedy: sudo apt-get install {program}"


@functools.cache
def installed(program: str) -> bool:
    """Try once to install a program, as root on Debian only, and tell whether it is there now."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    with (Path(tempfile.gettempdir()) / "gatepost-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shutil.which(program):
            apt_get("update")
            apt_get("install", "--no-install-recommends", program)
    return shutil.which(program) is not None


def apt_get(*words: str) -> None:
    """Run apt-get without a question; whether it went well shows in what is there afterwards."""
    environment = {**ENVIRONMENT_AT_START, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-qq", "-y", "-o", "DPkg::Lock::Timeout=60", *words]
    nowhere = subprocess.DEVNULL
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            command, env=environment, stdin=nowhere, stdout=nowhere, stderr=nowhere, timeout=300, check=False
        )
