"""Turns FilterQL text into a tree; errors point at the place."""

import re
from functools import lru_cache
from importlib import resources
from typing import Any
from typing import Literal as OneOf

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedToken, v_args

from gatepost.core.filterql.calls import check_calls
from gatepost.core.filterql.nodes import (
    Call,
    Everything,
    Include,
    ListOf,
    Literal,
    Name,
    Node,
    Operation,
    Statement,
    checked_size,
    joined,
    negated,
)
from gatepost.core.filterql.words import WordOrder
from gatepost.model.errors import FilterError
from gatepost.model.jsonvalue import JsonValue

LONGEST = 64 * 1024
"""Bytes of text."""

_BACKSLASH = re.compile(r'\\(["\\])|""')
_NAME_PART = re.compile(r"`((?:[^`]|``)*)`|'([^']*)'|([^.`']+)")
_CASTS = {
    "int": "toint",
    "number": "tonumber",
    "string": "tostring",
    "bool": "tobool",
    "date": "todate",
}
"""Type -> the function that `cast(x as type)` is short for."""
_EXPECTED = {
    "AS": "",
    "BANG": "",
    "BETWEEN_AND": "AND and the upper bound of BETWEEN",
    "CALL": "",
    "COMMA": "a comma",
    "COMPARE": "an operator such as = or CONTAINS",
    "EVERYTHING": "",
    "FILTER": "",
    "LPAR": "an opening bracket (",
    "LSQB": "",
    "NAME": "a field",
    "NUMBER": "a number",
    "RPAR": "a closing bracket )",
    "RSQB": "a closing bracket ]",
    "TEXT": 'a text in double quotes such as "x"',
}


class _Builder(Transformer[Token, Any]):
    """Called by the parser bottom-up, so the tree is built without recursion."""

    @v_args(inline=True)
    def name(self, token: Token) -> Name:
        field, key = name_parts(str(token))
        return Name(field, key, token.line or 0, token.column or 0)

    @v_args(inline=True)
    def text(self, token: Token) -> Literal:
        value = _BACKSLASH.sub(lambda found: found[1] or '"', token[1:-1])
        return Literal(value, token.line or 0, token.column or 0)

    @v_args(inline=True)
    def number(self, token: Token) -> Literal:
        return Literal(_number(token), token.line or 0, token.column or 0)

    @v_args(inline=True)
    def constant(self, token: Token) -> Literal:
        value = {"TRUE": True, "FALSE": False, "NULL": None}[token.type]
        return Literal(value, token.line or 0, token.column or 0)

    def items(self, nodes: list[Node]) -> tuple[Node, ...]:
        return tuple(nodes)

    def several(self, nodes: list[Node]) -> "_Several":
        return _Several(nodes)

    @v_args(inline=True)
    def list_of(self, items: tuple[Node, ...]) -> ListOf:
        return ListOf(items)

    bracketed = list_of

    @v_args(inline=True)
    def call(self, token: Token, args: tuple[Node, ...]) -> Call:
        return Call(token.lower(), args, token.line or 0, token.column or 0)

    @v_args(inline=True)
    def cast(self, token: Token, operand: Node, _as: Token, type_: Token) -> Call:
        function = _CASTS.get(type_.lower())
        if function is None:
            msg = f"cast takes one of {', '.join(_CASTS)}, found {type_}"
            raise FilterError(msg, line=type_.line or 0, column=type_.column or 0)
        return Call(function, (operand,), token.line or 0, token.column or 0)

    @v_args(inline=True)
    def minus(self, sign: Token, operand: Node) -> Node:
        if isinstance(operand, Literal) and isinstance(operand.value, int | float):
            return Literal(-operand.value, sign.line or 0, sign.column or 0)
        return Operation("neg", (operand,), sign.line or 0, sign.column or 0)

    @v_args(inline=True)
    def arithmetic(self, left: Node, sign: Token, right: Node) -> Node:
        return _operation(str(sign), left, right, sign)

    @v_args(inline=True)
    def compare(self, left: Node, sign: Token, right: Node) -> Node:
        return _operation({"==": "=", "<>": "!="}.get(sign, str(sign)), left, right, sign)

    def word(self, parts: list[Any]) -> Node:
        *left, word, right = parts
        found = _operation(word.type.lower(), left[0], right, word)
        return found if len(left) == 1 else negated(found, word.line or 0, word.column or 0)

    def between(self, parts: list[Any]) -> Node:
        *left, word, low, _, high = parts
        found = Operation("between", (left[0], low, high), word.line or 0, word.column or 0)
        return found if len(left) == 1 else negated(found, word.line or 0, word.column or 0)

    @v_args(inline=True)
    def exists(self, token: Token, operand: Node) -> Node:
        return Operation("exists", (operand,), token.line or 0, token.column or 0)

    @v_args(inline=True)
    def include(self, _: Token, name: Token) -> Include:
        return Include(_plain(str(name)), name.line or 0, name.column or 0)

    @v_args(inline=True)
    def everything(self, token: Token) -> Everything:
        return Everything(token.line or 0, token.column or 0)

    @v_args(inline=True)
    def negation(self, token: Token, phrase: Node) -> Node:
        return negated(phrase, token.line or 0, token.column or 0)

    @v_args(inline=True)
    def and_list(self, token: Token, args: tuple[Node, ...]) -> Node:
        return joined("and", args, token.line or 0, token.column or 0)

    @v_args(inline=True)
    def or_list(self, token: Token, args: tuple[Node, ...]) -> Node:
        return joined("or", args, token.line or 0, token.column or 0)

    def infix_and(self, parts: list[Any]) -> Node:
        return _infix("and", parts)

    def infix_or(self, parts: list[Any]) -> Node:
        return _infix("or", parts)

    @v_args(inline=True)
    def attribute(self, name: Name, sign: Token, value: Literal | Name) -> tuple[str, JsonValue]:
        if sign not in {"=", "=="}:
            msg = f"WITH takes key = value, not {sign}"
            raise FilterError(msg, line=sign.line or 0, column=sign.column or 0)
        return name.field, value.value if isinstance(value, Literal) else value.field

    @v_args(inline=True)
    def from_clause(self, token: Token, name: Name) -> tuple[Token, JsonValue]:
        return token, name.field

    @v_args(inline=True)
    def alias_clause(self, token: Token, name: Name | Token) -> tuple[Token, JsonValue]:
        return token, (name.field if isinstance(name, Name) else str(name)).lower()

    @v_args(inline=True)
    def limit_clause(self, token: Token, number: Token) -> tuple[Token, JsonValue]:
        limit = _number(number)
        if not isinstance(limit, int):
            msg = "LIMIT takes a whole number"
            raise FilterError(msg, line=number.line or 0, column=number.column or 0)
        return token, limit

    def with_clause(self, parts: list[Any]) -> tuple[Token, Any]:
        return parts[0], tuple(parts[1:])

    def clause(self, parts: list[Any]) -> Any:
        return parts[0]

    def statement(self, parts: list[Any]) -> Statement:
        description = str(parts.pop(0)) if isinstance(parts[0], Token) else ""
        phrase, *clauses = parts
        found: dict[str, Any] = {}
        for token, value in clauses:
            if token.type in found:
                msg = f"{token.type} stands twice; once is enough"
                raise FilterError(msg, line=token.line or 0, column=token.column or 0)
            found[token.type] = value
        return Statement(
            filter=phrase,
            table=found.get("FROM", "user"),
            alias=found.get("ALIAS", ""),
            limit=found.get("LIMIT"),
            description=description,
            attributes=found.get("WITH", ()),
        )

    def statements(self, found: list[Statement]) -> tuple[Statement, ...]:
        return tuple(found)


class _Several(tuple[Node, ...]):
    """Phrases in one pair of brackets to the right of an infix AND or OR."""

    __slots__ = ()


def parse_filter(text: str) -> Statement:
    """Read one statement; the word FILTER may be missing."""
    statements = parse_statements(text)
    if len(statements) == 1:
        return statements[0]
    found = "nothing" if not statements else f"{len(statements)} statements"
    msg = f"expected one statement such as FILTER visits > 5, found {found}"
    raise FilterError(msg, line=1, column=1, excerpt=excerpt(text, 1, 1))


def parse_statements(text: str) -> tuple[Statement, ...]:
    """Read any number of statements separated by `;`."""
    statements: tuple[Statement, ...] = _parse(text, "statements")
    for statement in statements:
        _checked(statement.filter, text)
    return statements


def parse_phrase(text: str) -> Node:
    """Read a bare phrase or expression: no FILTER, no clauses."""
    phrase: Node = _parse(text, "phrase")
    return _checked(phrase, text)


def explained(error: FilterError, text: str) -> FilterError:
    """Add the line with a caret to an error that knows its place but not the text."""
    error.excerpt = error.excerpt or excerpt(text, error.line, error.column)
    return error


def _checked(phrase: Node, text: str) -> Node:
    try:
        check_calls(checked_size(phrase))
    except FilterError as error:
        raise explained(error, text) from None
    return phrase


def excerpt(text: str, line: int, column: int) -> str:
    """Show one line of the text with a caret below the column."""
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        return ""
    # A window keeps the caret visible when somebody put everything on one line.
    start = max(0, column - 61)
    shown = lines[line - 1][start : start + 120].replace("\t", " ")
    return f"{shown}\n{' ' * (max(0, column - 1 - start))}^"


def name_parts(text: str) -> tuple[str, str | None]:
    """Split a name as written into field and key; the key is None unless the parts were quoted apart."""
    if text[0] == "[":
        return text[1:-1].strip(), None
    if "`" not in text and "'" not in text:
        return text, None
    parts = [(tick.replace("``", "`") or single or bare) for tick, single, bare in _NAME_PART.findall(text)]
    return (parts[0], None) if len(parts) == 1 else (parts[0], ".".join(parts[1:]))


def _parse(text: str, start: OneOf["statements", "phrase"]) -> Any:
    if len(text.encode()) > LONGEST:
        msg = f"the filter is longer than {LONGEST // 1024} KiB; split it into audiences and INCLUDE them"
        raise FilterError(msg)
    try:
        return _grammar().parse(text, start=start)
    except FilterError as error:
        raise explained(error, text) from None
    except UnexpectedCharacters as error:
        raise _unknown_character(text, error) from None
    except UnexpectedToken as error:
        raise _unexpected_word(text, error) from None


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    source = resources.files(__package__).joinpath("grammar.lark").read_text("utf-8")
    return Lark(
        source,
        parser="lalr",
        lexer="basic",
        postlex=WordOrder(),
        transformer=_Builder(),
        start=["statements", "phrase"],
        maybe_placeholders=False,
    )


def _unknown_character(text: str, error: UnexpectedCharacters) -> FilterError:
    here = error.char
    if here == '"':
        msg = "the text that starts here is never closed"
    elif here in {"`", "'"}:
        msg = f"the name that starts with {here} here is never closed"
    else:
        msg = f"{here!r} means nothing here"
    return FilterError(
        msg, line=error.line, column=error.column, excerpt=excerpt(text, error.line, error.column)
    )


def _unexpected_word(text: str, error: UnexpectedToken) -> FilterError:
    token = error.token
    at_end = token.type == "$END"
    line, column = (_end_of(text)) if at_end else (token.line or 0, token.column or 0)
    found = "the end" if at_end else f"{_shown(token)}"
    hint = _hint(text, error)
    expected = sorted(filter(None, {_EXPECTED.get(kind, "") for kind in error.accepts or ()}))
    wanted = " or ".join([", ".join(expected[:-1]), expected[-1]] if len(expected) > 1 else expected)
    msg = f"expected {wanted}, found {found}" if wanted else f"did not expect {found} here"
    return FilterError(msg, line=line, column=column, excerpt=excerpt(text, line, column), hint=hint)


def _shown(token: Token) -> str:
    return token.value if len(token.value) <= 40 else f"{token.value[:40]}..."


def _hint(text: str, error: UnexpectedToken) -> str:
    words = text[: error.token.start_pos].split()
    before = words[-1].upper() if words else ""
    kind = error.token.type
    if kind == "EXISTS":
        return "EXISTS stands before the field: EXISTS email"
    if before == "CONTAINS" and kind == "LPAR":
        return 'CONTAINS takes one text or a list in square brackets: CONTAINS ["a", "b"]'
    if before == "INTERSECTS":
        return 'INTERSECTS takes a list, a field or a function: INTERSECTS ("a", "b")'
    if before == "IN" and kind == "NUMBER":
        return "IN takes a list: IN (1, 2)"
    if text[error.token.start_pos or 0 :].startswith("/*"):
        return "comments start with -- and end with the line"
    return ""


def _end_of(text: str) -> tuple[int, int]:
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1


def _number(token: Token) -> int | float:
    try:
        return int(token)
    except ValueError:
        return float(token)


def _plain(name: str) -> str:
    field, key = name_parts(name)
    return field if key is None else f"{field}.{key}"


def _operation(op: str, left: Node, right: Node, token: Token) -> Operation:
    return Operation(op, (left, right), token.line or 0, token.column or 0)


def _infix(op: str, parts: list[Any]) -> Node:
    phrases: list[Node] = []
    for part in parts:
        if isinstance(part, _Several):
            phrases.append(joined(op, part))
        elif not isinstance(part, Token):
            phrases.append(part)
    return joined(op, phrases)
