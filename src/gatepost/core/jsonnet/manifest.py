"""How values are printed as JSON, as the reference engine prints them: its escapes, its digits, its empty brackets."""

import re
from collections.abc import Sequence
from json.encoder import encode_basestring
from typing import Final, NamedTuple

from gatepost.core.jsonnet.objects import Obj, fields_of
from gatepost.core.jsonnet.values import LONGEST, MAX_INT, Doubt, Thunk, Value, charge, force

_HARD: Final = re.compile("[\x7f-\x9f]")


def quoted(text: str) -> str:
    """Return a text in quotation marks; the controls beyond ASCII are escaped too."""
    plain = encode_basestring(text)
    if not text.isprintable() and _HARD.search(text):
        return _HARD.sub(_escape, plain)
    return plain


def escaped(printed_text: str) -> str:
    """Return printed JSON with the controls beyond ASCII escaped, which stand nowhere but in texts."""
    if printed_text.isascii() and "\x7f" not in printed_text:
        return printed_text
    return _HARD.sub(_escape, printed_text)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def digits(number: float) -> str:
    """Return a number as the reference engine prints it: whole ones in full, others with 17 digits."""
    if type(number) is int:
        if -MAX_INT <= number <= MAX_INT:
            return str(number)
        number = float(number)
    if number.is_integer():
        return f"{number:.0f}"
    if number - number == 0.0:
        return f"{number:.17g}"
    raise Doubt("not a number")


class Style(NamedTuple):
    """How brackets are filled: what stands for one level, what ends a line, between items, after a key, in nothing."""

    indent: str
    newline: str
    comma: str
    colon: str
    empty: tuple[str, str]


PRINTED: Final = Style("   ", "\n", ",", ": ", ("[ ]", "{ }"))
"""As a template's result is printed."""
LINE: Final = Style("", "", ", ", ": ", ("[ ]", "{ }"))
"""As `+` puts a value into a text."""
MINIFIED: Final = Style("", "", ",", ":", ("[]", "{}"))
"""As std.manifestJsonMinified prints."""


def printed(value: Value, margin: str = "") -> str:
    """Return an evaluated value as JSON over several lines, each but the first led by the margin."""
    return manifested(value, PRINTED, margin)


def in_line(value: Value) -> str:
    """Return an evaluated value as JSON in one line."""
    return manifested(value, LINE, "")


def manifested(value: Value, style: Style, margin: str) -> str:
    """Return an evaluated value as JSON in a style."""
    kind = type(value)
    if kind is str:
        return quoted(value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is float:
        return digits(value)
    return _bracketed(value, style, margin)


def _bracketed(value: Value, style: Style, margin: str) -> str:
    if type(value) is list:
        return _list(value, style, margin)
    if type(value) is dict or type(value) is Obj:
        return _object(value, style, margin)
    raise Doubt("not to be printed")


def _list(value: list[Value], style: Style, margin: str) -> str:
    inner = margin + style.indent
    items: list[str] = []
    size = 0
    for item in value:
        # The common cases first, without a call.
        if type(item) is str and item.isprintable():
            text = encode_basestring(item)
        else:
            text = manifested(force(item) if type(item) is Thunk else item, style, inner)
        items.append(text)
        size += len(text)
        if size > LONGEST:
            raise Doubt("a long text")
    charge(len(items) + (size >> 6))
    return framed("[]", items, style, margin)


def _object(value: Value, style: Style, margin: str) -> str:
    inner = margin + style.indent
    colon = style.colon
    items: list[str] = []
    size = 0
    for name, field in fields_of(value):
        text = manifested(field, style, inner)
        items.append(f"{quoted(name)}{colon}{text}")
        size += len(text) + len(name)
        if size > LONGEST:
            raise Doubt("a long text")
    charge(len(items) + (size >> 6))
    return framed("{}", items, style, margin)


def paid(text: str) -> str:
    """Return printed text that is to be printed as a part of more."""
    charge(len(text) >> 6)
    return text


def put(items: list[str], text: str) -> None:
    """Append printed text; what is printed is paid for, so that no output outgrows its limit by much."""
    charge(1 + (len(text) >> 6))
    items.append(text)


def framed(brackets: str, items: Sequence[str], style: Style = PRINTED, margin: str = "") -> str:
    """Return printed items within brackets."""
    if not items:
        return style.empty[brackets == "{}"]
    lead = style.newline + margin + style.indent
    return f"{brackets[0]}{lead}{(style.comma + lead).join(items)}{style.newline}{margin}{brackets[1]}"
