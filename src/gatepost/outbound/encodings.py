"""Answers that come compressed although nobody asked, read without letting them grow."""

import zlib

_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def decoded(body: bytes, encoding: str, limit: int) -> tuple[bytes, bool]:
    """Return at most `limit` plain bytes, and whether something is missing; a strange encoding gives none."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return body[:limit], len(body) > limit
    window = _WINDOWS.get(name)
    if window is None:
        return b"", True
    try:
        return _inflated(body, window, limit)
    except zlib.error:
        if name != "deflate":
            return b"", True
    try:
        # Some servers mean the bare format, without its header.
        return _inflated(body, -15, limit)
    except zlib.error:
        return b"", True


def _inflated(body: bytes, window: int, limit: int) -> tuple[bytes, bool]:
    engine = zlib.decompressobj(window)
    plain = engine.decompress(body, limit)
    return plain, not engine.eof
