"""Finds what a filter says that is no error, but is hardly what was meant."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from gatepost.core.filterql.datemath import parse_date_math
from gatepost.core.filterql.fields import field_name, kind_of
from gatepost.core.filterql.nodes import COMPARISONS, Call, Literal, Name, Node, Operation, children
from gatepost.core.filterql.values import number_of, truth_of
from gatepost.core.filterql.windowcalls import window_of
from gatepost.core.timestamps import parse_time

_ALIKE = 0.8
"""Nearer than a suggestion for a misspelt name: a count may name an event that nobody has declared."""


def doubts(node: Node, types: Mapping[str, str], streams: Collection[str]) -> list[str]:
    """Return a sentence for each count of a name much like a stream's, and each comparison that cannot be true.

    `types` are the fields' types by name, `streams` the streams there are.
    """
    found: list[str] = []
    waiting = [node]
    while waiting:
        current = waiting.pop()
        window = window_of(current) if isinstance(current, Call) else None
        if window is not None:
            # What stands inside is about events, whose fields have no types.
            names = dict.fromkeys(read.source for read in window.reads if not read.of_values)
            found += [doubt for name in names for doubt in _of_source(name, streams)]
        else:
            found += _of(current, types)
            waiting.extend(reversed(children(current)))
    return found


def _of_source(name: str, streams: Collection[str]) -> Iterator[str]:
    near = get_close_matches(name, streams, n=1, cutoff=_ALIKE)
    if near and name not in streams:
        yield f"no stream is called {name}, so only events of that name count; did you mean {near[0]}?"


def _of(node: Node, types: Mapping[str, str]) -> Iterator[str]:
    match node:
        case Operation(op=op, args=(Name() as name, Literal() as literal)) if op in COMPARISONS:
            yield from _of_comparison(name, literal, types)
        case Operation(op=op, args=(Literal() as literal, Name() as name)) if op in COMPARISONS:
            yield from _of_comparison(name, literal, types)


def _of_comparison(name: Name, literal: Literal, types: Mapping[str, str]) -> Iterator[str]:
    field, text = field_name(name), literal.value
    type_ = types.get(field, "")
    if not isinstance(text, str):
        return
    kind, is_date_math = kind_of(type_), parse_date_math(text) is not None
    never = f'{field} is of the type {type_}, so comparing it with "{text}" is never true'
    match kind:
        case "number" if number_of(text) is None:
            yield f"{never}; compare it with a number"
        case "bool" if truth_of(text) is None:
            yield f"{never}; compare it with true or false"
        case "date" if not is_date_math and parse_time(text) is None:
            yield f"{never}; compare it with a date or with date math such as now-7d"
        case "text" if is_date_math:
            yield f'{field} is of the type {type_}; "{text}" means a time only where the text is one; see the type date'
        case _:
            return
