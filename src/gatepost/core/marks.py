"""Marks: what a profile keeps of a value to count it once, and how a sample of the values stands for all.

A mark is 56 bits of the value's hash and six bits of level. At level n only values whose hash ends in n zero bits
are kept, each for 2 to the n values; which ones depends on nothing but the values, so samples of two profiles unite.
"""

import hashlib

_LEVEL_BITS = 6
_LEVELS = (1 << _LEVEL_BITS) - 1

Mark = int


def mark_of(text: str) -> Mark:
    """Return the mark of a value at level 0, where it stands for itself alone."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=7).digest()
    return int.from_bytes(digest) << _LEVEL_BITS


def level_of(mark: Mark) -> int:
    """Return the level of a mark: it stands for 2 to the level values."""
    return mark & _LEVELS


def at_level(mark: Mark, level: int) -> Mark | None:
    """Return the mark at a level that is not lower than its own; None when the sample leaves it out."""
    hashed = mark >> _LEVEL_BITS
    return None if hashed & ((1 << level) - 1) else (hashed << _LEVEL_BITS) | level
