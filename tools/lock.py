"""Writes the lock files from pyproject.toml: one per layer, each with just what it adds to those before it.

Run by `make lock`. Resolves once for every supported Python and machine, newest versions first, and notes the
size of each layer by downloading it.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"

# Each layer and what it asks of pyproject.toml, the one before it included.
LAYERS = {
    "product": [],
    "dev": ["--group", "dev"],
    "demo": ["--group", "dev", "--extra", "demo"],
    "bench": ["--group", "dev", "--extra", "demo", "--group", "bench"],
}
OPTIONS = [
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-annotate",
    "--no-header",
    "--upgrade",
    "--quiet",
]


def main() -> None:
    """Resolve everything together, then cut the answer into layers."""
    everything = resolved(LAYERS["bench"], [])
    known: dict[str, str] = {}
    for layer, wanted in LAYERS.items():
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
            constraints.write("".join(f"{pin}\n" for pin in everything))
            constraints.flush()
            pins = resolved(wanted, ["--constraint", constraints.name])
        added = {pin: text for pin, text in pins.items() if pin not in known}
        known |= added
        write(layer, added)


def resolved(wanted: list[str], constraints: list[str]) -> dict[str, str]:
    """Return every pinned requirement with its block of hashes."""
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", *OPTIONS, *wanted, *constraints]
    command.append("pyproject.toml")
    listing = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    blocks = re.findall(r"^(\S[^\\\n]*?) \\\n((?:    .*\n?)+)", listing, re.MULTILINE)
    return {pin: f"{pin} \\\n{hashes}" for pin, hashes in blocks}


def write(layer: str, pins: dict[str, str]) -> None:
    """Write one lock file with its size at the top."""
    path = LOCKS / f"{layer}.lock"
    body = "".join(pins.values())
    path.write_text(body)
    megabytes = downloaded_bytes(path) / 1_000_000
    size = f"{megabytes:.0f} MB in {len(pins)} packages"
    path.write_text(f"# Written by `make lock`; not by hand.\n# size: {size}\n{body}")
    print(f"{path.relative_to(ROOT)}: {size}")


def downloaded_bytes(lock: Path) -> int:
    """Return how much a machine like this one has to download for a lock file."""
    pip = [sys.executable, "-m", "pip", "--quiet", "download"]
    exactly = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", str(lock)]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*pip, *exactly, "--dest", folder], check=True)
        return sum(file.stat().st_size for file in Path(folder).iterdir())


if __name__ == "__main__":
    main()
