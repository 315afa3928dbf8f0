"""Jobs: created, changed, commanded, and read with their logs; most paths also come with the workflow in front."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from gatepost.model.catalog import Destination, Job, JobStatus
from gatepost.model.errors import InvalidInput, NotFound
from gatepost.model.times import DAY, Instant, to_rfc3339
from gatepost.operations.jobs import (
    WORKFLOW,
    JobDraft,
    checked_workflow,
    command_job,
    create_job,
    delivery_counts,
    get_job,
    job_logs,
    list_destinations,
    list_jobs,
    status_of,
    update_job,
)
from gatepost.operations.verification import verify_job
from gatepost.ports.catalog import LogEntry
from gatepost.stages.lanes import Trouble
from gatepost.web.bodies import decoded
from gatepost.web.documentation import accepts, answers
from gatepost.web.envelopes import answer_v2
from gatepost.web.session import Body, Here, Session

router = APIRouter(prefix="/v2/job", tags=["jobs"])

_CONFIG = {
    "segment_ids": ["0a1b2c3d4e5f60718293a4b5c6d7e8f9"],
    "webhook_url": "https://unification.useinsider.com/api/user/v1/upsert",
    "template_id": "5f0d1c6e2b7a4c3d8e9f001122334455",
    "audience_events": "enters_only",
}
_WISHED = {"name": "Insider enter", "workflow": "webhook_triggers", "auth_ids": ["a165cb"], "config": _CONFIG}
_OBJECT = {
    "id": "f825f01122334455667788990a0b0c0d",
    **_WISHED,
    "status": "running",
    "deliveries": {"delivered": 12},
}
_ENTRY = {
    "job_id": "f825f0",
    "level": "info",
    "message": "started",
    "timestamp": "2026-01-02T03:04:05Z",
    "context": {},
}
_STEP = {"name": "render", "ok": True, "text": "The template printed a body of 120 bytes.", "detail": {}}
_REST = {"request_id": "9b1c", "status": 200}
_ONE = answers({"data": _OBJECT, **_REST})
_LIST = answers({"data": [_OBJECT], **_REST})
_MADE = answers({"data": _OBJECT, **_REST, "status": 201}, 201)
_LOGS = answers({"data": [_ENTRY], **_REST})
_WISH = accepts(_WISHED)

_ALL_LOGS = 1_000


class _Wish(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    config: dict[str, Any]
    workflow: str = ""
    auth_ids: tuple[str, ...] = ()
    description: str = ""
    quiet_time_of_day: str | None = None
    quiet_period: int | None = None
    drop_events_during_quiet_window: bool | None = None
    expires_at: str | None = None


_NOT_HERE = ("quiet_time_of_day", "quiet_period", "drop_events_during_quiet_window", "expires_at")
"""Members that would change when a job sends: better refused than ignored."""


class _Trial(msgspec.Struct, frozen=True, kw_only=True):
    profile: dict[str, Any] | None = None
    event: str = "enter"
    record: bool = True
    """Stop before anything leaves; sending has to be asked for."""


class _Wanted(BaseModel):
    """Which jobs to list."""

    workflow: str = ""
    auth_ids: list[str] = []
    show_all: bool = False
    show_deleted: bool = False
    show_completed: bool = False


@router.get("", responses=_LIST)
async def jobs(here: Here, wanted: Annotated[_Wanted, Query()]) -> Response:
    """List jobs; killed ones need `show_all`, or `show_deleted` and `show_completed` together."""
    found = await list_jobs(
        here.context,
        here.number,
        workflow=wanted.workflow,
        auth_ids=wanted.auth_ids,
        show_deleted=wanted.show_all or (wanted.show_deleted and wanted.show_completed),
    )
    return answer_v2(here.id, await _shown(here, found))


@router.post("", status_code=201, responses=_MADE, openapi_extra=_WISH)
@router.post("/{workflow}", status_code=201, responses=_MADE, openapi_extra=_WISH)
async def create(here: Here, body: Body, workflow: str = "", run_job: bool = True) -> Response:
    """Create a job and start it, or with `run_job=false` leave it paused."""
    made = await create_job(here.context, here.number, _draft(body, workflow), run=run_job)
    return await _one(here, made, status=201)


@router.get("/logs", responses=_LOGS)
async def all_logs(here: Here) -> Response:
    """List what happened to jobs in the last 24 hours, killed ones left out."""
    since = here.context.clock.wall() - DAY
    entries = await job_logs(here.context, here.number, since=since, limit=_ALL_LOGS)
    alive = {job.id for job in await list_jobs(here.context, here.number)}
    return answer_v2(here.id, [_logged(entry) for entry in entries if entry.job in alive])


@router.get("/{id_}/logs", responses=_LOGS)
@router.get("/{workflow}/{id_}/logs", responses=_LOGS)
async def logs(here: Here, id_: str, workflow: str = "") -> Response:
    """List what happened to a job, oldest first."""
    await _found(here, id_, workflow)
    entries = await job_logs(here.context, here.number, id_, limit=_ALL_LOGS)
    return answer_v2(here.id, [_logged(entry) for entry in entries])


@router.get("/{id_}", responses=_ONE)
@router.get("/{workflow}/{id_}", responses=_ONE)
async def job(here: Here, id_: str, workflow: str = "") -> Response:
    """Return one job, a killed one too."""
    return await _one(here, await _found(here, id_, workflow))


@router.put("/{id_}", responses=_ONE, openapi_extra=_WISH)
@router.put("/{workflow}/{id_}", responses=_ONE, openapi_extra=_WISH)
async def update(here: Here, body: Body, id_: str, workflow: str = "") -> Response:
    """Replace everything a user says of a job; its state stays."""
    old = await _found(here, id_, workflow)
    draft = msgspec.structs.replace(_draft(body, old.workflow), origin=old.origin)
    return await _one(here, await update_job(here.context, here.number, id_, draft))


@router.post(
    "/{id_}/verify", responses=answers({"data": [_STEP], **_REST}), openapi_extra=accepts({"record": True})
)
async def verify(here: Here, body: Body, id_: str) -> Response:
    """Take one profile through a job step by step; it is sent only with `"record": false`."""
    trial = decoded(body or b"{}", _Trial)
    steps = await verify_job(
        here.context, here.number, id_, profile=trial.profile, event=trial.event, record=trial.record
    )
    return answer_v2(here.id, steps)


@router.post("/{id_}/{cmd}", responses=_ONE)
@router.post("/{workflow}/{id_}/{cmd}", responses=_ONE)
async def command(here: Here, id_: str, cmd: str, workflow: str = "") -> Response:
    """Pause, resume, bounce, release or kill a job."""
    await _found(here, id_, workflow)
    return await _one(here, await command_job(here.context, here.number, id_, cmd))


async def _found(here: Session, id_: str, workflow: str) -> Job:
    found = await get_job(here.context, here.number, id_)
    if workflow and checked_workflow(workflow) != found.workflow:
        raise NotFound("job", id_)
    return found


async def _one(here: Session, job: Job, *, status: int = 200) -> Response:
    (shown,) = await _shown(here, [job])
    return answer_v2(here.id, shown, status=status)


def _draft(body: bytes, workflow: str) -> JobDraft:
    wish = decoded(body, _Wish)
    for name in _NOT_HERE:
        if getattr(wish, name):
            msg = f"{name} is not part of this version; leave it out"
            raise InvalidInput(msg, path=name)
    if not (workflow or wish.workflow):
        msg = f"workflow is missing; it is {WORKFLOW}"
        raise InvalidInput(msg, path="workflow")
    return JobDraft(wish.name, workflow or wish.workflow, wish.config, wish.auth_ids, wish.description)


async def _shown(here: Session, jobs: Sequence[Job]) -> list[dict[str, Any]]:
    destinations = await list_destinations(here.context, here.number)
    counts = await delivery_counts(here.context, here.number, jobs)
    return [_members(here, job, destinations, counts[job.id]) for job in jobs]


def _members(
    here: Session, job: Job, destinations: dict[int, Destination], counts: dict[str, int]
) -> dict[str, Any]:
    members: dict[str, Any] = {
        "id": job.id,
        "account_id": here.account.id,
        "name": job.name,
        "description": job.description,
        "workflow": job.workflow,
        "auth_ids": job.auth_ids,
        "config": job.config,
        "status": status_of(job, destinations),
        "deleted": job.status is JobStatus.DELETED,
        "deliveries": {state: amount for state, amount in counts.items() if amount},
        "created": to_rfc3339(job.created),
        "updated": to_rfc3339(job.updated),
    }
    destination = destinations.get(job.destination)
    if destination is not None and destination.stopped:
        members["status_reason"] = destination.stopped
    elif job.status is JobStatus.RUNNING and (trouble := here.app.deliver.troubles().get(job.destination)):
        members["trouble"] = _troubled(trouble, here.context.clock.wall())
    return members


def _troubled(trouble: Trouble, now: Instant) -> dict[str, Any]:
    """Return since when a destination has not answered sensibly, how often, and when it is tried again."""
    following = to_rfc3339(trouble.next_try) if trouble.next_try > now else None
    return {"since": to_rfc3339(trouble.since), "failures": trouble.failures, "next_try": following}


def _logged(entry: LogEntry) -> dict[str, Any]:
    members: dict[str, Any] = {
        "job_id": entry.job,
        "level": entry.level,
        "message": entry.message,
        "timestamp": to_rfc3339(entry.at),
        "context": entry.context,
    }
    return {**members, "code": entry.code} if entry.code else members
