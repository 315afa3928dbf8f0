"""What a profile keeps for its windows, by the kind of source: exact up to a bound, and never much more than that.

| kind | second half of an entry | kept |
| --- | --- | --- |
| count, sum | amount | all that a window reaches |
| times | id of the event | all that a window reaches |
| distinct | mark of the value | the latest of each value |
| last | id of the event | the latest |
| first | id of the event | the earliest |

"Latest" is the latest that has happened: what is dated ahead is kept beside it until its time comes. Up to the
bound the order of events does not show, nor does a merge: uniting two halves gives what folding the whole gives.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Mapping

from gatepost.core.marks import at_level, level_of
from gatepost.model.profile import Profile, WindowEntry
from gatepost.model.times import Instant, Milliseconds

EXACT_BOUND = 1_000
"""Entries per window source and profile before some of them are given up."""

_STRIDE = 64
_Entries = list[WindowEntry]


def add_entry(profile: Profile, source: str, entry: WindowEntry, keep: Milliseconds) -> None:
    """Add an entry to a source whose longest window is `keep`, and forget what no window can reach."""
    entries = profile.windows.get(source)
    if entries is None:
        entries = profile.windows[source] = []
    # Trimming in strides keeps the common append at constant cost.
    if len(entries) % _STRIDE == _STRIDE - 1:
        forget_before(entries, profile.modified - keep)
    kind = kind_of(source)
    add = _ADD.get(kind)
    if add is not None:
        add(entries, entry, profile.modified)
    elif not entries or entries[-1] <= entry:
        entries.append(entry)
    else:
        insort(entries, entry)
        if kind == "count" and source in profile.approximate:
            entries[:] = _closed(entries)
    if len(entries) > EXACT_BOUND:
        _bound(profile, source, keep)


def unite(survivor: Profile, absorbed: Profile, keep: Mapping[str, Milliseconds]) -> None:
    """Bring the entries of an absorbed profile to the survivor; `keep` names the longest window of each source."""
    survivor.approximate = sorted({*survivor.approximate, *absorbed.approximate})
    for source, others in absorbed.windows.items():
        entries = sorted([*survivor.windows.get(source, ()), *others])
        unify = _UNIFY.get(kind_of(source))
        survivor.windows[source] = unify(entries, survivor.modified) if unify else entries
        if len(entries) > EXACT_BOUND:
            _bound(survivor, source, keep.get(source))


def kind_of(source: str) -> str:
    """Return the kind of a source: what stands before the colon."""
    return source[: source.index(":")]


def forget_before(entries: list[WindowEntry], horizon: Instant) -> None:
    """Drop entries at or before the horizon."""
    gone = bisect_right(entries, horizon, key=_time_of)
    if gone:
        del entries[:gone]


def _time_of(entry: WindowEntry) -> Instant:
    return entry[0]


def _add_mark(entries: _Entries, entry: WindowEntry, now: Instant) -> None:
    mark = at_level(int(entry[1]), _level(entries))
    if mark is None or (entry[0], mark) in entries:
        return
    insort(entries, (entry[0], mark))
    happened = [place for place, (since, held) in enumerate(entries) if held == mark and since <= now]
    for place in reversed(happened[:-1]):
        del entries[place]


def _add_last(entries: _Entries, entry: WindowEntry, now: Instant) -> None:
    insort(entries, entry)
    del entries[: max(bisect_right(entries, now, key=_time_of) - 1, 0)]


def _add_first(entries: _Entries, entry: WindowEntry, _now: Instant) -> None:
    if not entries or entry < entries[0]:
        entries[:] = [entry]


def _level(entries: _Entries) -> int:
    return level_of(int(entries[0][1])) if entries else 0


def _sampled(entries: _Entries, level: int) -> _Entries:
    marked = [(at, at_level(int(mark), level)) for at, mark in entries]
    return [(at, mark) for at, mark in marked if mark is not None]


def _unified_marks(entries: _Entries, now: Instant) -> _Entries:
    level = max((level_of(int(mark)) for _, mark in entries), default=0)
    sample = sorted(_sampled(entries, level))
    latest = {mark: at for at, mark in sample if at <= now}
    return [(at, mark) for at, mark in dict.fromkeys(sample) if at > now or latest[mark] == at]


def _unified_last(entries: _Entries, now: Instant) -> _Entries:
    return entries[max(bisect_right(entries, now, key=_time_of) - 1, 0) :]


def _closed(entries: _Entries) -> _Entries:
    """Let single events older than a folded entry join the next one, so that the oldest tells for all."""
    last = max((place for place, (_, amount) in enumerate(entries) if amount > 1), default=-1)
    closed: _Entries = []
    waiting: float = 0
    for place, (at, amount) in enumerate(entries):
        if place < last and amount == 1:
            waiting += amount
        else:
            closed.append((at, amount + waiting) if waiting else (at, amount))
            waiting = 0
    return closed


def _bound(profile: Profile, source: str, keep: Milliseconds | None) -> None:
    """Bring a source back within the bound: forget first, then give up detail and say so."""
    entries = profile.windows[source]
    if keep is not None:
        forget_before(entries, profile.modified - keep)
    reduce = _REDUCE[kind_of(source)]
    while len(entries) > EXACT_BOUND:
        entries[:] = reduce(entries)
        if source not in profile.approximate:
            profile.approximate.append(source)


def _folded(entries: _Entries) -> _Entries:
    """Fold the oldest half in pairs: the later time, the sum of amounts."""
    half = len(entries) // 2 // 2 * 2
    paired = [(entries[i + 1][0], entries[i][1] + entries[i + 1][1]) for i in range(0, half, 2)]
    return [*paired, *entries[half:]]


def _folded_count(entries: _Entries) -> _Entries:
    return _closed(_folded(entries))


def _thinned(entries: _Entries) -> _Entries:
    """Give up every other entry of the oldest half."""
    half = len(entries) // 2 // 2 * 2
    return [*entries[1:half:2], *entries[half:]]


def _halved_sample(entries: _Entries) -> _Entries:
    return _sampled(entries, _level(entries) + 1)


_ADD: dict[str, Callable[[_Entries, WindowEntry, Instant], None]] = {
    "distinct": _add_mark,
    "last": _add_last,
    "first": _add_first,
}
_UNIFY: dict[str, Callable[[_Entries, Instant], _Entries]] = {
    "count": lambda entries, _: _closed(entries),
    "distinct": _unified_marks,
    "last": _unified_last,
    "first": lambda entries, _: entries[:1],
}
_REDUCE: dict[str, Callable[[_Entries], _Entries]] = {
    "count": _folded_count,
    "sum": _folded,
    "times": _thinned,
    "distinct": _halved_sample,
    "last": _thinned,
    "first": _thinned,
}
