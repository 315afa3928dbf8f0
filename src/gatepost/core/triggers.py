"""Transitions meet jobs: which deliveries come of them."""

import hashlib
from collections.abc import Iterable

from gatepost.core.plans import AccountPlan
from gatepost.model.audience import Transition
from gatepost.model.delivery import Delivery, DeliveryState
from gatepost.model.profile import Profile
from gatepost.model.times import Instant

MOST_HOPS = 5
"""A chain of answers that lead to deliveries ends here."""


def delivery_id(account: int, job: str, profile_id: str, transition: Transition) -> str:
    """Return the id of a trigger's delivery: the same however often it is computed."""
    key = f"{account}:{job}:{profile_id}:{transition.audience}:{transition.number}"
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def for_first_members(plan: AccountPlan, deliveries: Iterable[Delivery]) -> tuple[Delivery, ...]:
    """Keep what goes to jobs that asked for the members an audience has from the start."""
    wanted = {job.id for jobs in plan.jobs.values() for job in jobs if job.backfill}
    return tuple(delivery for delivery in deliveries if delivery.job in wanted)


def deliveries_of(
    plan: AccountPlan,
    account: int,
    profile: Profile,
    transitions: Iterable[Transition],
    hops: int,
    wall: Instant,
) -> tuple[Delivery, ...]:
    """Return one delivery per transition and job that watches it, in order."""
    return tuple(
        Delivery(
            id=delivery_id(account, job.id, profile.id, transition),
            account=account,
            job=job.id,
            destination=job.destination,
            profile=profile.number,
            audience=transition.audience,
            crossing=transition.crossing,
            at=transition.at,
            transition=transition.number,
            snapshot=0,
            hops=hops,
            state=DeliveryState.PARKED if job.parked else DeliveryState.WAITING,
            created=wall,
        )
        for transition in transitions
        for job in plan.jobs.get((transition.audience, transition.crossing), ())
        if hops <= MOST_HOPS or not job.answers
    )
