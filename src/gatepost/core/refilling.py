"""Windows of a new audience, filled from what happened before there was one."""

from collections.abc import Collection, Iterable

import msgspec

from gatepost.core.applying import read_event
from gatepost.core.versions import Versions
from gatepost.core.windows import add_entry
from gatepost.model.event import Event
from gatepost.model.profile import Profile


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
        for source, entry in read_event(versions.folding(event.id), event).additions:
            if source in sources:
                add_entry(fresh, source, entry, keep[source])
    others = {source: entries for source, entries in profile.windows.items() if source not in sources}
    approximate = [source for source in profile.approximate if source not in sources]
    return msgspec.structs.replace(
        profile, windows={**others, **fresh.windows}, approximate=[*approximate, *fresh.approximate]
    )
