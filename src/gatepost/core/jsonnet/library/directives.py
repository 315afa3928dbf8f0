"""Formats of texts, read: what stands between the percent signs."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from gatepost.core.jsonnet.values import Doubt

_DIRECTIVE: Final = re.compile(
    r"%(?:\((?P<key>[^)]*)\))?(?P<flags>[#0\- +]*)(?P<width>\*|[0-9]{0,3})"
    r"(?P<point>\.(?P<precision>\*|[0-9]{0,2}))?[hlL]?(?P<kind>[diuoxXeEfFgGcs%])"
)
_LONGEST: Final = 16_384
_AFTER: Final = "*"


class Directive(NamedTuple):
    """One value's place in a text, and how it is written there."""

    kind: str
    """d, o, x, e, f, g, c, s or %."""
    caps: bool
    key: str | None
    width: int | None
    """The least number of characters; none where a value gives it."""
    precision: int | None
    given: bool
    """A value gives the precision."""
    alternative: bool
    zeros: bool
    left: bool
    lead: str
    """What stands in the place of a minus sign."""


@lru_cache(maxsize=256)
def pieces(text: str) -> tuple[str | Directive, ...]:
    """Return a format's texts and directives in turn; raise Doubt for one that is not read here."""
    if len(text) > _LONGEST:
        raise Doubt("a long format")
    found: list[str | Directive] = []
    at = 0
    while (start := text.find("%", at)) >= 0:
        match = _DIRECTIVE.match(text, start)
        if match is None:
            raise Doubt("a format that cannot be read")
        found += [text[at:start], _directive(match)]
        at = match.end()
    return tuple(piece for piece in (*found, text[at:]) if piece)


def _directive(match: re.Match[str]) -> Directive:
    flags, width, precision = match["flags"], match["width"], match["precision"]
    kind = match["kind"]
    return Directive(
        kind="d" if kind in "iu" else kind.lower(),
        caps=kind.isupper(),
        key=match["key"],
        width=None if width == _AFTER else int(width or "0"),
        precision=int(precision or "0") if match["point"] and precision != _AFTER else None,
        given=precision == _AFTER,
        alternative="#" in flags,
        zeros="0" in flags and "-" not in flags,
        left="-" in flags,
        lead="+" if "+" in flags else " " if " " in flags else "",
    )
