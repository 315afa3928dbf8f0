"""Turning damage into advice: a hint for people and a text that would parse."""

from collections.abc import Sequence

from gatepost.core.templates.damage import Deletion, Undone, only_outcome
from gatepost.model.errors import TemplateError


def advise(
    error: TemplateError, undone: Undone, parsing: Sequence[Deletion], *, parses: bool
) -> TemplateError:
    """Add to an error what is known of its cure: `parses` tells whether undoing the escapes is enough."""
    hints = [_escape_hint(undone.escapes)] if undone.escapes else []
    deletion = None if parses else only_outcome(list(parsing))
    if deletion:
        hints.append(_bracket_hint(parsing))
    if parses and undone.escapes:
        error.repaired = undone.text
    elif deletion:
        error.repaired = deletion.text
    error.hint = "; ".join(filter(None, [error.hint, *hints]))
    return error


def _escape_hint(escapes: tuple[str, ...]) -> str:
    plain = " ".join(escape[1:] for escape in escapes)
    shown = " ".join(escapes)
    subject = f"{shown} is an escape" if len(escapes) == 1 else f"{shown} are escapes"
    return f"{subject} left over from rendered Markdown; write {plain}"


def _bracket_hint(parsing: Sequence[Deletion]) -> str:
    lines = " or ".join(dict.fromkeys(str(deletion.line) for deletion in parsing))
    return f"there is one {parsing[0].bracket} too many; delete the one on line {lines}"
