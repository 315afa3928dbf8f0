"""Why somebody is in an audience: every clause of its rule, true or false, since when, by which events, until when."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from gatepost.core.applying import judged
from gatepost.core.builtins import with_builtins
from gatepost.core.filterql import (
    CompiledFilter,
    Node,
    Verdict,
    compile_filter,
    print_filter,
)
from gatepost.core.filterql.nodes import Call, Include, Operation, walk
from gatepost.core.filterql.windowcalls import window_of
from gatepost.core.filterql.windowvalues import shown_window
from gatepost.core.foresight import turns
from gatepost.core.plans import AccountPlan, field_types
from gatepost.core.refolding import Refolded
from gatepost.model.event import Event
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.profile import Profile
from gatepost.model.times import Instant

_JOINS = frozenset({"and", "or", "not"})
MOST_EVENTS = 5
"""Events named for a clause: the latest that changed what it reads."""
_DEEPEST = 50
"""Levels of clauses; what nests deeper is told as one clause, for readers of JSON like no more than some hundred."""

Lookup = Callable[[str], Node | None]


class Cause(msgspec.Struct, frozen=True):
    """An event that changed something a clause reads."""

    event: Event
    changed: tuple[str, ...]


class Clause(msgspec.Struct, kw_only=True):
    """One part of a rule, and the parts it is made of."""

    text: str
    matches: bool = False
    since: Instant | None = None
    """When the answer last became what it is; None when the history that is kept does not tell."""
    next_change: Instant | None = None
    """When the answer turns if nothing happens; None for never, as far as is looked ahead."""
    values: dict[str, JsonValue] = {}
    """What the profile has: fields as stored, windows by their call."""
    causes: list[Cause] = []
    """The latest events that changed what it reads, newest first; of a window, those inside."""
    events: int = 0
    """How many events changed what it reads."""
    clauses: "list[Clause]" = []


def explained(
    rule: Node,
    plan: AccountPlan,
    include: Lookup,
    profile: Profile,
    history: Iterable[Refolded],
    now: Instant,
) -> Clause:
    """Return a rule's clauses for a stored profile at an instant; `history` is the same profile refolded."""
    division = _Division(field_types(plan.schema), include)
    top, parts = division.clause(rule), division.parts
    for step in history:
        for part in parts:
            if step.changed is None:
                part.live_until(step.now, step.profile)
            else:
                part.meet(step, step.changed)
    turning = turns([part.filter for part in parts], plan, profile, now)
    for part, turn in zip(parts, turning, strict=True):
        part.settle(profile, now)
        part.clause.next_change = turn
    return top


class _Part:
    """A clause on its way through a profile's life."""

    def __init__(self, clause: Clause, compiled: CompiledFilter, windows: Sequence[Call]) -> None:
        self.clause = clause
        self.filter = compiled
        self._windows = windows
        self._reads = {*compiled.reads, *(window.key for window in compiled.windows)}
        self._last: Verdict | None = None

    def live_until(self, instant: Instant, profile: Profile) -> None:
        """Let time pass: what was stored before the next event turns by itself."""
        while self._last is not None and self._last.next_change is not None:
            due = self._last.next_change
            if due > instant:
                return
            self._judge(profile, due)
            if self._last.next_change is not None and self._last.next_change <= due:
                return

    def meet(self, step: Refolded, changed: frozenset[str]) -> None:
        """Take note of an event that was just folded, or of values that just went."""
        changed &= self._reads
        if changed and step.event is not None:
            self.clause.events += 1
            self.clause.causes.insert(0, Cause(step.event, tuple(sorted(changed))))
            del self.clause.causes[MOST_EVENTS:]
        if changed or self._last is None:
            self._judge(step.profile, step.now)

    def settle(self, profile: Profile, now: Instant) -> None:
        """Answer for the profile as it is stored."""
        self.live_until(now, profile)
        fields = with_builtins(profile, self.filter.reads)
        stored = judged(self.filter, profile, now)
        clause = self.clause
        if clause.matches != stored.matches:
            # The events that would tell are not kept any more.
            clause.matches, clause.since = stored.matches, None
        clause.values = {name: fields.get(name) for name in sorted(self.filter.reads)}
        for call in self._windows:
            window = window_of(call)
            if window is not None:
                clause.values[print_filter(call)] = shown_window(window, profile.windows, now)
        if self.filter.windows and not self.filter.reads:
            longest = max(window.length for window in self.filter.windows)
            clause.causes = [cause for cause in clause.causes if cause.event.at + longest > now]

    def _judge(self, profile: Profile, now: Instant) -> None:
        verdict = judged(self.filter, profile, now)
        if self._last is None or verdict.matches != self._last.matches:
            self.clause.matches, self.clause.since = verdict.matches, now
        self._last = verdict


class _Division:
    """A rule on its way to being divided into clauses."""

    def __init__(self, types: Mapping[str, str], include: Lookup) -> None:
        self.parts: list[_Part] = []
        self._types = types
        self._include = include
        self._told: set[str] = set()

    def clause(self, node: Node, level: int = 1) -> Clause:
        clause = Clause(text=print_filter(node))
        compiled = compile_filter(node, self._types, self._include)
        below = self._below(node) if level < _DEEPEST else ()
        calls = () if below else (one for one in walk(node) if isinstance(one, Call))
        windows = [call for call in calls if window_of(call) is not None]
        self.parts.append(_Part(clause, compiled, windows))
        clause.clauses = [self.clause(one, level + 1) for one in below]
        return clause

    def _below(self, node: Node) -> Sequence[Node]:
        match node:
            case Operation(op=op, args=args) if op in _JOINS:
                return args
            case Include(audience=audience) if audience not in self._told:
                # Explained where it is included first: two includes a level would double it at every level.
                self._told.add(audience)
                inner = self._include(audience)
                return (inner,) if inner is not None else ()
            case _:
                return ()
