"""A job's first members: the enters it is owed for those who were inside when it began.

A walk goes through the members by profile number. A merge, or one that is undone, may move a member across the walk's
cursor, either way; without the care taken here she would be met twice or never.
"""

import msgspec

from gatepost.core.plans import AccountPlan, JobPlan
from gatepost.core.triggers import delivery_of
from gatepost.model.audience import Crossing, Transition
from gatepost.model.delivery import Delivery
from gatepost.model.profile import Profile
from gatepost.model.times import Instant
from gatepost.ports.catalog import Duty
from gatepost.ports.store import Transaction


def job_of(duty: Duty, plan: AccountPlan) -> JobPlan | None:
    """Return the job a backfill is for, None when it no longer watches the audience."""
    watching = plan.jobs.get((duty.audience, Crossing.ENTER), ())
    return next((job for job in watching if job.id == duty.subject), None)


def first_enter(duty: Duty, job: JobPlan, profile: Profile, wall: Instant) -> Delivery:
    """Return the enter that tells a job of a member it found, as of the day she entered."""
    standing = profile.memberships[duty.audience]
    transition = Transition(duty.audience, Crossing.ENTER, standing.since, standing.transition)
    return delivery_of(job, duty.account, profile, transition, wall)


def owed_after_merge(tx: Transaction, account: int, survivor: int, absorbed: int) -> list[Duty]:
    """Return the walks that will not meet a survivor any more though they had not met the absorbed.

    A survivor who lies ahead of a walk that did meet the absorbed is noted, so that it passes her by. To be asked
    before the memberships are re-keyed; what was folded so far must be written.
    """
    owed = []
    for duty in tx.ledger.duties():
        if duty.account != account or duty.kind != "backfill":
            continue
        standing = {number: _place(tx, duty, number) for number in (survivor, absorbed)}
        if (standing[survivor] or 0) > duty.before:
            # She entered after the job began, which told it by itself.
            continue
        found = {number for number, place in standing.items() if place and place <= duty.before}
        told = any(number <= duty.cursor or number in duty.met for number in found)
        if found and told and survivor > duty.cursor:
            tx.ledger.change_duty(msgspec.structs.replace(duty, met=(*duty.met, survivor)))
        elif found and not told and survivor <= duty.cursor:
            owed.append(duty)
    return owed


def owed_after_unmerge(tx: Transaction, account: int, survivor: int, revived: int) -> list[Duty]:
    """Return the walks that have not met a survivor yet, but have passed the one who is parted from her.

    Whom a walk would meet though it told of the two as one is noted, so that it passes her by. To be asked before the
    memberships are divided.
    """
    owed = []
    for duty in tx.ledger.duties():
        if duty.account != account or duty.kind != "backfill":
            continue
        place = _place(tx, duty, survivor)
        if not place or place > duty.before:
            continue
        told = survivor <= duty.cursor or survivor in duty.met
        if told and revived > duty.cursor:
            tx.ledger.change_duty(msgspec.structs.replace(duty, met=(*duty.met, revived)))
        elif not told and revived <= duty.cursor:
            owed.append(duty)
    return owed


def _place(tx: Transaction, duty: Duty, number: int) -> int | None:
    """Return the place of a member's enter among all transitions, None when she is not inside."""
    members = tx.memberships.members(duty.account, duty.audience, number - 1, 1)
    return members[0].order if members and members[0].profile == number else None
