"""Finds fields a filter names that nobody knows."""

from collections.abc import Collection

from gatepost.core.filterql.calls import nearest
from gatepost.core.filterql.fields import field_name
from gatepost.core.filterql.nodes import Call, Name, Node, children
from gatepost.core.filterql.windowcalls import window_of

UnknownField = tuple[str, str | None, int, int]
"""The name, the known one most like it, line and column."""


_SUGGESTIONS = 20
"""How many unknown fields get a suggestion; finding one compares with every known field."""


def unknown_fields(node: Node, known: Collection[str]) -> list[UnknownField]:
    """List the fields that are not known, in reading order, each time they stand in the filter."""
    found: list[UnknownField] = []
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, Name) and not _is_known(current, known):
            name = field_name(current)
            near = None
            if len(found) < _SUGGESTIONS:
                near = nearest(name, known) or nearest(name.partition(".")[0], known)
            found.append((name, near, current.line, current.column))
        # Windows name streams, events and fields of events; what they name is judged elsewhere.
        if not (isinstance(current, Call) and window_of(current)):
            waiting.extend(reversed(children(current)))
    return found


def _is_known(name: Name, known: Collection[str]) -> bool:
    return name.field in known or (name.key is None and name.field.partition(".")[0] in known)
