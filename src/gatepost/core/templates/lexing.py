"""The little of Jsonnet's spelling that can be told without the engine: strings, comments and brackets."""

import re
from collections.abc import Iterator

import msgspec

# What never ends runs to the end of the text, so that no input is scanned more than once.
_TOKEN = re.compile(
    r"""
    (?P<comment> \\?\#[^\n]* | //[^\n]* | /\\?\*.*?(?:\*\\?/|\Z) )
  | (?P<verbatim> @"(?:[^"]|"")*(?:"|\Z) | @'(?:[^']|'')*(?:'|\Z)
                | \|\|\|-?[ \t\r]*\n(?:[ \t]*\|\|\| | .*?(?:\n[ \t]*\|\|\||\Z)) )
  | (?P<string> "[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z) | '[^'\\]*(?:\\.[^'\\]*)*(?:'|\\?\Z) )
  | (?P<word> [A-Za-z_][A-Za-z0-9_]* )
  | (?P<bracket> [\[\](){}] )
  | (?P<escape> \\. )
    """,
    re.VERBOSE | re.DOTALL,
)

OPENERS = {"[": "]", "(": ")", "{": "}"}


class Token(msgspec.Struct, frozen=True):
    """A piece of source; `kind` is comment, verbatim, string, word, bracket or escape (a stray backslash)."""

    kind: str
    text: str
    start: int


class Place(msgspec.Struct, frozen=True):
    """A place in a text, as people count: line and column from 1."""

    line: int
    column: int


def tokens(source: str) -> Iterator[Token]:
    """Yield what matters of a source in order; numbers, operators and white space are passed over."""
    for match in _TOKEN.finditer(source):
        yield Token(match.lastgroup or "", match.group(), match.start())


def place_of(source: str, offset: int) -> Place:
    """Return line and column of an offset."""
    start = source.rfind("\n", 0, offset) + 1
    return Place(source.count("\n", 0, offset) + 1, offset - start + 1)


def excerpt_at(source: str, place: Place, *, width: int = 100) -> str:
    """Return the line of a place with a caret under its column; of a long line, the part around it."""
    lines = source.split("\n")
    line = lines[place.line - 1].rstrip("\r") if 0 < place.line <= len(lines) else ""
    column = min(max(place.column, 1), len(line) + 1)
    start = max(0, column - 1 - width // 2) if len(line) > width else 0
    shown = line[start : start + width]
    padding = "".join("\t" if character == "\t" else " " for character in shown[: column - 1 - start])
    return f"{shown}\n{padding}^"
