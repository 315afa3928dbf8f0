"""How many helper processes there are and what one render may cost."""

import msgspec

from gatepost.model.times import SECOND, Milliseconds

MIB = 1024 * 1024


class RenderOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the template engine."""

    workers: int = 2
    deadline: Milliseconds = SECOND
    """Wall time of one render."""
    memory: int = 512 * MIB
    """Bytes the engine may take beyond what it needs to start."""
    output: int = MIB
    """Bytes one render may print."""
    recycle_after: int = 20_000
    """Renders after which a helper is replaced."""
    recycle_above: int = 256 * MIB
    """Bytes, resident or of address space, above which a helper is replaced between turns."""
    turn: int = 50
    """Renders of one template before another template's turn comes."""
    turn_bytes: int = 8 * MIB
    """Bytes of contexts in one turn; a single larger one has a turn of its own."""
