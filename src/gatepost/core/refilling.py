"""Windows of a new audience, filled from what happened before there was one."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from gatepost.core.applying import additions_of
from gatepost.core.plans import AccountPlan
from gatepost.core.versions import Versions
from gatepost.core.windows import add_entry
from gatepost.model.event import Event
from gatepost.model.profile import Profile, WindowEntry


def refilled(
    versions: Versions, profile: Profile, events: Iterable[Event], sources: Collection[str]
) -> Profile:
    """Return the profile as if these window sources had been kept all along; nothing else of it differs.

    `events` are the profile's own, in the order they were applied, each read under its version of the schema. A
    source is the `key` of a window that a filter of the plan reads; what the profile held of it is replaced.
    """
    fresh = Profile(profile.number, profile.id)
    keep = versions.current.sources.keep
    for event in events:
        fresh.modified = max(fresh.modified, event.received)
        for source, entry in additions_of(versions.folding(event.id), event, sources):
            if source in sources:
                add_entry(fresh, source, entry, keep[source])
    full = msgspec.structs.replace(profile)
    put_windows(full, sources, fresh.windows, fresh.approximate)
    return full


def put_windows(
    profile: Profile,
    sources: Collection[str],
    windows: Mapping[str, list[WindowEntry]],
    approximate: Iterable[str],
) -> None:
    """Replace what a profile holds of some sources."""
    others = {source: entries for source, entries in profile.windows.items() if source not in sources}
    profile.windows = {**others, **windows}
    profile.approximate = [*(one for one in profile.approximate if one not in sources), *approximate]


def readers_of(plan: AccountPlan, sources: Sequence[str]) -> frozenset[int]:
    """Return the audiences whose rules read any of these sources, by way of an include too."""
    wanted = set(sources)
    return frozenset(
        number
        for number, one in plan.audiences.items()
        if any(window.key in wanted for window in one.filter.windows)
    )
