"""Brings .venv to the state the lock files describe, and does nothing when it is there already.

Every target of the Makefile runs it first, with the standard library alone: `tools/environment.py dev demo`.
The environment is built in layers, each with its own lock file: `product` always, then the ones named.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
INTERPRETER = VENV / "bin" / "python"
STAMP = VENV / "gatepost-setup.json"
LOCKS = ROOT / "requirements"
OLDEST = (3, 11)
LAYERS = ("product", "dev", "demo", "bench")

# uv does not read pip's settings; where a machine names a mirror or a certificate for pip, uv gets it too.
PIP_TO_UV = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "cert": "SSL_CERT_FILE"}


class SetupError(Exception):
    """The machine lacks something; the text names the remedy."""


def main(wanted: Sequence[str]) -> int:
    """Set up the wanted layers and say what is done; silent when nothing has to be."""
    layers = [layer for layer in LAYERS if layer == "product" or layer in wanted]
    try:
        if not up_to_date(layers):
            with one_at_a_time():
                bring_up_to_date(layers)
    except SetupError as error:
        say(f"cannot set up: {error}")
        return 1
    return 0


def bring_up_to_date(layers: list[str]) -> None:
    """Create or refresh the environment, unless another process has just done so."""
    if up_to_date(layers):
        return
    installed = stamp().get("layers", [])
    layers = [layer for layer in LAYERS if layer in layers or layer in installed]
    reason = why_to_rebuild()
    python = suitable_python() if reason else ""
    announce(layers, installed, reason)
    if python:
        rebuild(python)
    STAMP.unlink(missing_ok=True)
    install(layers)
    STAMP.write_text(json.dumps({"root": str(ROOT), "layers": layers, "key": key(layers), "parts": parts()}))
    say("ready")


def up_to_date(layers: Sequence[str]) -> bool:
    """Tell whether the environment works and holds these layers as locked."""
    found = stamp()
    return (
        set(layers) <= set(found.get("layers", []))
        and found.get("key") == key(found["layers"])
        and not why_to_rebuild()
        and set(found.get("parts", [])) <= set(parts())
    )


def why_to_rebuild() -> str:
    """Return why the environment cannot be kept, in words; empty when it can."""
    if not VENV.exists():
        return "there is none yet"
    found = stamp()
    if not found:
        return "the last set-up did not finish, or was not made by this Makefile"
    if found.get("root") != str(ROOT):
        return "the folder has moved"
    version = version_of(str(INTERPRETER))
    if version < OLDEST:
        return "its Python no longer runs"
    asked = os.environ.get("PYTHON")
    if asked and version_of(asked) != version:
        return f"PYTHON={asked} is another version than the {dotted(version)} it was made with"
    return ""


def rebuild(python: str) -> None:
    """Make an empty environment with this Python."""
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    shutil.rmtree(VENV, ignore_errors=True)
    run(python, "-m", "venv", str(VENV))


def suitable_python() -> str:
    """Return the Python to build with: the one asked for, the one running this, or a newer one on PATH."""
    asked = os.environ.get("PYTHON")
    newer = [f"python3.{minor}" for minor in range(14, OLDEST[1] - 1, -1)]
    for candidate in [asked] if asked else [sys.executable, *newer]:
        version = version_of(candidate)
        if version >= OLDEST:
            check_venv_module(candidate, version)
            return candidate
    raise SetupError(
        f"{asked or 'python3'} is not Python {dotted(OLDEST)} or later. "
        "Install one, then name it: make setup PYTHON=python3.12"
    )


def check_venv_module(python: str, version: tuple[int, ...]) -> None:
    """Refuse a Python without venv, which Debian packs on its own."""
    answer = subprocess.run([python, "-c", "import venv, ensurepip"], capture_output=True, check=False)
    if answer.returncode:
        raise SetupError(
            f"{python} has no venv module. "
            f"On Debian and Ubuntu: sudo apt-get install python{dotted(version[:2])}-venv"
        )


def install(layers: Sequence[str]) -> None:
    """Install exactly what the lock files of these layers name, then the project itself, editable."""
    locks = [str(lock_of(layer)) for layer in layers]
    python = str(INTERPRETER)
    install_uv()
    uv = str(VENV / "bin" / "uv")
    environment = {**uv_settings(), **os.environ, "VIRTUAL_ENV": str(VENV)}
    progress = [] if sys.stderr.isatty() else ["--quiet"]
    exactly = ["--require-hashes", "--no-build", *locks]
    run(uv, "pip", "sync", *progress, "--python", python, *exactly, environment=environment)
    editable = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    run(uv, "pip", "install", "--quiet", "--python", python, *editable, environment=environment)


def install_uv() -> None:
    """Put uv, pinned and hashed like the rest, into the environment: it installs eight times faster."""
    if (VENV / "bin" / "uv").exists():
        return
    pinned = re.search(r"^uv==(?:.*\\\n)+.*\n", lock_of("dev").read_text(), re.MULTILINE)
    if not pinned:
        raise SetupError(f"{lock_of('dev')} does not pin uv. Remedy: make lock")
    only_uv = VENV / "uv.lock"
    only_uv.write_text(pinned.group())
    pip = [str(INTERPRETER), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    run(*pip, "--require-hashes", "--requirement", str(only_uv))


def uv_settings() -> dict[str, str]:
    """Return pip's settings of this machine under the names uv knows."""
    command = [str(INTERPRETER), "-m", "pip", "config", "list"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    pairs = re.findall(r"^[\w:]+\.([\w-]+)='(.*)'$", listing, re.MULTILINE)
    return {PIP_TO_UV[name]: value for name, value in pairs if name in PIP_TO_UV}


def announce(layers: Sequence[str], installed: Sequence[str], reason: str) -> None:
    """Say what is about to be done and how much of it comes over the network."""
    new = [layer for layer in layers if reason or layer not in installed]
    say(f"making .venv ({reason})" if reason else "refreshing .venv")
    for layer in new:
        size = re.search(r"^# size: (.*)$", lock_of(layer).read_text(), re.MULTILINE)
        say(f"  downloading the {layer} packages, {size.group(1) if size else 'size unknown'}, if not cached")


def key(layers: Sequence[str]) -> str:
    """Return a digest of everything the environment is made from, besides Python itself."""
    digest = hashlib.sha256()
    for path in [ROOT / "pyproject.toml", *map(lock_of, layers)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def parts() -> list[str]:
    """List the packages found in the environment, so that one gone missing is noticed."""
    return sorted(path.name for path in VENV.glob("lib/python*/site-packages/*.dist-info"))


def stamp() -> dict[str, list[str] | str]:
    """Return what the last complete set-up noted; empty when there was none."""
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def version_of(python: str) -> tuple[int, ...]:
    """Return the version of an interpreter; (0,) when it does not run."""
    if python == sys.executable:
        return tuple(sys.version_info[:3])
    code = "import sys; print(*sys.version_info[:3])"
    try:
        answer = subprocess.run([python, "-Ic", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return (0,)
    return tuple(map(int, answer.stdout.split()))


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let a second `make` wait until the first has set up."""
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    with (cache / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(*command: str, environment: dict[str, str] | None = None) -> None:
    """Run a step; its own words are shown, and a failure ends the set-up."""
    try:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, env=environment)
    except subprocess.CalledProcessError as error:
        raise SetupError(f"this step failed, see above: {' '.join(command)}") from error


def lock_of(layer: str) -> Path:
    """Return the lock file of a layer."""
    return LOCKS / f"{layer}.lock"


def dotted(version: Sequence[int]) -> str:
    """Return a version as people write it."""
    return ".".join(map(str, version))


def say(line: str) -> None:
    """Print a line at once, so that it stays in order with the installer's."""
    print(f"setup: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
