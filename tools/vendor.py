"""Fetches the JavaScript that gatepost ships as it is: the named version of each package, with its licence.

Run by `make vendor`, which wants npm. To move to another version, change it here, run it and run the tests.
"""

import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Vendored:
    """A package, and which of its files lie where."""

    package: str
    version: str
    folder: str
    files: Mapping[str, str]
    """By path in the package: the name here."""


VENDORED = (
    Vendored(
        package="handlebars",
        version="4.7.10",
        folder="src/gatepost/core/templates/vendor",
        files={"dist/handlebars.min.js": "handlebars.min.js", "LICENSE": "handlebars.LICENSE"},
    ),
)


def main() -> None:
    """Write every vendored file anew."""
    for one in VENDORED:
        with tempfile.TemporaryDirectory() as folder:
            fetch(one, Path(folder))
        print(f"{one.folder}: {one.package} {one.version}")


def fetch(one: Vendored, folder: Path) -> None:
    """Download one package into a scratch folder and take its files over."""
    wanted = f"{one.package}@{one.version}"
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not installed. On Debian and Ubuntu: sudo apt-get install npm")
    subprocess.run([npm, "pack", "--silent", wanted], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    [archive] = folder.glob("*.tgz")
    target = ROOT / one.folder
    target.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as packed:
        for path, name in one.files.items():
            content = packed.extractfile(f"package/{path}")
            assert content is not None, f"{wanted} has no file {path}"
            (target / name).write_bytes(content.read())


if __name__ == "__main__":
    main()
