"""Jsonnet's words: names, numbers, texts, operators."""

import math
import re
from collections.abc import Iterator

import msgspec

KEYWORDS = frozenset(
    {"assert", "else", "error", "false", "for", "function", "if", "import", "importstr", "importbin", "in"}
    | {"local", "null", "tailstrict", "then", "self", "super", "true"}
)

# No source is gone through again and again: a comment that does not end ends the scan, and a run of signs is looked at
# so far and no further, which is more than the parser takes of them in any place.
_TOKEN = re.compile(
    r"""
    (?P<space> [ \t\r\n]+ | \#[^\n]* | //[^\n]* | /\*.*?\*/ )
  | (?P<unended> /\* )
  | (?P<number> (?:0|[1-9](?:_?[0-9])*)(?:\.[0-9](?:_?[0-9])*)?(?:[eE][-+]?[0-9](?:_?[0-9])*)? )
  | (?P<word> [A-Za-z_][A-Za-z0-9_]* )
  | (?P<block> \|\|\|-?[ \t\r]*\n )
  | (?P<verbatim> @"(?:[^"]|"")*" | @'(?:[^']|'')*' )
  | (?P<string> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
  | (?P<mark> [\[\](){},.;] )
  | (?P<operator> [!$:~+\-&|^=<>*/%]{1,300} )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {'"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_INT = 2**53


class SyntaxFault(Exception):
    """The source is not Jsonnet as this parser knows it."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(f"{message} at offset {at}")
        self.at = at


class Token(msgspec.Struct, frozen=True):
    """A word; `kind` is number, text, name, keyword, mark, operator or end."""

    kind: str
    text: str
    at: int
    value: str | int | float | None = None


def scan(source: str) -> Iterator[Token]:
    """Yield the tokens of a source, and an end."""
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None or match.lastgroup == "unended":
            raise SyntaxFault("not a word of Jsonnet", at)
        if match.lastgroup == "block":
            token, at = _block(source, match)
            yield token
            continue
        token = _token(match)
        at = token.at + len(token.text)
        if token.kind != "space":
            yield token
    yield Token("end", "", len(source))


def _token(match: re.Match[str]) -> Token:
    kind, text, at = match.lastgroup or "", match.group(), match.start()
    match kind:
        case "number":
            return Token("number", text, at, _number(text, at))
        case "word":
            return Token("keyword" if text in KEYWORDS else "name", text, at)
        case "string":
            return Token("text", text, at, _unescaped(text[1:-1], at))
        case "verbatim":
            return Token("text", text, at, text[2:-1].replace(text[1] * 2, text[1]))
        case "operator":
            return Token("operator", _operator(text), at)
        case _:
            return Token(kind, text, at)


def _operator(run: str) -> str:
    """Return the first operator of a run of signs, which a comment or a block ends.

    A run that ends in the sign of an operand is taken sign by sign, as the engine takes it: `a==-1` is no comparison.
    """
    for stop in ("//", "/*", "|||"):
        found = run.find(stop)
        if found > 0:
            run = run[:found]
    return run[0] if run[-1] in "+-~!$" else run


def _number(text: str, at: int) -> int | float:
    value = float(text.replace("_", ""))
    if math.isinf(value):
        raise SyntaxFault("a number beyond all bounds", at)
    return int(value) if value.is_integer() and abs(value) <= _MAX_INT else value


def _unescaped(text: str, at: int) -> str:
    if "\\" not in text:
        return text

    def one(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        if match[2] not in _ESCAPED:
            raise SyntaxFault("an unknown escape in a text", at)
        return _ESCAPED[match[2]]

    plain = _ESCAPE.sub(one, text)
    if _SURROGATE.search(plain):
        try:
            return plain.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise SyntaxFault("half of a surrogate pair in a text", at) from None
    return plain


def _block(source: str, opening: re.Match[str]) -> tuple[Token, int]:
    """Return the text of a `|||` block and where it ends: its first line's white space is taken off each line."""
    start = opening.start()
    lines: list[str] = []
    at = opening.end()
    indent = ""
    while at < len(source):
        end = source.find("\n", at)
        line = source[at : len(source) if end < 0 else end]
        if not indent and line:
            indent = line[: len(line) - len(line.lstrip(" \t"))]
            if not indent:
                break
        if line and not line.startswith(indent):
            rest = line.lstrip(" \t")
            if not rest.startswith("|||"):
                break
            text = "".join(f"{each}\n" for each in lines)
            value = text[:-1] if opening.group().startswith("|||-") else text
            stop = at + len(line) - len(rest) + 3
            return Token("text", source[start:stop], start, value), stop
        if end < 0:
            break
        lines.append(line[len(indent) :])
        at = end + 1
    raise SyntaxFault("a text block that does not end, or is not indented", start)
