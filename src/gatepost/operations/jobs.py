"""Jobs: standing orders that are created, changed, paused, resumed and killed."""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from gatepost.core.addresses import AllowList, refused_url
from gatepost.core.plans import crossings_of
from gatepost.model.audience import Audience, Crossing
from gatepost.model.catalog import Destination, Job, JobStatus
from gatepost.model.errors import Conflict, InvalidInput, NotFound
from gatepost.model.jsonvalue import JsonObject
from gatepost.model.times import Instant
from gatepost.operations.context import Context, new_id
from gatepost.operations.destinations import destination_for, open_destination
from gatepost.operations.jobconfigs import Stored, checked_config, texts
from gatepost.operations.records import (
    authorization_of,
    checked_name,
    destinations_of,
    job_of,
    live_jobs,
)
from gatepost.ports.catalog import Duty, LogEntry
from gatepost.ports.store import Transaction

WORKFLOW = "webhook_triggers"
_ELSEWHERE = ("webhook_enrichment", "webhook_stream_events", "webhook_triggers_free")
"""Workflows that Lytics has and this version has not."""


class JobDraft(msgspec.Struct, frozen=True):
    """A job as a user wants it."""

    name: str
    workflow: str
    config: JsonObject
    auth_ids: tuple[str, ...] = ()
    description: str = ""
    origin: str = ""


async def create_job(context: Context, account: int, draft: JobDraft, *, run: bool = True) -> Job:
    """Store a job and start it, or with `run` off leave it paused, its triggers waiting."""
    now = context.clock.wall()
    job = await context.store.write(lambda tx: put_job(tx, context.allow, account, draft, now, run=run))
    context.wake_apply()
    return job


async def update_job(context: Context, account: int, id_: str, draft: JobDraft) -> Job:
    """Replace everything a user says of a job; its state stays."""
    now = context.clock.wall()

    def work(tx: Transaction) -> tuple[int, Job]:
        before = job_of(tx, account, id_).destination
        return before, replace_job(tx, context.allow, account, id_, draft, now)

    before, job = await context.store.write(work)
    context.wake_apply()
    context.wake_deliver([before, job.destination])
    return job


async def list_jobs(
    context: Context,
    account: int,
    *,
    workflow: str = "",
    auth_ids: Collection[str] = (),
    show_deleted: bool = False,
) -> list[Job]:
    """Return an account's jobs, oldest first; killed ones only when asked for."""
    jobs = await context.store.read(lambda tx: tx.catalog.list(Job, account))
    wanted = workflow.replace("-", "_")
    return [
        job
        for job in jobs
        if (show_deleted or job.status is not JobStatus.DELETED)
        and (not wanted or job.workflow == wanted)
        and (not auth_ids or not set(auth_ids).isdisjoint(job.auth_ids))
    ]


async def get_job(context: Context, account: int, id_: str) -> Job:
    """Return one job, a killed one too."""
    return await context.store.read(lambda tx: job_of(tx, account, id_))


async def list_destinations(context: Context, account: int) -> dict[int, Destination]:
    """Return an account's destinations by number, as `status_of` wants them."""
    return await context.store.read(lambda tx: destinations_of(tx, account))


async def delivery_counts(context: Context, account: int, jobs: Collection[Job]) -> dict[str, dict[str, int]]:
    """Return each job's deliveries by state."""
    ids = [job.id for job in jobs]
    return await context.store.read(lambda tx: {id_: tx.deliveries.counts(account, id_) for id_ in ids})


def unsendable(tx: Transaction, allow: AllowList) -> list[tuple[Job, str]]:
    """Return the running jobs whose URL may not be called any more, each with why."""
    found = []
    for job in tx.catalog.list(Job):
        url = str(job.config.get("webhook_url") or "")
        if job.status is JobStatus.RUNNING and url and (why := refused_url(url, allow)):
            found.append((job, why))
    return found


def watched_by(tx: Transaction, account: int, audience: str) -> list[Job]:
    """Return the jobs that watch an audience."""
    return [job for job in live_jobs(tx, account) if audience in _ids(job)]


async def command_job(context: Context, account: int, id_: str, cmd: str) -> Job:
    """Pause, resume, bounce, release or kill a job; repeating a command changes nothing."""
    command = _COMMANDS.get(cmd)
    if command is None:
        msg = f"there is no command {cmd!r}; there are {', '.join(_COMMANDS)}"
        raise InvalidInput(msg, path="command")
    now = context.clock.wall()

    def work(tx: Transaction) -> Job:
        return command(tx, job_of(tx, account, id_), now)

    job = await context.store.write(work)
    context.wake_apply()
    context.wake_deliver([job.destination])
    return job


async def job_logs(
    context: Context, account: int, id_: str = "", *, since: Instant = 0, limit: int = 100
) -> list[LogEntry]:
    """Return a job's log, or every job's, oldest first."""

    def work(tx: Transaction) -> list[LogEntry]:
        if id_:
            job_of(tx, account, id_)
        return tx.ledger.read_log(account, id_, since, limit)

    return await context.store.read(work)


def status_of(job: Job, destinations: Mapping[int, Destination]) -> str:
    """Return a job's state as it is shown: `failed` while its destination is stopped."""
    destination = destinations.get(job.destination)
    stopped = destination is not None and destination.stopped
    return "failed" if stopped and job.status is JobStatus.RUNNING else job.status.value


def put_job(
    tx: Transaction, allow: AllowList, account: int, draft: JobDraft, now: Instant, *, run: bool = True
) -> Job:
    """Check and store a new job inside a transaction."""
    name = checked_name(draft.name, "name")
    workflow = checked_workflow(draft.workflow)
    authorization = _authorization(tx, account, draft.auth_ids)
    authorized = bool(draft.auth_ids)
    checked = checked_config(Stored(tx, account), allow, draft.config, authorized=authorized)
    job = Job(
        id=new_id(),
        account=account,
        name=name,
        workflow=workflow,
        config=checked.config,
        auth_ids=tuple(draft.auth_ids),
        destination=destination_for(tx, account, authorization, checked.origin).number,
        status=JobStatus.RUNNING if run else JobStatus.PAUSED,
        description=draft.description,
        origin=draft.origin,
        created=now,
        updated=now,
    )
    tx.catalog.put(account, job.id, job)
    _log(tx, job, now, "created")
    if run:
        _log(tx, job, now, "started")
    _backfill(tx, job, _ids(job))
    return job


def replace_job(
    tx: Transaction, allow: AllowList, account: int, id_: str, draft: JobDraft, now: Instant
) -> Job:
    """Check and store a changed job inside a transaction; audiences it did not watch before are backfilled."""
    old = job_of(tx, account, id_)
    _check_alive(old)
    authorization = _authorization(tx, account, draft.auth_ids)
    known, config = Stored(tx, account, _ids(old)), _without_gone(tx, account, draft.config)
    checked = checked_config(known, allow, config, authorized=bool(draft.auth_ids))
    new = msgspec.structs.replace(
        old,
        name=checked_name(draft.name, "name"),
        workflow=checked_workflow(draft.workflow),
        config=checked.config,
        auth_ids=tuple(draft.auth_ids),
        destination=destination_for(tx, account, authorization, checked.origin).number,
        description=draft.description,
        updated=now,
    )
    tx.catalog.put(account, id_, new)
    _log(tx, new, now, "updated")
    if new.destination != old.destination:
        _move_deliveries(tx, new)
        _leave_destination(tx, old)
    told = set(_ids(old)) if old.config.get("withbackfill") else set()
    _backfill(tx, new, [audience for audience in _ids(new) if audience not in told])
    return new


def kill_job(tx: Transaction, job: Job, now: Instant) -> Job:
    """Kill a job inside a transaction: what it has not sent yet is cancelled and counted."""
    if job.status is JobStatus.DELETED:
        return job
    killed = _stored(tx, job, JobStatus.DELETED)
    cancelled = tx.outbox.cancel(job.account, job=job.id, reason="its job was killed", now=now)
    _log(tx, killed, now, "killed", {"cancelled": cancelled})
    return killed


def checked_workflow(workflow: str) -> str:
    """Return a workflow's name; raise NotFound for none, InvalidInput for one of Lytics' that is not here."""
    name = workflow.strip().replace("-", "_")
    if name in _ELSEWHERE:
        msg = f"the workflow {name} is not part of this version; it has {WORKFLOW}"
        raise InvalidInput(msg, path="workflow")
    if name != WORKFLOW:
        raise NotFound("workflow", workflow)
    return name


def _pause(tx: Transaction, job: Job, now: Instant) -> Job:
    _check_alive(job)
    if job.status is JobStatus.PAUSED:
        return job
    paused = _stored(tx, job, JobStatus.PAUSED)
    held = tx.outbox.hold(job.account, job=job.id, held=True)
    _log(tx, paused, now, "paused", {"held": held})
    return paused


def _resume(tx: Transaction, job: Job, now: Instant) -> Job:
    _check_alive(job)
    running = job if job.status is JobStatus.RUNNING else _stored(tx, job, JobStatus.RUNNING)
    if running is not job:
        _log(tx, running, now, "resumed")
    return _opened(tx, running)


def _bounce(tx: Transaction, job: Job, now: Instant) -> Job:
    _check_alive(job)
    if job.status is JobStatus.PAUSED:
        msg = f"the job {job.name!r} is paused; resume it"
        raise Conflict(msg)
    _log(tx, job, now, "started")
    return _opened(tx, job)


def _opened(tx: Transaction, job: Job) -> Job:
    open_destination(tx, job.account, job.destination)
    tx.outbox.hold(job.account, job=job.id, held=False)
    return job


_COMMANDS: dict[str, Callable[[Transaction, Job, Instant], Job]] = {
    "pause": _pause,
    "resume": _resume,
    "bounce": _bounce,
    "release": _bounce,
    "kill": kill_job,
}


def _check_alive(job: Job) -> None:
    if job.status is JobStatus.DELETED:
        msg = f"the job {job.name!r} was killed; make a new one"
        raise Conflict(msg)


def _stored(tx: Transaction, job: Job, status: JobStatus) -> Job:
    # `updated` is for what the user says of a job, so a change of state leaves it alone.
    changed = msgspec.structs.replace(job, status=status)
    tx.catalog.put(job.account, job.id, changed)
    return changed


def _authorization(tx: Transaction, account: int, auth_ids: Sequence[str]) -> str:
    if len(auth_ids) > 1:
        msg = f"a job takes one authorization, not {len(auth_ids)}"
        raise InvalidInput(msg, path="auth_ids")
    return authorization_of(tx, account, auth_ids[0]).id if auth_ids else ""


def _move_deliveries(tx: Transaction, job: Job) -> None:
    """Let a job's unfinished deliveries follow it; what an old stop held back may go at the new place."""
    tx.outbox.redirect(job.account, job.id, job.destination)
    if job.status is JobStatus.RUNNING and not destinations_of(tx, job.account)[job.destination].stopped:
        tx.outbox.hold(job.account, job=job.id, held=False)


def _leave_destination(tx: Transaction, old: Job) -> None:
    """Let what a job left at its old destination go on; a stop there may be what the change mends."""
    others = [job for job in live_jobs(tx, old.account) if job.destination == old.destination]
    if not others:
        open_destination(tx, old.account, old.destination)


def _backfill(tx: Transaction, job: Job, audiences: Sequence[str]) -> None:
    if not job.config.get("withbackfill") or Crossing.ENTER not in crossings_of(job):
        return
    before = tx.memberships.last_order()
    for id_ in audiences:
        audience = tx.catalog.get(Audience, job.account, id_)
        if audience is None or audience.deleted:
            continue
        duty = Duty(
            account=job.account, kind="backfill", subject=job.id, audience=audience.number, before=before
        )
        tx.ledger.add_duty(duty)


def _without_gone(tx: Transaction, account: int, config: JsonObject) -> JsonObject:
    """Leave out audiences that are gone by now: who changes a job as she read it has made no mistake."""
    named = texts(config.get("segment_ids"), "segment_ids")
    found = {id_: tx.catalog.get(Audience, account, id_) for id_ in named}
    gone = {id_ for id_, audience in found.items() if audience is not None and audience.gone}
    return {**config, "segment_ids": [id_ for id_ in named if id_ not in gone]}


def _ids(job: Job) -> list[str]:
    ids = job.config["segment_ids"]
    return [str(id_) for id_ in ids] if isinstance(ids, list | tuple) else []


def _log(tx: Transaction, job: Job, now: Instant, message: str, context: JsonObject | None = None) -> None:
    entry = LogEntry(job=job.id, at=now, level="info", message=message, context=context or {})
    tx.ledger.write_log(job.account, [entry])
