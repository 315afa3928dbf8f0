"""How values are printed as JSON, as the reference engine prints them: its escapes, its digits, its empty brackets."""

import re
from collections.abc import Sequence
from json.encoder import encode_basestring
from typing import Final

from gatepost.core.jsonnet.objects import Obj, shown_names
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


class Layout:
    """How brackets are filled at one depth: what opens a list or an object, stands between items, closes it."""

    __slots__ = (
        *(
            "_inner",
            "_margin",
            "_marks",
            "between",
            "closing",
            "closing_list",
            "colon",
            "empty",
            "empty_list",
        ),
        *("opening", "opening_list"),
    )

    def __init__(self, marks: tuple[str, str, str, str, str], margin: str = "") -> None:
        """Take what indents a level, ends a line, separates items, follows a key, stands in empty brackets."""
        indent, newline, comma, self.colon, nothing = marks
        lead = newline + margin + indent
        self._marks = marks
        self._margin = margin
        self._inner: Layout | None = None
        self.between = comma + lead
        self.opening, self.closing = "{" + lead, f"{newline}{margin}}}"
        self.opening_list, self.closing_list = "[" + lead, f"{newline}{margin}]"
        self.empty, self.empty_list = f"{{{nothing}}}", f"[{nothing}]"

    @property
    def inner(self) -> "Layout":
        """The layout one level deeper."""
        if self._inner is None:
            self._inner = Layout(self._marks, self._margin + self._marks[0])
        return self._inner


INDENT: Final = "   "
_PRINTED: Final = (INDENT, "\n", ",", ": ", " ")
LINE: Final = Layout(("", "", ", ", ": ", " "))
"""As `+` puts a value into a text."""
_BY_MARGIN: Final[dict[str, Layout]] = {}


def layout_at(margin: str) -> Layout:
    """Return the layout of a template's result behind a margin."""
    layout = _BY_MARGIN.get(margin)
    if layout is None:
        layout = _BY_MARGIN[margin] = Layout(_PRINTED, margin)
    return layout


def printed(value: Value, margin: str = "") -> str:
    """Return an evaluated value as JSON over several lines, each but the first led by the margin."""
    kind = type(value)
    if kind is list:
        return _list(value, layout_at(margin))
    return manifested(value, layout_at(margin))


def in_line(value: Value) -> str:
    """Return an evaluated value as JSON in one line."""
    return manifested(value, LINE)


def manifested(value: Value, layout: Layout) -> str:
    """Return an evaluated value as JSON in a layout."""
    kind = type(value)
    if kind is str:
        return quoted(value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is float:
        return digits(value)
    if kind is list:
        return _list(value, layout)
    if kind is dict or kind is Obj:
        return _object(value, layout)
    raise Doubt("not to be printed")


def _list(value: list[Value], layout: Layout) -> str:
    items: list[str] = []
    size = 0
    for item in value:
        # The common case first, without a call.
        if type(item) is str and item.isprintable():
            text = encode_basestring(item)
        else:
            text = manifested(force(item) if type(item) is Thunk else item, layout.inner)
        items.append(text)
        size += len(text)
        if size > LONGEST:
            raise Doubt("a long text")
    charge(len(items) + (size >> 6))
    return listed(items, layout)


def _object(value: Value, layout: Layout) -> str:
    inner, colon = layout.inner, layout.colon
    items: list[str] = []
    size = 0
    plain = type(value) is dict
    for name in sorted(value) if plain else shown_names(value):
        field = value[name] if plain else value.field(name)
        if type(field) is Thunk:
            field = force(field)
        text = f"{quoted(name)}{colon}{manifested(field, inner)}"
        items.append(text)
        size += len(text)
        if size > LONGEST:
            raise Doubt("a long text")
    charge(len(items) + (size >> 6))
    if not items:
        return layout.empty
    return f"{layout.opening}{layout.between.join(items)}{layout.closing}"


def listed(items: Sequence[str], layout: Layout) -> str:
    """Return printed items as an array."""
    if not items:
        return layout.empty_list
    return f"{layout.opening_list}{layout.between.join(items)}{layout.closing_list}"


def paid(text: str) -> str:
    """Return printed text that is to be printed as a part of more."""
    charge(len(text) >> 6)
    return text


def put(items: list[str], text: str) -> None:
    """Append printed text; what is printed is paid for, so that no output outgrows its limit by much."""
    charge(1 + (len(text) >> 6))
    items.append(text)
