"""Prints a tree in the canonical form: prefix AND and OR, upper-case words, one line."""

import re

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
)
from gatepost.core.filterql.words import KEYWORDS
from gatepost.model.jsonvalue import JsonValue

_PLAIN_NAME = re.compile(r"(?:[^\W\d]|@)(?:[\w.@]|-(?!-))*")
_SLUG = re.compile(r"\d(?:\w|-(?!-))*")


def print_filter(node: Node | Statement) -> str:
    """Print a statement with its clauses, or a phrase alone; what is printed reads back as the same."""
    if isinstance(node, Statement):
        return _statement(node)
    return _phrase(node)


def _statement(statement: Statement) -> str:
    lines = [f"-- {line}" for line in statement.description.splitlines()]
    parts = [f"FILTER {_phrase(statement.filter)}"]
    if statement.table != "user":
        parts.append(f"FROM {_quoted(statement.table)}")
    if statement.limit is not None:
        parts.append(f"LIMIT {statement.limit}")
    if statement.attributes:
        pairs = ", ".join(f"{_quoted(name)} = {_scalar(value)}" for name, value in statement.attributes)
        parts.append(f"WITH {pairs}")
    if statement.alias:
        parts.append(f"ALIAS {_reference(statement.alias)}")
    return "\n".join([*lines, " ".join(parts)])


def _phrase(node: Node) -> str:
    match node:
        case Operation(op="and" | "or" as op, args=args):
            return f"{op.upper()} ({', '.join([_phrase(arg) for arg in args])})"
        case Operation(op="not", args=(inner,)):
            return _negation(inner)
        case Operation():
            return _operation(node)
        case Include(audience=audience):
            return f"INCLUDE {_reference(audience)}"
        case Everything():
            return "*"
        case _:
            return _operand(node)


def _operation(node: Operation) -> str:
    match node:
        case Operation(op="exists", args=(inner,)):
            return f"EXISTS {_operand(inner)}"
        case Operation(op="neg", args=(inner,)):
            return f"-{_operand(inner)}"
        case Operation(op="in" | "intersects" as op, args=(left, right)):
            return f"{_operand(left)} {op.upper()} {_choices(right)}"
    first, *others = [_operand(arg) for arg in node.args]
    return f"{first} {node.op.upper()} {' AND '.join(others)}"


def _negation(inner: Node) -> str:
    match inner:
        case Operation(op="like" | "contains" | "in" | "intersects" | "between", args=(left, *_)):
            start = _operand(left)
            return f"{start} NOT{_phrase(inner).removeprefix(start)}"
        case _:
            return f"NOT {_phrase(inner)}"


def _operand(node: Node) -> str:
    match node:
        case Literal(value=value):
            return _scalar(value)
        case Name(field=field, key=None):
            return _quoted(field)
        case Name(field=field, key=str(key)):
            return f"{_ticked(field)}.{_ticked(key)}"
        case ListOf(items=items):
            return _list(items)
        case Call(function=function, args=args):
            return f"{function}({', '.join([_phrase(arg) for arg in args])})"
        case _:
            return f"({_phrase(node)})"


def _choices(right: Node) -> str:
    if isinstance(right, ListOf):
        return f"({', '.join([_phrase(item) for item in right.items])})"
    return _operand(right)


def _list(items: tuple[Node, ...]) -> str:
    # A comma keeps a single item in brackets from being read as a quoted name.
    end = "" if len(items) != 1 or isinstance(items[0], Literal) else ","
    return f"[{', '.join([_phrase(item) for item in items])}{end}]"


def _scalar(value: JsonValue) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if value is None:
        return "NULL"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _quoted(name: str) -> str:
    plain = _PLAIN_NAME.fullmatch(name) and name.upper() not in KEYWORDS
    return name if plain else _ticked(name)


def _reference(audience: str) -> str:
    return audience if _SLUG.fullmatch(audience) else _quoted(audience)


def _ticked(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
