"""Undoing a merge inside a batch: two profiles are written where there was one, and triggers for the difference."""

from collections.abc import Callable, Sequence

import msgspec

from gatepost.core.applying import lapse
from gatepost.core.erasing import leading_to
from gatepost.core.unmerging import Parted, parted
from gatepost.core.versions import Versions
from gatepost.model.event import Event
from gatepost.model.merge import Merge, MergeCommand
from gatepost.model.profile import Profile
from gatepost.model.times import Instant
from gatepost.ports.profiles import ProfileChanges
from gatepost.ports.store import Transaction
from gatepost.stages.filling import fill
from gatepost.stages.held import Held

Fetch = Callable[[Sequence[int]], list[Event]]
"""Reads chosen events of the log."""


def command_of(event: Event) -> MergeCommand:
    """Return what a record of the log asks for."""
    return msgspec.json.decode(event.body, type=MergeCommand)


def undoable(tx: Transaction, account: int, id_: int) -> Merge | None:
    """Return a merge that can be undone now: not undone yet, and the newest of its profile that is not."""
    merge = tx.merges.get(account, id_)
    if merge is None or merge.undone:
        return None
    newest = tx.merges.newest(account, merge.survivor.number)
    return merge if newest is not None and newest.id == merge.id else None


def parted_now(
    tx: Transaction, fetch: Fetch, versions: Versions, united: Profile, merge: Merge, now: Instant
) -> Parted:
    """Return the two sides as of now; nothing is written."""
    trail = [*tx.profiles.trail(merge.account, united.number), *united.trail]
    since = sorted(id_ for id_ in trail if id_ >= merge.event)
    plan = versions.current
    sides = parted(versions, united, merge, trail, fetch(since))
    for side, before in ((sides.survivor, merge.survivor), (sides.revived, merge.absorbed)):
        past = fetch(side.trail)
        # Audiences may have come since the merge, whose windows the profiles of that time lack.
        lacking = {*plan.sources.keep}
        if len(past) < len(side.trail):
            # What is kept no more can only be remembered.
            lacking -= before.windows.keys()
        fill(versions, side, past, lacking)
        lapse(plan, side, now)
    return sides


def part(tx: Transaction, held: Held, account: int, sides: Parted, now: Instant) -> None:
    """Hold and store two sides where there was one profile; what was folded so far must be written."""
    survivor, revived = sides.survivor, sides.revived
    tx.profiles.save(account, ProfileChanges(at=now, divided={survivor.number: revived.number}))
    # What is under way tells of both: an exit of either must not arrive before it.
    tx.outbox.share(account, survivor.number, revived.number)
    held.replace(survivor)
    held.adopt(account, revived)
    for identifier in leading_to(revived):
        held.lead(account, identifier, revived.number)
    _keep_apart(held, account, (survivor, revived))


def _keep_apart(held: Held, account: int, sides: tuple[Profile, Profile]) -> None:
    """Let those who are kept apart from either side know from which: it was from both while they were one."""
    numbers = {side.number for side in sides}
    for number in {one for side in sides for one in side.apart} - numbers:
        other = held.profile(account, number)
        if other is not None:
            own = {side.number for side in sides if number in side.apart}
            other.apart = sorted({*other.apart} - numbers | own)
            held.touch(other)


def rejoin(tx: Transaction, held: Held, account: int, merge_id: int) -> None:
    """Let two that an unmerge keeps apart become one again, should an event show that they are."""
    merge = tx.merges.get(account, merge_id)
    if merge is None:
        return
    left, right = (_known_as(held, account, side) for side in (merge.survivor, merge.absorbed))
    for one, other in ((left, right), (right, left)):
        for number in one:
            profile = held.profile(account, number)
            if profile is not None and not other.isdisjoint(profile.apart):
                profile.apart = [apart for apart in profile.apart if apart not in other]
                held.touch(profile)


def _known_as(held: Held, account: int, side: Profile) -> set[int]:
    """Return the profiles that a side of a merge is today, and the row key it had."""
    found = (held.number_of(account, ("_id", id_)) for id_ in (side.id, *side.aliases))
    return {side.number, *(number for number in found if number is not None)}
