"""What a profile keeps for its sliding windows: times and amounts, exact up to a bound.

Beyond the bound the oldest half is folded in pairs (the later time, the sum of amounts), so memory stays flat and
the source is reported as approximate.
"""

from bisect import bisect_right, insort

from gatepost.model.profile import Profile
from gatepost.model.times import Instant, Milliseconds

EXACT_BOUND = 1_000
"""Entries per window source and profile before the oldest are folded together."""

Entry = tuple[Instant, float]


def add_entry(profile: Profile, source: str, entry: Entry, keep: Milliseconds) -> None:
    """Add an entry to a source whose longest window is `keep`, and forget what no window can reach."""
    entries = profile.windows.get(source)
    if entries is None:
        entries = profile.windows[source] = []
    if not entries or entries[-1] <= entry:
        entries.append(entry)
    else:
        insort(entries, entry)
    # Trimming in strides keeps the common append at constant cost.
    if len(entries) % 64 == 0:
        forget_before(entries, profile.modified - keep)
    if len(entries) > EXACT_BOUND:
        _fold_oldest(profile, source, entries, keep)


def forget_before(entries: list[Entry], horizon: Instant) -> None:
    """Drop entries at or before the horizon."""
    gone = bisect_right(entries, (horizon, float("inf")))
    if gone:
        del entries[:gone]


def merged(left: list[Entry], right: list[Entry]) -> list[Entry]:
    """Unite the entries of two profiles that turned out to be one."""
    return sorted([*left, *right])


def _fold_oldest(profile: Profile, source: str, entries: list[Entry], keep: Milliseconds) -> None:
    forget_before(entries, profile.modified - keep)
    if len(entries) <= EXACT_BOUND:
        return
    half = len(entries) // 2 // 2 * 2
    paired = [(entries[i + 1][0], entries[i][1] + entries[i + 1][1]) for i in range(0, half, 2)]
    entries[:half] = paired
    if source not in profile.approximate:
        profile.approximate.append(source)
