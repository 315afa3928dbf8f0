"""The tree a filter or an expression becomes once it is parsed."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import msgspec

from gatepost.model.errors import FilterError
from gatepost.model.jsonvalue import JsonValue

DEEPEST = 200
"""Levels of nesting; far more than people write, far less than Python's own limit on recursion."""


class Literal(msgspec.Struct, frozen=True):
    """A value as written: text, number, true, false or NULL."""

    value: str | int | float | bool | None
    line: int = 0
    column: int = 0


class Name(msgspec.Struct, frozen=True):
    """A field; `key` is set when the parts were quoted apart, as in `` `visits`.`home.page` ``."""

    field: str
    key: str | None = None
    line: int = 0
    column: int = 0


class ListOf(msgspec.Struct, frozen=True):
    """Several operands in brackets."""

    items: "tuple[Node, ...]"
    line: int = 0
    column: int = 0


class Call(msgspec.Struct, frozen=True):
    """A function applied to its arguments."""

    function: str
    args: "tuple[Node, ...]"
    line: int = 0
    column: int = 0


class Include(msgspec.Struct, frozen=True):
    """Another audience's filter, by slug or id."""

    audience: str
    line: int = 0
    column: int = 0


class Everything(msgspec.Struct, frozen=True):
    """`*`: every profile."""

    line: int = 0
    column: int = 0


class Operation(msgspec.Struct, frozen=True):
    """An operator and its operands; `op` is the lower-case word or sign, `neg` for a leading minus."""

    op: str
    args: "tuple[Node, ...]"
    line: int = 0
    column: int = 0


Node: TypeAlias = Literal | Name | ListOf | Call | Include | Everything | Operation


class Statement(msgspec.Struct, frozen=True):
    """One `FILTER ...` with its trailing clauses."""

    filter: Node
    table: str = "user"
    alias: str = ""
    limit: int | None = None
    description: str = ""
    attributes: tuple[tuple[str, JsonValue], ...] = ()
    """What stood after WITH; kept, not interpreted."""


COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
WORD_OPERATORS = frozenset({"in", "intersects", "contains", "like", "between"})


def joined(op: str, args: Iterable[Node], line: int = 0, column: int = 0) -> Node:
    """Join phrases with `and` or `or`: one alone stays itself, the same operator inside folds in."""
    flat: list[Node] = []
    for arg in args:
        if isinstance(arg, Operation) and arg.op == op:
            flat.extend(arg.args)
        else:
            flat.append(arg)
    return flat[0] if len(flat) == 1 else Operation(op, tuple(flat), line, column)


def negated(phrase: Node, line: int = 0, column: int = 0) -> Node:
    """Negate a phrase; two negations cancel."""
    if isinstance(phrase, Operation) and phrase.op == "not":
        return phrase.args[0]
    return Operation("not", (phrase,), line, column)


def children(node: Node) -> tuple[Node, ...]:
    """List the nodes right below one."""
    match node:
        case Operation(args=args) | Call(args=args):
            return args
        case ListOf(items=items):
            return items
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Give a node and everything below it, in reading order."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(children(current)))


def depth(node: Node) -> int:
    """Count the levels of a tree, a leaf being one; never recurses."""
    deepest = 0
    waiting = [(node, 1)]
    while waiting:
        current, level = waiting.pop()
        deepest = max(deepest, level)
        waiting.extend((child, level + 1) for child in children(current))
    return deepest


def checked_depth(node: Node) -> Node:
    """Give the node back, or refuse it when it nests too deeply for the rest of the program."""
    if depth(node) > DEEPEST:
        raise too_deep()
    return node


def at(node: Node, message: str, hint: str = "") -> FilterError:
    """Make an error that points at a node."""
    return FilterError(message, line=node.line, column=node.column, hint=hint)


def too_deep(line: int = 0, column: int = 0, excerpt: str = "") -> FilterError:
    """Make the error for a filter that nests too deeply."""
    return FilterError(
        f"the filter nests deeper than {DEEPEST} levels; split it into audiences and INCLUDE them",
        line=line,
        column=column,
        excerpt=excerpt,
    )
