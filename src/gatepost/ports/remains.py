"""The seam to what deletion leaves behind in a file."""

from collections.abc import Collection
from typing import Protocol

import msgspec


class Looked(msgspec.Struct, frozen=True):
    """What a look at a piece of a file found."""

    found: bool
    next: int | None = None
    """Where the next look begins; None at the end."""


class Remains(Protocol):
    """The bytes of one file. Every method blocks, and may be run again."""

    def sweep(self) -> bool:
        """Overwrite some of the file's free pages; say whether there are more."""

    def look(self, texts: Collection[bytes], start: int) -> Looked:
        """Read a piece of the file's bytes for texts."""

    def rewrite(self) -> None:
        """Write the file anew without anything that is not stored any more."""

    def small(self) -> bool:
        """Say whether a rewrite costs next to nothing."""
