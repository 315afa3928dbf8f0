"""The long walks of apply, a step a turn: an audience over stored profiles, a job's first members."""

import orjson

from gatepost.core.entities import entity_of
from gatepost.core.plans import AccountPlan
from gatepost.core.triggers import delivery_id
from gatepost.model.audience import Audience, Crossing, Transition
from gatepost.model.catalog import Job
from gatepost.model.delivery import Delivery, DeliveryState
from gatepost.model.profile import Profile
from gatepost.model.times import Instant
from gatepost.ports.catalog import Duty
from gatepost.ports.outbox import Enqueued
from gatepost.ports.store import Transaction
from gatepost.stages.batch import Batch

STEP = 200
"""Profiles a step looks at: some ten milliseconds, so that live events hardly wait."""


def step(tx: Transaction, batch: Batch, plans: dict[int, AccountPlan], duty: Duty, wall: Instant) -> None:
    """Do one step of a duty and store how far it got."""
    plan = plans.get(duty.account)
    walk = _WALKS.get(duty.kind)
    if plan is None or walk is None:
        tx.ledger.step_duty(duty, None)
        return
    tx.ledger.step_duty(duty, walk(tx, batch, plan, duty, wall))


def _evaluate(tx: Transaction, batch: Batch, _plan: AccountPlan, duty: Duty, _wall: Instant) -> int | None:
    """Evaluate one audience for the next stored profiles; a new one's first members go to jobs with backfill."""
    profiles = tx.profiles.scan(duty.account, duty.cursor, STEP)
    for profile in profiles:
        batch.reevaluate(
            duty.account,
            batch.adopt(duty.account, profile),
            [duty.audience],
            batch.now,
            first=duty.kind == "fill",
        )
    return profiles[-1].number if len(profiles) == STEP else None


def _dissolve(tx: Transaction, batch: Batch, _plan: AccountPlan, duty: Duty, _wall: Instant) -> int | None:
    """Let the members of a deleted audience leave, then remove it."""
    members = tx.memberships.members(duty.account, duty.audience, duty.cursor, STEP)
    for member in members:
        profile = batch.profile(duty.account, member.profile)
        if profile is not None:
            batch.reevaluate(duty.account, profile, [duty.audience], batch.now)
    if len(members) == STEP:
        return members[-1].profile
    batch.save()
    tx.memberships.forget(duty.account, duty.audience)
    tx.catalog.remove(Audience, duty.account, duty.subject)
    return None


def _backfill(tx: Transaction, batch: Batch, plan: AccountPlan, duty: Duty, wall: Instant) -> int | None:
    """Send an enter for the members a job found when it began."""
    members = tx.memberships.members(duty.account, duty.audience, duty.cursor, STEP)
    job = tx.catalog.get(Job, duty.account, duty.subject)
    parked = {j.id: j.parked for j in plan.jobs.get((duty.audience, Crossing.ENTER), ())}
    if job is None or job.id not in parked:
        return None
    state = DeliveryState.PARKED if parked[job.id] else DeliveryState.WAITING
    for member in members:
        profile = batch.profile(duty.account, member.profile)
        if profile is not None and member.order <= duty.before:
            batch.enqueue(_first_enter(duty, job, plan, profile, state, wall))
    return members[-1].profile if len(members) == STEP else None


def _first_enter(
    duty: Duty, job: Job, plan: AccountPlan, profile: Profile, state: DeliveryState, wall: Instant
) -> Enqueued:
    standing = profile.memberships[duty.audience]
    transition = Transition(duty.audience, Crossing.ENTER, standing.since, standing.transition)
    delivery = Delivery(
        id=delivery_id(duty.account, job.id, profile.id, transition),
        account=duty.account,
        job=job.id,
        destination=job.destination,
        profile=profile.number,
        audience=duty.audience,
        crossing=Crossing.ENTER,
        at=standing.since,
        transition=standing.transition,
        snapshot=0,
        state=state,
        created=wall,
    )
    return Enqueued(orjson.dumps(entity_of(profile, plan)), (delivery,))


_WALKS = {"evaluate": _evaluate, "fill": _evaluate, "dissolve": _dissolve, "backfill": _backfill}
