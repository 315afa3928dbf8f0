"""The seam to the key ring."""

from typing import Protocol


class Secrets(Protocol):
    """Seals what must not be readable at rest."""

    def seal(self, plain: bytes) -> bytes:
        """Encrypt under the newest key."""

    def open(self, sealed: bytes) -> bytes:
        """Decrypt under any key of the ring; raise OperatorError when none fits."""

    def fingerprint(self, plain: bytes) -> str:
        """A keyed hash, equal for equal texts, that tells nothing about them."""
