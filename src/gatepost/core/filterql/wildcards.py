"""LIKE patterns, matched without the blow-up a naive regular expression can suffer."""

import re
from collections.abc import Callable
from functools import lru_cache

LONGEST = 1_000
"""Characters of a pattern; matching takes up to its length times that of the text. A longer one fits nothing."""


@lru_cache(maxsize=1024)
def matcher(pattern: str) -> Callable[[str], bool]:
    r"""Make a test for whole texts: `%` and `*` any run, `?` one character, `[a-z]` a class, `\` escapes."""
    if len(pattern) > LONGEST:
        return lambda _: False
    pieces = _pieces(pattern)
    if len(pieces) == 1:
        expression = pieces[0]
    else:
        # Each middle piece takes its first fit and keeps it (an atomic group), so work stays within
        # text times pattern. The first fit is always as good as a later one.
        middle = "".join(f"(?>.*?{piece})" for piece in pieces[1:-1] if piece)
        expression = f"{pieces[0]}{middle}.*{pieces[-1]}"
    compiled = re.compile(expression, re.DOTALL)
    return lambda text: compiled.fullmatch(text) is not None


def is_pattern(text: str) -> bool:
    """Say whether a text holds a wildcard for a run."""
    return "*" in text or "%" in text


def _pieces(pattern: str) -> list[str]:
    """Split a pattern at its runs into regular expressions of fixed length."""
    pieces = [""]
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        step = 1
        if sign in "*%":
            pieces.append("")
        elif sign == "?":
            pieces[-1] += "."
        elif sign == "\\" and at + 1 < len(pattern):
            pieces[-1] += re.escape(pattern[at + 1])
            step = 2
        elif sign == "[" and (end := pattern.find("]", at + 2)) > 0:
            pieces[-1] += _character_class(pattern[at + 1 : end])
            step = end + 1 - at
        else:
            pieces[-1] += re.escape(sign)
        at += step
    return pieces


def _character_class(inside: str) -> str:
    negated = inside[0] in "!^" and len(inside) > 1
    members, at = "", int(negated)
    while at < len(inside):
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            low, high = inside[at], inside[at + 2]
            members += f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
            at += 3
        else:
            members += re.escape(inside[at])
            at += 1
    if not members:
        # A class of nothing but backward ranges: no character fits, or every one when negated.
        return "." if negated else r"(?!)"
    return f"[{'^' if negated else ''}{members}]"
