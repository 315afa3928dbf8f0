"""The long walks of apply, a step a turn: an audience over stored profiles, a job's first members."""

from collections.abc import Iterable

import msgspec

from gatepost.core.elements import date_back
from gatepost.core.plans import AccountPlan
from gatepost.model.audience import Audience
from gatepost.model.catalog import Job
from gatepost.model.profile import Profile
from gatepost.model.times import Instant
from gatepost.ports.catalog import Duty
from gatepost.ports.store import Transaction
from gatepost.ports.survey import Filled, Found, SurveyOutdated
from gatepost.stages.backfills import first_enter, job_of
from gatepost.stages.batch import Batch

STEP = 200
"""Profiles a step looks at: some ten milliseconds, so that live events hardly wait."""
_FEW = 5_000
"""Profiles that are looked at sooner than a survey of them has begun."""


def is_surveyed(tx: Transaction, duty: Duty) -> bool:
    """Say whether a duty has so far to go that somebody should look ahead."""
    evaluates = duty.kind in ("evaluate", "fill")
    return evaluates and tx.profiles.last(duty.account) - duty.cursor > _FEW


def most_at_once(duty: Duty, *, beside: bool) -> int:
    """Return how many profiles a step may take of what a survey found; `beside` live events it is a short one.

    One whose windows are filled is named even if she stays where she is, and then she costs less.
    """
    return max(1, STEP // 4) if beside and not duty.sources else STEP


def step(tx: Transaction, batch: Batch, plans: dict[int, AccountPlan], duty: Duty, wall: Instant) -> None:
    """Do one step of a duty and store how far it got."""
    plan = plans.get(duty.account)
    walk = _WALKS.get(duty.kind)
    if plan is None or walk is None:
        tx.ledger.step_duty(duty, None)
        return
    tx.ledger.step_duty(duty, walk(tx, batch, plan, duty, wall))


def step_found(tx: Transaction, batch: Batch, duty: Duty, found: Found, outdated: Iterable[int]) -> None:
    """Do one step of a duty that is surveyed: what a survey found is a hint, so each is evaluated as she is now.

    `outdated` are those about whose windows it may be wrong.
    """
    if duty.sources and found.catalog != tx.catalog.version():
        raise SurveyOutdated
    last = found.last
    if duty.sources:
        _take_filled(tx, batch, duty, found, outdated)
        # Who came in since could not be decided about, so the walk goes on to them.
        last &= tx.profiles.last(duty.account) <= found.until
    else:
        for number in found.numbers:
            profile = batch.profile(duty.account, number)
            if profile is not None:
                _look(batch, duty, profile)
    tx.ledger.step_duty(duty, None if last else found.until)


def _take_filled(tx: Transaction, batch: Batch, duty: Duty, found: Found, outdated: Iterable[int]) -> None:
    """Give profiles the windows that a survey has filled, and fill here what it saw too early."""
    filled: dict[int, Filled | None] = dict(zip(found.numbers, found.filled, strict=True))
    filled |= dict.fromkeys(outdated)
    stored = tx.profiles.load(duty.account, filled.keys())
    for number in sorted(stored):
        _fill(batch, duty, batch.adopt(duty.account, stored[number]), filled[number])


def _evaluate(tx: Transaction, batch: Batch, _plan: AccountPlan, duty: Duty, _wall: Instant) -> int | None:
    """Evaluate one audience for the next stored profiles; a new one's first members go to jobs with backfill."""
    profiles = tx.profiles.scan(duty.account, duty.cursor, STEP)
    for stored in profiles:
        profile = batch.adopt(duty.account, stored)
        if duty.sources:
            _fill(batch, duty, profile)
        else:
            _look(batch, duty, profile)
    return profiles[-1].number if len(profiles) == STEP else None


def _fill(batch: Batch, duty: Duty, profile: Profile, filled: Filled | None = None) -> None:
    """Fill the windows of a profile, and decide what could not be decided without them."""
    others = batch.fill(profile, duty, filled) - {duty.audience}
    batch.reevaluate(duty.account, profile, others, batch.now)
    batch.reevaluate(duty.account, profile, [duty.audience], batch.now, first=duty.kind == "fill")


def _look(batch: Batch, duty: Duty, profile: Profile) -> None:
    """Evaluate an audience for a profile; most are as they should be, and stay untouched."""
    if batch.may_differ(duty.account, profile, duty.audience):
        batch.reevaluate(duty.account, profile, [duty.audience], batch.now, first=duty.kind == "fill")


def _dissolve(tx: Transaction, batch: Batch, _plan: AccountPlan, duty: Duty, _wall: Instant) -> int | None:
    """Let the members of a deleted audience leave; then nothing but its name stays."""
    members = tx.memberships.members(duty.account, duty.audience, duty.cursor, STEP)
    for member in members:
        profile = batch.profile(duty.account, member.profile)
        if profile is not None:
            batch.reevaluate(duty.account, profile, [duty.audience], batch.now)
    if len(members) == STEP:
        return members[-1].profile
    batch.save()
    tx.memberships.forget(duty.account, duty.audience)
    _bury(tx, duty, batch.now)
    return None


def _bury(tx: Transaction, duty: Duty, now: Instant) -> None:
    """Mark an audience as gone, and let no job name it any more."""
    audience = tx.catalog.get(Audience, duty.account, duty.subject)
    if audience is not None:
        tx.catalog.put(duty.account, audience.id, msgspec.structs.replace(audience, gone=now))
    for job in tx.catalog.list(Job, duty.account):
        watched = job.config.get("segment_ids")
        if isinstance(watched, list | tuple) and duty.subject in watched:
            kept = [id_ for id_ in watched if id_ != duty.subject]
            config = {**job.config, "segment_ids": kept}
            tx.catalog.put(duty.account, job.id, msgspec.structs.replace(job, config=config))


def _backfill(tx: Transaction, batch: Batch, plan: AccountPlan, duty: Duty, wall: Instant) -> int | None:
    """Send an enter for the members a job found when it began."""
    job = job_of(duty, plan)
    if job is None:
        return None
    members = tx.memberships.members(duty.account, duty.audience, duty.cursor, STEP)
    for member in members:
        profile = batch.profile(duty.account, member.profile)
        if profile is not None and member.order <= duty.before and member.profile not in duty.met:
            batch.enqueue(plan, profile, (first_enter(duty, job, profile, wall),))
    return members[-1].profile if len(members) == STEP else None


def _lapse(tx: Transaction, batch: Batch, plan: AccountPlan, duty: Duty, _wall: Instant) -> int | None:
    """Let stored values count by a changed `keep_days` for the next stored profiles."""
    keeping = [plan.fields[name] for name in plan.keeping]
    profiles = tx.profiles.scan(duty.account, duty.cursor, STEP)
    for stored in profiles:
        profile = batch.adopt(duty.account, stored)
        for field in keeping:
            date_back(profile, field)
        batch.catch_up(duty.account, profile, batch.now)
        lapsed = batch.lapse(duty.account, profile, batch.now)
        batch.reevaluate(duty.account, profile, lapsed, batch.now)
    return profiles[-1].number if len(profiles) == STEP else None


_WALKS = {
    "evaluate": _evaluate,
    "fill": _evaluate,
    "dissolve": _dissolve,
    "backfill": _backfill,
    "lapse": _lapse,
}
