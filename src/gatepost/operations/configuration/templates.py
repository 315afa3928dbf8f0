"""The templates of a document."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from gatepost.model.catalog import Template
from gatepost.model.errors import InvalidInput
from gatepost.model.schema import Schema
from gatepost.operations.configuration.declaration import Declaration
from gatepost.operations.configuration.jobs import planned_uses
from gatepost.operations.configuration.problems import Problems
from gatepost.operations.configuration.state import ORIGIN, Draft, Moment, State, by_name, differences, own
from gatepost.operations.context import Context
from gatepost.operations.templatecases import read_cases, run_cases
from gatepost.operations.templatelint import findings
from gatepost.operations.templates import (
    TemplateDraft,
    checked_template,
    put_template,
    remove_template,
    replace_template,
)

_MOST_DOUBTS = 5
"""So many findings of a template are told one by one."""


async def checked_templates(
    context: Context, declaration: Declaration, state: State, problems: Problems
) -> dict[str, TemplateDraft]:
    """Return a document's templates by name; a source that is not stored yet is parsed by the engine."""
    stored = {(template.name, template.source) for template in state.templates}
    drafts = {}
    for name, one in declaration.templates.items():
        draft = TemplateDraft(name, one.type, one.source, one.description, origin=ORIGIN)
        known = (name, one.source) in stored
        try:
            drafts[name] = await checked_template(context, draft, force=known, repair=False)
        except InvalidInput as error:
            problems.note(f"templates.{name}.{error.path or 'source'}", error)
        else:
            await _check_cases(context, drafts[name], one.cases, problems)
    return drafts


async def _check_cases(
    context: Context, draft: TemplateDraft, documents: dict[str, Any], problems: Problems
) -> None:
    """Run what a template has to make of which profile; what fails refuses the whole document."""
    path = f"templates.{draft.name}.cases"
    try:
        cases = read_cases(documents)
    except InvalidInput as error:
        problems.add(f"{path}.{error.path}", error.message)
        return
    for outcome in await run_cases(context.renderer, draft.type, draft.source, cases):
        if outcome.message:
            problems.add(f"{path}.{outcome.case}", "\n".join(filter(None, (outcome.message, outcome.diff))))


def plan_templates(
    declaration: Declaration, drafts: dict[str, TemplateDraft], state: State, schema: Schema, draft: Draft
) -> None:
    """Plan a document's templates, and warn of what is doubtful in new texts, given the schema there will be."""
    for name, wanted in drafts.items():
        old = by_name(state.templates, name, _name)
        if old is None or old.source != wanted.source:
            draft.warnings.extend(_doubts(declaration, wanted, schema))
        if old is None:
            draft.change("create", "template", name)
            draft.do(partial(_create, wanted))
            continue
        details = differences(
            {
                "source": (old.source, wanted.source),
                "type": (old.type.value, wanted.type),
                "description": (old.description, wanted.description),
            }
        )
        draft.change("update" if details else "unchanged", "template", name, details)
        if details:
            kept = msgspec.structs.replace(
                wanted, desired_format=old.desired_format, reference_tables=old.reference_tables
            )
            draft.do(partial(_replace, old, kept))


def _doubts(declaration: Declaration, wanted: TemplateDraft, schema: Schema) -> Iterator[str]:
    """Yield what is doubtful in a template, the first few findings one by one."""
    jobs = (job for job in declaration.jobs.values() if wanted.name in {job.template, job.url_template})
    events = {
        event for job in jobs for event in (("enter", "exit") if job.events == "both" else (job.events,))
    }
    found = findings(wanted.type, wanted.source, schema.fields, events)
    for one in found[:_MOST_DOUBTS]:
        place = f"the template {wanted.name}, line {one.line}, column {one.column}"
        yield f"{place}: {one.message}; {one.right}"
    if len(found) > _MOST_DOUBTS:
        yield f"the template {wanted.name}: {len(found) - _MOST_DOUBTS} more; see `gatepost template lint`"


def plan_template_farewells(declaration: Declaration, state: State, draft: Draft) -> None:
    """Plan the removal of templates that a document made and has no more."""
    uses = planned_uses(declaration, state)
    for template in own(state.templates, set(declaration.templates), _name):
        users = [job for job, used in uses if template.id in used]
        if users:
            draft.problems.add(f"templates.{template.name}", f"used by {', '.join(users)}; keep it")
        risk = f"the template {template.name} and its earlier versions go away"
        draft.remove("template", template.name, risk)
        draft.part(partial(_remove, template))


def _create(wanted: TemplateDraft, moment: Moment) -> None:
    put_template(moment.tx, moment.account, wanted, moment.now)


def _replace(old: Template, wanted: TemplateDraft, moment: Moment) -> None:
    replace_template(moment.tx, moment.account, old.id, wanted, moment.now)


def _remove(template: Template, moment: Moment) -> None:
    remove_template(moment.tx, moment.account, template.id)


def _name(template: Template) -> str:
    return template.name
