"""Who somebody is: profiles that begin, and the identifiers they take on and let go."""

import hashlib

from gatepost.core.applying import Reading, give_up, take_on
from gatepost.core.identity import accepts, attach, superfluous
from gatepost.core.plans import AccountPlan
from gatepost.model.event import Event
from gatepost.model.profile import Profile
from gatepost.ports.store import Transaction
from gatepost.stages.held import Held


def begin(tx: Transaction, held: Held, event: Event) -> Profile:
    """Return a new profile, for an event that names nobody who is known."""
    number = tx.profiles.allocate()
    # Derived from the event, so that folding the log again gives the same `_id`.
    id_ = hashlib.blake2b(f"{event.account}:{event.id}".encode(), digest_size=16).hexdigest()
    profile = held.adopt(event.account, Profile(number, id_, created=event.at))
    held.lead(event.account, ("_id", id_), number)
    return profile


def identify(held: Held, plan: AccountPlan, profile: Profile, reading: Reading) -> set[str]:
    """Give a profile the identifiers of an event that it may have; return the fields that changed."""
    account, accepted = reading.event.account, []
    for identifier in reading.identifiers:
        holder = held.number_of(account, identifier)
        if holder is None and not accepts(profile, identifier, plan.fields):
            profile.conflicts += 1
        elif holder in (None, profile.number):
            accepted.append(identifier)
            attach(profile, [identifier], reading.event.at)
            if holder is None:
                held.lead(account, identifier, profile.number)
    return take_on(profile, accepted, plan.fields)


def release(held: Held, account: int, plan: AccountPlan, profile: Profile) -> tuple[set[str], int]:
    """Let the identifiers go for which a profile that gained some has no room; return what changed, and how many."""
    gone = superfluous(profile, plan.fields, plan.ranks, plan.schema.identifiers_limit)
    for identifier in gone:
        held.lead(account, identifier, None)
    return give_up(profile, gone), len(gone)
