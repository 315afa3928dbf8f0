"""What is refused in a source before its engine sees it."""

import re

from gatepost.core.templates.lexing import OPENERS, Token, excerpt_at, place_of, tokens
from gatepost.core.templates.presets import LIBRARY_NAME
from gatepost.model.errors import TemplateError

MAX_SOURCE_BYTES = 256 * 1024
MAX_NESTING = 500

_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
_IMPORTS = frozenset({"import", "importstr", "importbin"})


def vet(source: str) -> None:
    """Refuse a Jsonnet source the engine must not see: too large, too deep, not text, or importing a file."""
    vet_text(source)
    depth = 0
    before: Token | None = None
    for token in tokens(source):
        if token.kind == "comment":
            continue
        if token.kind == "bracket":
            depth = max(0, depth + (1 if token.text in OPENERS else -1))
        if depth > MAX_NESTING:
            msg = f"brackets are nested more than {MAX_NESTING} deep"
            raise error_at(source, token.start, msg, hint=f"a template may nest {MAX_NESTING} brackets")
        _vet_import(source, before, token)
        before = token


def vet_text(source: str) -> None:
    """Refuse a source in any language that is too large or not text."""
    size = len(source.encode("utf-8", "surrogatepass"))
    if size > MAX_SOURCE_BYTES:
        msg = f"the template has {size:,} bytes; at most 256 KiB ({MAX_SOURCE_BYTES:,}) are allowed"
        raise TemplateError(msg)
    if found := _NOT_TEXT.search(source):
        what = "a NUL byte" if found[0] == "\0" else "half of a surrogate pair"
        raise error_at(source, found.start(), f"{what}; a template is plain UTF-8 text")


def error_at(source: str, offset: int, message: str, *, hint: str = "") -> TemplateError:
    """Make a TemplateError that points to an offset of the source."""
    place = place_of(source, offset)
    return TemplateError(
        f"line {place.line}, column {place.column}: {message}",
        line=place.line,
        column=place.column,
        excerpt=excerpt_at(source, place),
        hint=hint,
    )


def _vet_import(source: str, keyword: Token | None, token: Token) -> None:
    if keyword is None or keyword.text not in _IMPORTS or token.kind not in {"string", "verbatim"}:
        return
    name = token.text.lstrip("@")[1:-1]
    if name != LIBRARY_NAME:
        msg = f"{keyword.text} of {token.text}: a template may only import {LIBRARY_NAME!r}"
        raise error_at(source, keyword.start, msg)
