"""The data folder: made private, owned by one process at a time."""

import fcntl
import os
from pathlib import Path

from gatepost.model.errors import OperatorError


class DataFolder:
    """A folder this process owns until it closes it; the lock goes with the process, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            msg = f"the data folder {path} cannot be used: {error.strerror}; name another one with --data"
            raise OperatorError(msg) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            msg = f"another gatepost owns {path}; stop it, or name another folder with --data"
            raise OperatorError(msg) from error

    def write_private(self, name: str, text: str) -> Path:
        """Write a file that only its owner can read, from its first moment on."""
        target = self.path / name
        fresh = self.path / f"{name}.new"
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
        return target

    def close(self) -> None:
        """Give the folder up."""
        os.close(self._lock)
