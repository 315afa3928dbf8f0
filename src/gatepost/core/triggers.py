"""Transitions meet jobs: which deliveries come of them."""

import hashlib
from collections.abc import Iterable

import msgspec

from gatepost.core.plans import AccountPlan, JobPlan
from gatepost.model.audience import Crossing, Transition
from gatepost.model.delivery import Delivery, DeliveryState
from gatepost.model.event import Event, RecordKind
from gatepost.model.profile import Profile
from gatepost.model.times import Instant

MOST_HOPS = 5
"""A chain of answers that lead to deliveries ends here."""


class Cause(msgspec.Struct, frozen=True):
    """What brought transitions about."""

    hops: int = 0
    """How many answers of deliveries lead to the event."""
    beginning: bool = False
    """The audience is only beginning: an enter goes to the jobs that asked for first members."""
    silent: bool = False
    """The past is being loaded: nobody is told."""


ORDINARY = Cause()
_LOADING = Cause(silent=True)


def cause_of(event: Event) -> Cause:
    """Return what an event is to the transitions it brings about."""
    if event.kind == RecordKind.HISTORY:
        return _LOADING
    return Cause(hops=event.hops) if event.hops else ORDINARY


class Triggered(msgspec.Struct, frozen=True):
    """What came of transitions."""

    deliveries: tuple[Delivery, ...] = ()
    over_hops: int = 0
    """Triggers left out because the event ends a chain of answers."""


def delivery_id(account: int, job: str, profile_id: str, transition: Transition) -> str:
    """Return the id of a trigger's delivery: the same however often it is computed."""
    key = f"{account}:{job}:{profile_id}:{transition.audience}:{transition.number}"
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def delivery_of(
    job: JobPlan, account: int, profile: Profile, transition: Transition, wall: Instant, hops: int = 0
) -> Delivery:
    """Return the delivery of one job's trigger, as the outbox takes it in."""
    return Delivery(
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


def triggered(
    plan: AccountPlan,
    account: int,
    profile: Profile,
    transitions: Iterable[Transition],
    wall: Instant,
    cause: Cause = ORDINARY,
) -> Triggered:
    """Return one delivery per transition and job that watches it, in order."""
    deliveries: list[Delivery] = []
    over = 0
    if cause.silent:
        return Triggered()
    for transition in transitions:
        for job in plan.jobs.get((transition.audience, transition.crossing), ()):
            if cause.beginning and transition.crossing is Crossing.ENTER and not job.backfill:
                continue
            if cause.hops > MOST_HOPS and job.answers:
                over += 1
                continue
            deliveries.append(delivery_of(job, account, profile, transition, wall, cause.hops))
    return Triggered(tuple(deliveries), over)
