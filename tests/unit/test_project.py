"""The source tree keeps its own promises."""

import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import gatepost

# Spelled in parts, so that this file does not name what it forbids.
FOREIGN = re.compile(
    "|".join(
        (
            r"py" + r"pi\.org",
            r"python" + r"hosted\.org",
            r"npm" + r"js\.org",
            r"find-" + r"links",
            r"/ho" + r"me/(?!\*)",
            r"/ro" + r"ot/",
            r"/work" + r"/(?:main|shared)",
            r"\.py" + r"env",
        )
    )
)
NOT_OURS = {".venv", ".git", ".cache", ".hypothesis", "__pycache__", "vendor", "build", "dist"}


def our_files(repository: Path) -> list[Path]:
    """List the text files a clone would hold."""
    files = (path for path in repository.rglob("*") if path.is_file())
    return [path for path in files if not is_foreign(path.relative_to(repository)) and is_text(path)]


def is_foreign(path: Path) -> bool:
    return any(part in NOT_OURS or part.endswith("_cache") for part in path.parts)


def is_text(path: Path) -> bool:
    return b"\0" not in path.read_bytes()[:4096]


def test_no_file_names_a_registry_or_the_machine_it_was_written_on(repository: Path) -> None:
    found = [
        f"{path.relative_to(repository)}:{number}: {line.strip()}"
        for path in our_files(repository)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if FOREIGN.search(line)
    ]

    assert found == []


def test_the_version_is_written_in_one_place(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())

    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "src/gatepost/__init__.py"
    assert metadata.version("gatepost") == gatepost.__version__


def test_every_folder_of_code_is_a_package(repository: Path) -> None:
    folders = {path.parent for path in (repository / "src" / "gatepost").rglob("*.py")}

    assert set() == {folder for folder in folders if not (folder / "__init__.py").is_file()}


@pytest.mark.parametrize("layer", ["product", "dev", "demo"])
def test_every_locked_package_is_pinned_and_hashed(repository: Path, layer: str) -> None:
    lock = (repository / "requirements" / f"{layer}.lock").read_text()
    pins = re.findall(r"^[^#\s].*", lock, re.MULTILINE)

    loose = [pin for pin in pins if not re.match(r"[a-z0-9-]+==[\w.]+( ; .+)? \\$", pin)]

    assert loose == []
    assert len(pins) <= lock.count("--hash=sha256:")


def test_the_lock_names_every_dependency_of_the_project(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())
    wanted = {
        "product": project["project"]["dependencies"],
        "dev": project["dependency-groups"]["dev"],
        "demo": project["project"]["optional-dependencies"]["demo"],
    }
    locked = "".join((repository / "requirements" / f"{layer}.lock").read_text() for layer in wanted)

    names = [re.split(r"[\[<>=~! ]", need)[0].lower() for needs in wanted.values() for need in needs]

    assert [name for name in names if not re.search(rf"^{re.escape(name)}==", locked, re.MULTILINE)] == []


def test_make_alone_lists_its_targets(repository: Path) -> None:
    listing = subprocess.run(["make"], cwd=repository, check=True, capture_output=True, text=True).stdout

    listed = re.findall(r"^  make (\S+) +\S", listing, re.MULTILINE)

    assert {"setup", "demo", "test", "check", "bench"} <= set(listed)
