"""What was written down and is never read is taken out again."""

import re
from collections import Counter
from typing import Final

_NAME: Final = re.compile(r"\b[a-z]\d+\b")
_IDLE: Final = re.compile(r" *([tx]\d+) = (?:\{.*\}|\[.*\]|[a-z]\d+)")


def tidied(lines: list[str]) -> list[str]:
    """Return the lines without the objects, arrays and second names that nobody reads."""
    read = Counter(name for line in lines for name in _NAME.findall(line))
    kept: list[str] = []
    for line in reversed(lines):
        idle = _IDLE.fullmatch(line)
        if idle and read[idle[1]] == 1:
            read.subtract(_NAME.findall(line))
        else:
            kept.append(line)
    return kept[::-1]
