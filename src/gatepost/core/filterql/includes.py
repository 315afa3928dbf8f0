"""Finds everything a filter includes, before it is compiled, or puts it in its place."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from gatepost.core.filterql.nodes import (
    Call,
    Include,
    ListOf,
    Node,
    Operation,
    at,
    checked_depth,
    depth,
    joined,
    negated,
    walk,
)
from gatepost.core.filterql.printer import print_filter
from gatepost.model.errors import FilterError

LONGEST_CHAIN = 100
"""Includes of includes."""
DEEPEST_TOGETHER = 2_000
"""Levels of nesting once all includes are in place."""
LONGEST_TOGETHER = 1024 * 1024
"""Characters of a filter with all includes in place; two includes a level would double it at every level."""

Lookup: TypeAlias = Callable[[str], Node | None]


class _Step:
    """One audience on the way down, and which of those it includes have yet to be visited."""

    def __init__(self, audience: str, filter_: Node) -> None:
        self.audience = audience
        self.filter = filter_
        self.includes = list(_includes(filter_))
        self.waiting = iter(self.includes)


def included(filter_: Node, lookup: Lookup) -> dict[str, Node]:
    """Map every audience the filter includes, directly or not, to its own filter, the innermost first.

    An unknown audience and a cycle are refused, naming the way to them.
    """
    found: dict[str, Node] = {}
    heights: dict[str, int] = {}
    path = [_Step("", filter_)]
    while path:
        step = path[-1]
        following = next(step.waiting, None)
        if following is None:
            path.pop()
            if path:
                found[step.audience] = step.filter
            below = max((heights[one.audience] for one in step.includes), default=0)
            heights[step.audience] = depth(step.filter) + below
            _check_height(heights[step.audience], filter_)
        elif following.audience not in heights:
            way = [passed.audience for passed in path[1:]]
            path.append(_Step(following.audience, _looked_up(following, lookup, way)))
    return found


def inlined(filter_: Node, lookup: Lookup) -> Node:
    """Put the filters of included audiences in the place of every INCLUDE.

    Raise FilterError when an audience is unknown, when they form a circle, or when the whole grows too large.
    """
    whole: dict[str, Node] = {}
    lengths: dict[str, int] = {}
    for audience, node in (*included(filter_, lookup).items(), ("", filter_)):
        inner = sum(lengths[one.audience] for one in _includes(node))
        lengths[audience] = len(print_filter(node)) + inner
        if lengths[audience] > LONGEST_TOGETHER:
            raise at(
                node, f"with its includes in place the filter is longer than {LONGEST_TOGETHER:,} characters"
            )
        whole[audience] = checked_depth(_replaced(node, whole))
    return whole[""]


def _replaced(node: Node, whole: dict[str, Node]) -> Node:
    match node:
        case Include(audience=audience):
            return whole[audience]
        case Operation(op="and" | "or" as op, args=args):
            return joined(op, [_replaced(arg, whole) for arg in args])
        case Operation(op="not", args=(inner,)):
            return negated(_replaced(inner, whole))
        case Operation(op=op, args=args):
            return Operation(op, tuple([_replaced(arg, whole) for arg in args]))
        case Call(function=function, args=args):
            return Call(function, tuple([_replaced(arg, whole) for arg in args]))
        case ListOf(items=items):
            return ListOf(tuple([_replaced(item, whole) for item in items]))
        case _:
            return node


def _looked_up(include: Include, lookup: Lookup, way: list[str]) -> Node:
    chain = " > ".join([*way, include.audience])
    if include.audience in way:
        start = way.index(include.audience)
        circle = " > ".join([*way[start:], include.audience])
        raise at(include, f"audiences may not include each other in a circle: {circle}")
    if len(way) >= LONGEST_CHAIN:
        raise at(include, f"more than {LONGEST_CHAIN} audiences include each other in a chain")
    node = lookup(include.audience)
    if node is None:
        reached = f", included by way of {chain}" if way else ""
        raise at(include, f"there is no audience {include.audience} to include{reached}")
    return node


def _check_height(height: int, filter_: Node) -> None:
    if height > DEEPEST_TOGETHER:
        msg = f"with its includes in place the filter nests deeper than {DEEPEST_TOGETHER} levels"
        raise FilterError(msg, line=filter_.line, column=filter_.column)


def _includes(node: Node) -> Iterator[Include]:
    return (one for one in walk(node) if isinstance(one, Include))
