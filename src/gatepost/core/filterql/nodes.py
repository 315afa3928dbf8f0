"""The tree a filter or an expression becomes once it is parsed."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import msgspec

from gatepost.model.errors import FilterError
from gatepost.model.jsonvalue import JsonValue

DEEPEST = 200
"""Levels of nesting; far more than people write, far less than Python's own limit on recursion."""


MOST_CONDITIONS = 1_000
"""Conditions of one filter; those of the audiences it includes are counted there."""


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
_CONDITIONS = COMPARISONS | WORD_OPERATORS | {"exists"}


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
    if isinstance(node, Operation | Call):
        return node.args
    return node.items if isinstance(node, ListOf) else ()


def walk(node: Node) -> Iterator[Node]:
    """Give a node and everything below it, in reading order."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        below = children(current)
        if below:
            waiting.extend(reversed(below))


def depth(node: Node) -> int:
    """Count the levels of a tree, a leaf being one; never recurses."""
    return sum(1 for _ in _levels(node))


def checked_depth(node: Node) -> Node:
    """Give the node back, or refuse it when it nests too deeply for the rest of the program."""
    for level, row in enumerate(_levels(node), 1):
        if level > DEEPEST:
            raise too_deep(row[0].line, row[0].column)
    return node


def at(node: Node, message: str, hint: str = "") -> FilterError:
    """Make an error that points at a node."""
    return FilterError(message, line=node.line, column=node.column, hint=hint)


def checked_size(node: Node) -> Node:
    """Give the node back, or refuse it when it nests too deeply or has too many conditions."""
    checked_depth(node)
    conditions = [one for one in walk(node) if _is_condition(one)]
    if len(conditions) > MOST_CONDITIONS:
        first = conditions[MOST_CONDITIONS]
        msg = (
            f"the filter has {len(conditions):,} conditions, and {MOST_CONDITIONS:,} are the most; "
            "split it into audiences and INCLUDE them"
        )
        raise FilterError(msg, line=first.line, column=first.column)
    return node


def _levels(node: Node) -> Iterator[list[Node]]:
    row = [node]
    while row:
        yield row
        row = [child for parent in row for child in children(parent)]


def _is_condition(node: Node) -> bool:
    return isinstance(node, Include) or (isinstance(node, Operation) and node.op in _CONDITIONS)


def too_deep(line: int = 0, column: int = 0, excerpt: str = "") -> FilterError:
    """Make the error for a filter that nests too deeply."""
    return FilterError(
        f"the filter nests deeper than {DEEPEST} levels; split it into audiences and INCLUDE them",
        line=line,
        column=column,
        excerpt=excerpt,
    )
