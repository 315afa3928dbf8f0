"""Turns a filter into a Python function that also says when its answer may change."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from gatepost.core.filterql.calls import check_calls
from gatepost.core.filterql.expressions import compile_condition
from gatepost.core.filterql.fields import ProfileNames
from gatepost.core.filterql.includes import Lookup, included
from gatepost.core.filterql.moving import Windows
from gatepost.core.filterql.nodes import Call, Include, Node, checked_size, too_deep, walk
from gatepost.core.filterql.operands import Operands
from gatepost.core.filterql.phrases import Phrases, include_call
from gatepost.core.filterql.source import PARAMETERS, Source
from gatepost.core.filterql.windowcalls import WindowRead, window_of
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import Instant


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """Whether a profile matches, and the earliest instant at which that may change if nothing happens."""

    matches: bool
    next_change: Instant | None = None


Evaluate: TypeAlias = Callable[[Mapping[str, JsonValue], Windows, Instant], Verdict]


class CompiledFilter(msgspec.Struct, frozen=True):
    """A filter ready to run; it holds no state, so any number of threads may share it."""

    reads: frozenset[str]
    """Profile fields the answer depends on."""
    windows: frozenset[WindowRead]
    evaluate: Evaluate
    """Judges fields and window entries at an instant."""


def compile_filter(node: Node, types: Mapping[str, str], include: Lookup) -> CompiledFilter:
    """Compile a filter for profiles with fields of these types; `include` finds other audiences' filters."""
    try:
        return _compiled(node, types, include)
    except RecursionError:
        # Levels are bounded, but the caller's own stack counts too.
        raise too_deep() from None


def _compiled(node: Node, types: Mapping[str, str], include: Lookup) -> CompiledFilter:
    filters = included(node, include)
    for inner in (node, *filters.values()):
        checked_size(inner)
        check_calls(inner)
        _check_conditions(inner)
    source = Source()
    names = ProfileNames(types)
    operands = Operands(names, source, of_profile=True)
    phrases = Phrases(operands, _include_calls(source, node, filters))
    for place, inner in enumerate(filters.values()):
        source.define(f"i{place}", PARAMETERS, (f"return {phrases.phrase(inner, exact=False).text}",))
    answer = phrases.phrase(node, exact=False).text
    source.define("evaluate", "fields, windows, now", _body(source, answer, timed=operands.timed))
    return CompiledFilter(frozenset(names.reads), frozenset(operands.windows), source.built("evaluate"))


def _check_conditions(node: Node) -> None:
    """Refuse conditions on events that do not compile, while their places are known."""
    windows = (window_of(one) for one in walk(node) if isinstance(one, Call))
    for window in windows:
        for condition in window.conditions if window else ():
            compile_condition(condition)


def _include_calls(source: Source, node: Node, filters: Mapping[str, Node]) -> dict[str, str]:
    uses = Counter(
        one.audience for inner in (node, *filters.values()) for one in walk(inner) if isinstance(one, Include)
    )
    once = source.constant(_answered_once)
    return {
        audience: include_call(f"i{place}", shared=once if uses[audience] > 1 else "")
        for place, audience in enumerate(filters)
    }


def _body(source: Source, answer: str, *, timed: bool) -> tuple[str, ...]:
    yes, no = source.constant(Verdict(True)), source.constant(Verdict(False))
    start = "get, memo, due = fields.get, {}, []"
    if not timed:
        return (start, f"return {yes} if {answer} else {no}")
    verdict = source.constant(Verdict)
    return (
        start,
        f"matches = ({answer}) is True",
        f"return {verdict}(matches, min(due)) if due else {yes} if matches else {no}",
    )


def _answered_once(memo: dict[Callable[..., Any], bool], filter_: Callable[..., Any], *given: Any) -> bool:
    # Two includes may share a third; without this, work could double with every level.
    answer = memo.get(filter_)
    if answer is None:
        answer = memo[filter_] = filter_(*given) is True
    return answer
