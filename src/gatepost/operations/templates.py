"""Templates: kept with their earlier versions, checked before they are stored, tried out without sending."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import orjson

from gatepost.core.templates.context import SAMPLE_AUDIENCE, generated_entity, sample_event
from gatepost.core.templates.vetting import error_at, vet_text
from gatepost.model.catalog import Author, Job, Template, TemplateType
from gatepost.model.errors import Conflict, InvalidInput, TemplateError, Unavailable
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.times import Instant
from gatepost.operations.context import Context, new_id
from gatepost.operations.records import checked_name, current_schema, live_jobs, template_of
from gatepost.operations.slugs import slug_of
from gatepost.operations.templateversions import drop_versions, keep_version, line_changes
from gatepost.ports.renderer import Engine, RenderContext, RenderFailure, RenderResult
from gatepost.ports.store import Transaction

MOST_REFERENCE_TABLES = 5

TEMPLATE_KEYS = ("template_id", "webhook_url_template_id")
"""Where a job's configuration names templates."""


class TemplateDraft(msgspec.Struct, frozen=True):
    """A template as a user wants it."""

    name: str
    type: str
    source: str
    description: str = ""
    desired_format: str = ""
    reference_tables: tuple[str, ...] = ()
    """Slugs of the tables it may read; kept, and used by nothing yet."""
    author: Author = Author()
    origin: str = ""


class TemplateTest(msgspec.Struct, frozen=True, kw_only=True):
    """What to try a template on; without an entity one is made up from the schema."""

    source: str
    type: str = "jsonnet"
    entity: JsonObject | None = None
    job_config: JsonObject = {}
    sample_segments: JsonObject = {}
    """`names` of audiences the entity is in, and `as`: `env` or `entity` when the template may see them."""
    event: str = ""
    """The trigger of an entity that has none; empty adds none, and means enter for one that is made up."""
    audience: str = SAMPLE_AUDIENCE
    """The slug of that trigger's audience."""


async def create_template(
    context: Context, account: int, draft: TemplateDraft, *, force: bool = False, repair: bool = False
) -> Template:
    """Store a template; an exact repeat returns the one that is there."""
    checked = await checked_template(context, draft, force=force, repair=repair)
    now = context.clock.wall()
    return await context.store.write(lambda tx: put_template(tx, account, checked, now))


async def update_template(
    context: Context,
    account: int,
    id_: str,
    draft: TemplateDraft,
    *,
    force: bool = False,
    repair: bool = False,
) -> Template:
    """Give a template a new text or name; the earlier version stays readable."""
    checked = await checked_template(context, draft, force=force, repair=repair)
    now = context.clock.wall()
    return await context.store.write(lambda tx: replace_template(tx, account, id_, checked, now))


async def list_templates(context: Context, account: int) -> list[Template]:
    """Return an account's templates, oldest first."""
    return await context.store.read(lambda tx: current_templates(tx, account))


async def get_template(context: Context, account: int, id_: str) -> Template:
    """Return one template."""
    return await context.store.read(lambda tx: template_of(tx, account, id_))


async def engine_of(context: Context, template: Template) -> Engine:
    """Say what renders a template, and why if it is not the fast engine."""
    return await context.renderer.engine(template.type.value, template.source)


async def delete_template(context: Context, account: int, id_: str) -> None:
    """Remove a template that no job uses."""
    await context.store.write(lambda tx: remove_template(tx, account, id_))


async def test_template(context: Context, account: int, test: TemplateTest) -> RenderResult:
    """Return what a template prints for an entity, or what the engine says against it."""
    type_ = checked_type(test.type)
    entity = await _entity_of(context, account, test)
    shown = _with_segments(entity, test.sample_segments)
    given = RenderContext(entity=shown, job_config=orjson.dumps(test.job_config))
    (result,) = await context.renderer.render(type_.value, test.source, [given])
    if isinstance(result, RenderFailure) and result.kind == "engine":
        raise Unavailable(result.message)
    if isinstance(result, RenderFailure) and result.kind == "source":
        raise InvalidInput(result.message, path="template_definition")
    return result


async def checked_template(
    context: Context, draft: TemplateDraft, *, force: bool, repair: bool
) -> TemplateDraft:
    """Return a draft fit to be stored: syntax checked unless forced, mended when asked and possible."""
    name, type_ = checked_name(draft.name, "name"), checked_type(draft.type)
    checked = msgspec.structs.replace(
        draft,
        name=name,
        type=type_.value,
        author=context.asker,
        reference_tables=_checked_tables(draft.reference_tables),
    )
    _check_source(draft.source)
    if force:
        return checked
    try:
        await context.renderer.check(type_.value, draft.source)
    except TemplateError as error:
        if not repair or error.repaired is None:
            raise
        await context.renderer.check(type_.value, error.repaired)
        return msgspec.structs.replace(checked, source=error.repaired)
    return checked


def checked_type(type_: str) -> TemplateType:
    """Return the language of a template; raise InvalidInput when there is none of this name."""
    try:
        return TemplateType(type_.lower())
    except ValueError:
        known = ", ".join(one.value for one in TemplateType)
        meant = " (js1 is JavaScript)" if type_.lower() in {"js", "javascript"} else ""
        msg = f"there are no {type_!r} templates here; the types are: {known}{meant}"
        raise InvalidInput(msg, path="type") from None


def _check_source(source: str) -> None:
    """Refuse what can be no template in any language."""
    vet_text(source)
    if not source.strip():
        raise error_at(source, 0, "the template is empty; the least there can be is {}")


def _checked_tables(slugs: Sequence[str]) -> tuple[str, ...]:
    tables = tuple(dict.fromkeys(slug.strip() for slug in slugs if slug.strip()))
    if len(tables) > MOST_REFERENCE_TABLES:
        msg = f"a template names at most {MOST_REFERENCE_TABLES} reference tables, not {len(tables)}"
        raise InvalidInput(msg, path="reference_tables")
    return tables


def put_template(tx: Transaction, account: int, draft: TemplateDraft, now: Instant) -> Template:
    """Store a checked draft inside a transaction, unless the same is stored already."""
    key = (draft.name, draft.type, draft.source)
    for known in current_templates(tx, account):
        if (known.name, known.type.value, known.source) == key:
            return known
    template = Template(
        id=new_id(),
        account=account,
        **_said(draft),
        author=draft.author,
        saved=now,
        added=line_changes("", draft.source)[0],
        origin=draft.origin,
        created=now,
        updated=now,
    )
    tx.catalog.put(account, template.id, template)
    return template


def replace_template(tx: Transaction, account: int, id_: str, draft: TemplateDraft, now: Instant) -> Template:
    """Store a checked draft in place of a template inside a transaction; another text is another version."""
    old = template_of(tx, account, id_)
    updated = msgspec.structs.replace(old, **_said(draft))
    if updated == old:
        return old
    if (updated.source, updated.type) != (old.source, old.type):
        keep_version(tx, old)
        added, removed = line_changes(old.source, updated.source)
        updated = msgspec.structs.replace(
            updated, version=old.version + 1, author=draft.author, saved=now, added=added, removed=removed
        )
    updated = msgspec.structs.replace(updated, updated=now)
    tx.catalog.put(account, old.id, updated)
    return updated


def remove_template(tx: Transaction, account: int, id_: str) -> None:
    """Remove a template and its versions inside a transaction; raise Conflict naming the jobs that use it."""
    template = template_of(tx, account, id_)
    users = [job.name for job in live_jobs(tx, account) if id_ in templates_in(job)]
    if users:
        msg = f"the template {template.name!r} is used by {', '.join(users)}; give them another or kill them"
        raise Conflict(msg)
    drop_versions(tx, template)
    tx.catalog.remove(Template, account, template.id)


def current_templates(tx: Transaction, account: int) -> list[Template]:
    """Return templates without their earlier versions, oldest first."""
    return tx.catalog.list(Template, account)


def templates_in(job: Job) -> set[JsonValue]:
    """Return the ids of the templates a job uses."""
    return {job.config.get(key) for key in TEMPLATE_KEYS}


def _said(draft: TemplateDraft) -> dict[str, Any]:
    """Return the members of a template that a user says."""
    return {
        "name": draft.name,
        "type": TemplateType(draft.type),
        "source": draft.source,
        "description": draft.description,
        "desired_format": draft.desired_format,
        "reference_tables": draft.reference_tables,
    }


async def _entity_of(context: Context, account: int, test: TemplateTest) -> JsonObject:
    """Return the entity of a trial: the one that is given, with the trigger asked for, or one that is made up."""
    now = context.clock.audience()
    if test.entity is None:
        schema = await context.store.read(lambda tx: current_schema(tx, account))
        return generated_entity(schema.fields, now, test.event or "enter", test.audience)
    if not test.event or "segment_events" in test.entity:
        return test.entity
    return {**test.entity, "segment_events": [sample_event(test.audience, test.event, now)]}


def _with_segments(entity: JsonObject, sample: Mapping[str, JsonValue]) -> JsonObject:
    names, shown = sample.get("names") or [], sample.get("as") or ""
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise InvalidInput("names is a list of the names of audiences", path="sample_segments.names")
    if shown not in {"", "env", "entity"}:
        msg = f"{shown!r} is no place to show memberships in; it is env or entity, or left out for neither"
        raise InvalidInput(msg, path="sample_segments.as")
    # Templates look up memberships in one place, whichever of the two was asked for.
    return {**entity, "_segments": [slug_of(str(name)) for name in names]} if shown else entity
