"""Two profiles turn out to be one: in memory, in the store, and remembered so that it can be undone."""

from gatepost.core.erasing import leading_to
from gatepost.core.identity import absorb, seniority
from gatepost.core.plans import AccountPlan
from gatepost.model.event import Event
from gatepost.model.merge import Merge
from gatepost.model.profile import Profile
from gatepost.model.times import Instant
from gatepost.ports.store import Transaction
from gatepost.stages.held import Held


def by_seniority(plan: AccountPlan, left: Profile, right: Profile) -> tuple[Profile, Profile]:
    """Return who survives a merge, and who is absorbed."""
    survivor, absorbed = sorted((left, right), key=lambda profile: seniority(profile, plan.ranks))
    return survivor, absorbed


def merge(
    tx: Transaction, held: Held, plan: AccountPlan, event: Event, sides: tuple[Profile, Profile], now: Instant
) -> None:
    """Let the first side absorb the second; what was folded so far must be written, so that rows can be re-keyed."""
    survivor, absorbed = sides
    account = event.account
    tx.merges.keep(
        Merge(
            account=account,
            at=now,
            event=event.id,
            survivor=survivor,
            absorbed=absorbed,
            trail=held.trail(account, absorbed),
        )
    )
    absorb(survivor, absorbed, plan.fields, plan.sources.keep)
    for identifier in leading_to(absorbed):
        held.lead(account, identifier, survivor.number)
    _keep_apart(held, account, survivor, absorbed)
    held.remove(account, absorbed, survivor, now)


def _keep_apart(held: Held, account: int, survivor: Profile, absorbed: Profile) -> None:
    """Tell those who were parted from an absorbed profile whom she is part of now."""
    for number in absorbed.apart:
        other = held.profile(account, number)
        if other is not None:
            other.apart = sorted({*other.apart, survivor.number})
            held.touch(other)
