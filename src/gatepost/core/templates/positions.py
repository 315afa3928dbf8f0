"""Reading the positions out of the engine's messages about a source."""

import re

from gatepost.core.templates.lexing import Place, excerpt_at
from gatepost.model.errors import TemplateError

_POSITION = re.compile(r"template:(?:(\d+):(\d+)(?:-\d+)?|\((\d+):(\d+)\)-\(\d+:\d+\)) ")


def template_error(message: str, source: str) -> TemplateError:
    """Make a TemplateError from what the engine said of a source that does not parse."""
    # The engine states the position twice for faults inside strings, and ends with an excerpt of its own.
    head = message.split("\n\n", 1)[0].strip()
    place: Place | None = None
    while match := _POSITION.match(head):
        place = _place(match, source)
        head = head[match.end() :]
    if place is None:
        return TemplateError(head)
    return TemplateError(
        f"line {place.line}, column {place.column}: {head}",
        line=place.line,
        column=place.column,
        excerpt=excerpt_at(source, place),
    )


def _place(match: re.Match[str], source: str) -> Place:
    line, column = (int(number) for number in match.groups() if number)
    lines = source.split("\n")
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    # The engine counts bytes; people count characters.
    before = text.encode("utf-8", "surrogatepass")[: column - 1]
    past_the_end = column - 1 - len(before)
    return Place(line, len(before.decode("utf-8", "ignore")) + past_the_end + 1)
