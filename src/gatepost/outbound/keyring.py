"""The key ring: seals what must not be readable at rest, under keys that can be replaced."""

import hmac
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from gatepost.model.errors import OperatorError

KEY_FILE = "keys"
VARIABLE = "GATEPOST_KEYS"
_FINGERPRINT_LABEL = b"gatepost fingerprint 1"


class KeyRing:
    """Implements the Secrets port; the first key is the newest and seals, every key opens."""

    def __init__(self, keys: Sequence[str], path: Path | None = None) -> None:
        self._path = path
        self._use(tuple(keys))

    def __repr__(self) -> str:
        return f"KeyRing({len(self._keys)} keys)"

    def seal(self, plain: bytes) -> bytes:
        """Encrypt under the newest key."""
        return self._fernet.encrypt(plain)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt under any key of the ring; raise OperatorError when none fits."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise _no_key_fits(len(self._keys)) from None

    def reseal(self, sealed: bytes) -> bytes:
        """Return the same text sealed under the newest key; raise OperatorError when no key opens it."""
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken:
            raise _no_key_fits(len(self._keys)) from None

    def fingerprint(self, plain: bytes) -> str:
        """Return a keyed hash, equal for equal texts; only dropping the oldest key changes it."""
        return hmac.digest(self._fingerprint_key, plain, "sha256").hex()

    def rotate(self) -> None:
        """Put a new key in front and store it; what is sealed already stays readable."""
        if self._path is None:
            msg = f"the keys come from {VARIABLE}; put a new key in front of the others there, then restart"
            raise OperatorError(msg)
        keys = (new_key(), *self._keys)
        draft = _draft(self._path, keys)
        draft.replace(self._path)
        _sync_folder(self._path.parent)
        self._use(keys)

    def _use(self, keys: tuple[str, ...]) -> None:
        self._keys = keys
        self._fernet = MultiFernet([_fernet(key, number) for number, key in enumerate(keys, start=1)])
        # The oldest key names things for good: a fingerprint must not change when a key is added.
        self._fingerprint_key = hmac.digest(keys[-1].encode(), _FINGERPRINT_LABEL, "sha256")


def new_key() -> str:
    """Return a fresh key: 32 random bytes in URL-safe base64."""
    return Fernet.generate_key().decode()


def open_key_ring(folder: Path, text: str | None = None) -> KeyRing:
    """Return the ring of `GATEPOST_KEYS` when that is set, else of the data folder's key file.

    A missing key file is made, readable by its owner alone from its first moment.
    """
    if text is not None and text.strip():
        return KeyRing(_split(text, VARIABLE))
    path = folder / KEY_FILE
    if not path.exists():
        _create(path)
    return KeyRing(_split(_read_private(path), str(path)), path)


def _split(text: str, source: str) -> list[str]:
    keys = [key.strip() for key in text.replace("\n", ",").split(",") if key.strip()]
    if not keys:
        msg = f"{source} holds no key; restore it from a backup, for without it nothing sealed can be read"
        raise OperatorError(msg)
    return keys


def _fernet(key: str, number: int) -> Fernet:
    try:
        return Fernet(key)
    except ValueError:
        msg = f"key {number} of the key ring is not 32 bytes in URL-safe base64; it was cut or mistyped"
        raise OperatorError(msg) from None


def _no_key_fits(keys: int) -> OperatorError:
    return OperatorError(
        f"a sealed secret fits none of the {keys} keys; put the key it was sealed with back into the ring "
        f"({VARIABLE} or the key file), or enter the secret anew"
    )


def _create(path: Path) -> None:
    """Make the key file whole or not at all; when two processes race, the first one's file stays."""
    try:
        draft = _draft(path, (new_key(),))
        try:
            with suppress(FileExistsError):
                path.hardlink_to(draft)
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except OSError as error:
        msg = f"{path} cannot be made: {error.strerror}; the folder must exist and belong to this user"
        raise OperatorError(msg) from error


def _draft(path: Path, keys: Sequence[str]) -> Path:
    """Write the keys beside the key file, private from the moment the file exists, and flush them to disk."""
    draft = path.with_name(f"{path.name}.{new_key()[:12]}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write("\n".join(keys) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_private(path: Path) -> str:
    """Read the key file; raise OperatorError when others on this machine could read it too."""
    try:
        with path.open() as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                msg = f"{path} is open to others ({mode:04o}); run `chmod 600 {path}`, then rotate the keys"
                raise OperatorError(msg)
            return file.read()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise OperatorError(f"{path} cannot be read: {reason}; it must be a file of this user") from error
