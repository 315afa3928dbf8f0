"""The jobs of a document."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from gatepost.core.addresses import AllowList
from gatepost.core.filterql.calls import nearest
from gatepost.core.plans import crossings_of
from gatepost.model.audience import Audience, AudienceSize, Crossing
from gatepost.model.catalog import Authorization, Job, Template
from gatepost.model.errors import InvalidInput
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.operations.configuration.declaration import Declaration, DeclaredJob
from gatepost.operations.configuration.state import ORIGIN, Draft, Moment, State, by_name, own
from gatepost.operations.jobconfigs import checked_config, texts
from gatepost.operations.jobs import WORKFLOW, JobDraft, kill_job, put_job, replace_job
from gatepost.operations.records import job_of, live_audiences
from gatepost.operations.templates import current_templates, templates_in
from gatepost.operations.templateversions import pinned_version

N = TypeVar("N", Template, Authorization)

_EVENTS = {"enter": "enters_only", "exit": "exits_only", "both": ""}
_SPELLINGS = {
    "segment_ids": "audiences",
    "webhook_url": "url",
    "webhook_url_template_id": "url_template",
    "webhook_url_hosts": "url_hosts",
    "template_id": "template",
    "http_method": "method",
    "audience_events": "events",
    "user_fields": "fields",
    "withbackfill": "backfill",
    "worker_count": "workers",
}
"""What a document calls the keys of a job's configuration."""
_KINDS = {
    "audiences": "audience",
    "template": "template",
    "url_template": "template",
    "authorization": "authorization",
}
"""What the names in a job are names of."""


class _Names(msgspec.Struct, frozen=True):
    """What jobs may name, each with its id; what is still to be made has a made-up one."""

    audiences: dict[str, str]
    templates: dict[str, str]
    authorizations: dict[str, str]

    def audience_id(self, name: str) -> str:
        # Names became ids when the configuration was put together.
        return name

    def has_template(self, id_: str) -> bool:
        return id_ in self.templates.values()

    def has_version(self, id_: str, number: int) -> bool:
        # A document names no version; one that a job stays at was there when somebody set it, and is kept since.
        return number > 0 and self.has_template(id_)


def plan_jobs(
    declaration: Declaration, state: State, audiences: Sequence[Audience], allow: AllowList, draft: Draft
) -> None:
    """Plan a document's jobs; `audiences` are those there will be."""
    names = _planned_names(declaration, state, audiences)
    for name, declared in declaration.jobs.items():
        if not _names_are_known(f"jobs.{name}", declared, names, draft):
            continue
        old = by_name(state.jobs, name, _name)
        try:
            config, authorized = _with_pin(_config(declared, names), old), bool(declared.authorization)
            planned = checked_config(names, allow, config, authorized=authorized).config
        except InvalidInput as error:
            key, _, rest = error.path.removeprefix("config.").partition(".")
            place = ".".join(filter(None, (_SPELLINGS.get(key, key), rest)))
            draft.problems.add(f"jobs.{name}.{place}", error.message)
            continue
        wanted = _draft(name, declared, names, planned)
        _plan_one(old, declared, wanted, names, draft)
        if old is not None:
            _warn_of_lost_exits(old, planned, audiences, state, draft)
            _warn_of_pin(planned, name, declared.template, draft)


def planned_uses(declaration: Declaration, state: State) -> list[tuple[str, set[JsonValue]]]:
    """Return the jobs there will be, each with the ids of the stored templates and authorizations it will use."""
    names = _planned_names(declaration, state, ())
    uses: list[tuple[str, set[JsonValue]]] = []
    for name, one in declaration.jobs.items():
        used = (names.templates.get(template) for template in (one.template, one.url_template))
        uses.append((name, {names.authorizations.get(one.authorization), *used}))
    changed = [by_name(state.jobs, name, _name) for name in declaration.jobs]
    gone = own(state.jobs, set(declaration.jobs), _name)
    rest = [job for job in state.jobs if job not in changed and job not in gone]
    return [*uses, *((job.name, {*job.auth_ids, *templates_in(job)}) for job in rest)]


def plan_job_farewells(declaration: Declaration, state: State, draft: Draft) -> None:
    """Plan the end of jobs that a document made and has no more."""
    for job in own(state.jobs, set(declaration.jobs), _name):
        risk = f"the job {job.name} is killed, and what it has not sent yet is cancelled"
        draft.remove("job", job.name, risk)
        draft.part(partial(_kill, job))


def _planned_names(declaration: Declaration, state: State, audiences: Sequence[Audience]) -> _Names:
    templates = {name: f"new:{name}" for name in declaration.templates}
    authorizations = {name: f"new:{name}" for name in declaration.authorizations}
    return _Names(
        {audience.slug: audience.id or f"new:{audience.slug}" for audience in audiences},
        templates | _by_names(state.templates, lambda template: template.name),
        authorizations | _by_names(state.authorizations, lambda authorization: authorization.label),
    )


def _present_names(moment: Moment) -> _Names:
    tx, account = moment.tx, moment.account
    return _Names(
        {audience.slug: audience.id for audience in live_audiences(tx, account)},
        _by_names(current_templates(tx, account), lambda template: template.name),
        _by_names(tx.catalog.list(Authorization, account), lambda authorization: authorization.label),
    )


def _by_names(things: Sequence[N], name_of: Callable[[N], str]) -> dict[str, str]:
    names = dict.fromkeys(map(name_of, things))
    return {name: thing.id for name in names if (thing := by_name(things, name, name_of)) is not None}


def _names_are_known(path: str, declared: DeclaredJob, names: _Names, draft: Draft) -> bool:
    """Note every name a job gives that nothing has; its other settings are looked at once they are right."""
    before = len(draft.problems.found)
    wanted = [
        *((f"audiences.{place}", slug, names.audiences) for place, slug in enumerate(declared.audiences)),
        ("template", declared.template, names.templates),
        ("url_template", declared.url_template, names.templates),
        ("authorization", declared.authorization, names.authorizations),
    ]
    for place, name, known in wanted:
        if name and name not in known:
            near = nearest(name, known)
            hint = f"; did you mean {near}?" if near else ""
            kind = _KINDS[place.partition(".")[0]]
            draft.problems.add(f"{path}.{place}", f"there is no {kind} {name}{hint}")
    if declared.events not in _EVENTS:
        draft.problems.add(f"{path}.events", f"{declared.events!r} must be one of enter, exit, both")
    return len(draft.problems.found) == before


def _config(declared: DeclaredJob, names: _Names) -> JsonObject:
    """Return a declared job's configuration as Lytics has it; optional keys only where they say something."""
    config: JsonObject = {
        "segment_ids": [names.audiences[slug] for slug in declared.audiences],
        "webhook_url": declared.url,
        "http_method": declared.method,
        "audience_events": _EVENTS[declared.events],
        "user_fields": list(declared.fields),
        "withbackfill": declared.backfill,
    }
    optional: JsonObject = {
        "template_id": names.templates.get(declared.template),
        "webhook_url_template_id": names.templates.get(declared.url_template),
        "webhook_url_hosts": list(declared.url_hosts),
        "stream": declared.stream,
        "worker_count": declared.workers,
        "do_not_retry": list(declared.do_not_retry),
        "compact": declared.compact,
    }
    return config | {key: value for key, value in optional.items() if value}


def _with_pin(config: JsonObject, old: Job | None) -> JsonObject:
    """Let a job stay at the version of its template that somebody rolled it back to."""
    if (
        old is None
        or not (pin := pinned_version(old))
        or config.get("template_id") != old.config["template_id"]
    ):
        return config
    return {**config, "template_version": pin}


def _draft(name: str, declared: DeclaredJob, names: _Names, config: JsonObject) -> JobDraft:
    auth_ids = (names.authorizations[declared.authorization],) if declared.authorization else ()
    return JobDraft(name, WORKFLOW, config, auth_ids, declared.description, ORIGIN)


def _plan_one(old: Job | None, declared: DeclaredJob, wanted: JobDraft, names: _Names, draft: Draft) -> None:
    if old is None:
        draft.change("create", "job", wanted.name)
        draft.do(partial(_create, wanted.name, declared))
        return
    details = _differences(old, wanted, set(names.audiences.values()))
    draft.change("update" if details else "unchanged", "job", wanted.name, details)
    if details:
        draft.do(partial(_replace, old, declared))


def _warn_of_lost_exits(
    old: Job, config: JsonObject, audiences: Sequence[Audience], state: State, draft: Draft
) -> None:
    """Warn when a job that tells of exits lets go of an audience that stays and has members."""
    if Crossing.EXIT not in crossings_of(old):
        return
    before, after = (set(texts(one.get("segment_ids"), "segment_ids")) for one in (old.config, config))
    for audience in audiences:
        members = state.sizes.get(audience.number, AudienceSize()).size
        if audience.id in before - after and members:
            lost = f"and will not tell when they leave: members now {members:,}"
            draft.warnings.append(f"the job {old.name} lets go of {audience.slug} {lost}")


def _warn_of_pin(config: JsonObject, name: str, template: str, draft: Draft) -> None:
    if pin := config.get("template_version"):
        way = f"`gatepost job rollback {name} --newest` lets it follow"
        draft.warnings.append(f"the job {name} stays at version {pin} of the template {template}; {way}")


def _create(name: str, declared: DeclaredJob, moment: Moment) -> None:
    names = _present_names(moment)
    wanted = _draft(name, declared, names, _config(declared, names))
    put_job(moment.tx, moment.allow, moment.account, wanted, moment.now)


def _replace(old: Job, declared: DeclaredJob, moment: Moment) -> None:
    names = _present_names(moment)
    config = _with_pin(_config(declared, names), old)
    # What it watched and is about to go away stays watched, so that the last members' exits are still sent.
    watched = [id_ for id_ in _ids(old) if id_ in moment.leaving]
    config["segment_ids"] = list(dict.fromkeys([*_texts(config["segment_ids"]), *watched]))
    wanted = _draft(old.name, declared, names, config)
    changed = replace_job(moment.tx, moment.allow, moment.account, old.id, wanted, moment.now)
    moment.opened.extend((old.destination, changed.destination))


def _kill(job: Job, moment: Moment) -> None:
    kill_job(moment.tx, job_of(moment.tx, moment.account, job.id), moment.now)


def _differences(old: Job, wanted: JobDraft, audiences: set[str]) -> list[str]:
    watched = [id_ for id_ in _ids(old) if id_ in audiences]
    before = {**old.config, "segment_ids": watched, "authorization": old.auth_ids}
    after: JsonObject = {**wanted.config, "authorization": wanted.auth_ids}
    before["description"], after["description"] = old.description, wanted.description
    changed = [key for key in dict.fromkeys([*after, *before]) if before.get(key) != after.get(key)]
    return [f"{_SPELLINGS.get(key, key)} changed" for key in changed]


def _ids(job: Job) -> list[str]:
    return _texts(job.config.get("segment_ids"))


def _texts(value: JsonValue) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else []


def _name(job: Job) -> str:
    return job.name
