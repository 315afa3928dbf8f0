"""What runs on this machine, as the kernel tells it."""

from pathlib import Path


def children_of(parent: int) -> dict[int, str]:
    """The running processes that a process started, with their command lines."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and _standing(int(folder.name)) == parent:
            words = _read(folder / "cmdline").replace(b"\0", b" ")
            found[int(folder.name)] = words.decode(errors="replace")
    return found


def is_gone(process: int) -> bool:
    """Whether a process has ended; one that nobody has collected yet has ended too."""
    return _standing(process) is None


def _standing(process: int) -> int | None:
    """The parent of a process; None when it runs no more."""
    # The name stands in parentheses and may hold anything, so what follows the last one counts.
    fields = _read(Path(f"/proc/{process}/stat")).rpartition(b")")[2].split()
    return int(fields[1]) if fields and fields[0] not in {b"Z", b"X"} else None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
