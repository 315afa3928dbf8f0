"""Reasons in tables: one line each; whole, they are in JSON."""

import re

_FRAME = re.compile(r"^\ttemplate:\(?(\d+):(\d+)", re.MULTILINE)
"""A place in the user's own template, innermost first, in what the engine says of a template that failed."""
_LONGEST = 160


def brief(reason: str) -> str:
    """Return the line of a reason that helps: of a template's error the message and its place in the template."""
    first = reason.strip().split("\n", 1)[0].strip()
    if len(first) > _LONGEST:
        first = first[: _LONGEST - 3] + "..."
    place = _FRAME.search(reason)
    return f"{first} (line {place[1]}, column {place[2]} of the template)" if place else first
