"""Templates: kept, read back, tried out. The source is the raw body, whatever its content type says."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from gatepost.core.templates.context import SAMPLE_AUDIENCE
from gatepost.model.catalog import Template, TemplateType
from gatepost.model.times import to_rfc3339
from gatepost.operations.templatelint import LintWish, lint_template
from gatepost.operations.templates import (
    TemplateDraft,
    TemplateTest,
    create_template,
    delete_template,
    engine_of,
    get_template,
    list_templates,
    test_template,
    update_template,
)
from gatepost.operations.templateversions import get_version, list_versions
from gatepost.ports.renderer import Rendered
from gatepost.web.bodies import decoded, text_of
from gatepost.web.documentation import TEXT, accepts, answers
from gatepost.web.envelopes import answer_v2
from gatepost.web.session import Body, Here

router = APIRouter(prefix="/v2/template", tags=["templates"])

_METADATA = {
    "id": "5f0d1c6e2b7a4c3d8e9f001122334455",
    "name": "insider_enter",
    "type": "jsonnet",
    "created": "2026-01-02T03:04:05Z",
    "updated": "2026-01-02T03:04:05Z",
}
_ONE = answers({"data": {**_METADATA, "engine": "compiled"}, "request_id": "9b1c", "status": 200})
_PRINTED = answers({"data": '{\n   "email": "ada@example.com"\n}\n', "request_id": "9b1c", "status": 200})
_SAVED = {
    "version": 2,
    "name": "insider_enter",
    "type": "jsonnet",
    "saved": "2026-01-02T03:04:05Z",
    "author": "deploy",
    "size": 2048,
    "added": 3,
    "removed": 1,
}
_VERSIONS = answers({"data": [{**_SAVED, "jobs": ["insider_enter"]}], "request_id": "9b1c", "status": 200})
_VERSION = answers({"data": {**_SAVED, "definition": "{ ... }"}, "request_id": "9b1c", "status": 200})
_LINTED = {"template_definition": "{}", "template_type": "jsonnet", "name": "insider_enter"}
_FINDING = {
    "code": "unknown-field",
    "level": "error",
    "line": 3,
    "column": 19,
    "message": "no profile has a field emial",
    "right": "did you mean email?",
    "excerpt": "  email: profile.get('emial'),\n                     ^",
}
_FINDINGS = answers({"data": [_FINDING], "request_id": "9b1c", "status": 200})
_TRIAL = {"entity": {"email": "ada@example.com"}, "job_config": {}}
_UNSAVED = {
    "template_definition": "function template(data) { return data }",
    "template_type": "js1",
    **_TRIAL,
}
_SOURCE = accepts("{ email: std.parseJson(std.extVar('ly_entity')).email }", TEXT)


_KINDS = [one.value for one in TemplateType]
_LANGUAGE = Field(description=f"Its language: {', '.join(_KINDS)}.", examples=_KINDS)


class _Wish(BaseModel):
    """What the query of an update says; what it leaves out stays as it is."""

    name: str | None = None
    type: Annotated[str | None, _LANGUAGE] = None
    description: str | None = None
    desired_format: str | None = None
    reference_tables: list[str] | None = None
    force: bool = False
    repair: bool = False


class _NewWish(BaseModel):
    """What the query of a creation says."""

    name: str
    type: Annotated[str, _LANGUAGE]
    description: str = ""
    desired_format: str = ""
    reference_tables: list[str] = []
    force: bool = False
    repair: bool = False


class _Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What to try a stored template on."""

    entity: dict[str, Any] | None = None
    job_config: dict[str, Any] | None = None
    sample_segments: dict[str, Any] | None = None
    event: str = ""
    audience: str = ""


class _UnsavedTrial(_Trial, frozen=True, kw_only=True):
    """A template that is not stored, and what to try it on."""

    template_definition: str
    template_type: str = "jsonnet"


class _LintWish(msgspec.Struct, frozen=True, kw_only=True):
    """A template to look over."""

    template_definition: str
    template_type: str = "jsonnet"
    name: str = ""
    event: str = ""


@router.get("", responses=answers({"data": [_METADATA], "request_id": "9b1c", "status": 200}))
async def templates(here: Here) -> Response:
    """List templates, without their sources."""
    found = await list_templates(here.context, here.number)
    return answer_v2(here.id, [_shown(template) for template in found])


@router.post("", responses=_ONE, openapi_extra=_SOURCE)
async def create(here: Here, body: Body, wish: Annotated[_NewWish, Query()]) -> Response:
    """Store a template (`jsonnet`, `js1`, `handlebars`) once checked; `force` does so anyway, `repair` mends damage."""
    draft = TemplateDraft(
        wish.name,
        wish.type,
        text_of(body),
        wish.description,
        wish.desired_format,
        _slugs(wish.reference_tables),
    )
    made = await create_template(here.context, here.number, draft, force=wish.force, repair=wish.repair)
    return await _answered(here, made)


@router.post("/test", responses=_PRINTED, openapi_extra=accepts(_UNSAVED))
async def try_unsaved(here: Here, body: Body) -> Response:
    """Return what a template that is not stored prints; an error of the template is printed too."""
    trial = decoded(body, _UnsavedTrial)
    return await _printed(here, trial, trial.template_definition, trial.template_type)


@router.post("/lint", responses=_FINDINGS, openapi_extra=accepts(_LINTED))
async def look_over(here: Here, body: Body) -> Response:
    """List what is doubtful in a template that need not be stored, given the schema and the jobs of `name`."""
    wish = decoded(body, _LintWish)
    found = await lint_template(
        here.context,
        here.number,
        LintWish(source=wish.template_definition, type=wish.template_type, name=wish.name, event=wish.event),
    )
    return answer_v2(here.id, found)


@router.get("/{id_}", responses=_ONE)
async def template(here: Here, id_: str) -> Response:
    """Return one template without its source."""
    return await _answered(here, await get_template(here.context, here.number, id_))


@router.get("/{id_}/definition", responses=answers({"data": "{ ... }", "request_id": "9b1c", "status": 200}))
async def definition(here: Here, id_: str) -> Response:
    """Return a template's source."""
    return answer_v2(here.id, (await get_template(here.context, here.number, id_)).source)


@router.put("/{id_}", responses=_ONE, openapi_extra=_SOURCE)
async def update(here: Here, body: Body, id_: str, wish: Annotated[_Wish, Query()]) -> Response:
    """Give a template a new source; what the query leaves out stays as it is."""
    old = await get_template(here.context, here.number, id_)
    draft = TemplateDraft(
        old.name if wish.name is None else wish.name,
        old.type.value if wish.type is None else wish.type,
        text_of(body),
        old.description if wish.description is None else wish.description,
        old.desired_format if wish.desired_format is None else wish.desired_format,
        old.reference_tables if wish.reference_tables is None else _slugs(wish.reference_tables),
    )
    updated = await update_template(
        here.context, here.number, id_, draft, force=wish.force, repair=wish.repair
    )
    return await _answered(here, updated)


@router.delete("/{id_}", responses=answers({"request_id": "9b1c", "status": 200}))
async def delete(here: Here, id_: str) -> Response:
    """Delete a template that no job uses."""
    await delete_template(here.context, here.number, id_)
    return answer_v2(here.id)


@router.post("/{id_}/test", responses=_PRINTED, openapi_extra=accepts(_TRIAL))
async def try_saved(here: Here, body: Body, id_: str) -> Response:
    """Return what a stored template prints; an error of the template is printed too."""
    stored = await get_template(here.context, here.number, id_)
    return await _printed(here, decoded(body or b"{}", _Trial), stored.source, stored.type.value)


@router.get("/{id_}/version", responses=_VERSIONS)
async def versions(here: Here, id_: str) -> Response:
    """List a template's kept texts, the current one first: who saved each, when, how large, what changed."""
    kept = await list_versions(here.context, here.number, id_)
    return answer_v2(here.id, [{**_shown_version(one.template), "jobs": one.jobs} for one in kept])


@router.get("/{id_}/version/{number}", responses=_VERSION)
async def version(here: Here, id_: str, number: int) -> Response:
    """Return one text of a template."""
    kept = await get_version(here.context, here.number, id_, number)
    return answer_v2(here.id, {**_shown_version(kept), "definition": kept.source})


async def _printed(here: Here, trial: _Trial, source: str, type_: str) -> Response:
    test = TemplateTest(
        source=source,
        type=type_,
        entity=trial.entity,
        job_config=trial.job_config or {},
        sample_segments=trial.sample_segments or {},
        event=trial.event,
        audience=trial.audience or SAMPLE_AUDIENCE,
    )
    result = await test_template(here.context, here.number, test)
    if isinstance(result, Rendered):
        return answer_v2(here.id, result.text)
    # As documented, these words stand before the engine's own, but not before those of JavaScript's.
    prefix = "" if type_.lower() == TemplateType.JS1 else "evaluating snippet: "
    return answer_v2(here.id, f"{prefix}{result.message}", failed=True)


async def _answered(here: Here, template: Template) -> Response:
    engine = await engine_of(here.context, template)
    why = {"engine_reason": engine.reason} if engine.reason else {}
    return answer_v2(here.id, {**_shown(template), "engine": engine.name, **why})


def _shown(template: Template) -> dict[str, Any]:
    """Return a template's metadata; empty members are left out, as Lytics does."""
    members = {
        "id": template.id,
        "name": template.name,
        "type": template.type.value,
        "description": template.description,
        "desired_format": template.desired_format,
        "reference_tables": template.reference_tables,
        "author_id": template.author.id,
        "version": template.version,
        "created": to_rfc3339(template.created),
        "updated": to_rfc3339(template.updated),
    }
    return {name: value for name, value in members.items() if value}


def _shown_version(template: Template) -> dict[str, Any]:
    """Return what is told of one text: lines added and removed are counted against the text before it."""
    return {
        "version": template.version,
        "name": template.name,
        "type": template.type.value,
        "saved": to_rfc3339(template.saved or template.updated),
        "author": template.author.label,
        "size": len(template.source.encode()),
        "added": template.added,
        "removed": template.removed,
    }


def _slugs(given: Sequence[str]) -> tuple[str, ...]:
    """Return slugs that came one by one or joined by commas."""
    return tuple(slug for text in given for slug in text.split(",") if slug.strip())
