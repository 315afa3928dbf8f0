"""Looking over templates with what is known of an account: its schema, and the jobs that use them."""

import asyncio
from collections.abc import Collection, Sequence

import msgspec

from gatepost.core.plans import crossings_of
from gatepost.core.templates.context import SAMPLE_EVENTS
from gatepost.core.templates.linting import Finding, lint
from gatepost.model.catalog import TemplateType
from gatepost.model.errors import InvalidInput
from gatepost.model.schema import Field
from gatepost.operations.context import Context
from gatepost.operations.records import current_schema, live_jobs
from gatepost.operations.templates import checked_type, current_templates, templates_in
from gatepost.ports.store import Transaction


class LintWish(msgspec.Struct, frozen=True, kw_only=True):
    """A template to look over."""

    source: str
    type: str = "jsonnet"
    name: str = ""
    """The stored template whose jobs say for which triggers it is used; empty when there is none."""
    event: str = ""
    """The one trigger it is used for, whatever the jobs say."""


async def lint_template(context: Context, account: int, wish: LintWish) -> list[Finding]:
    """Return what is doubtful in a template that parses; raise TemplateError for one that does not."""
    type_ = checked_type(wish.type)
    if wish.event and wish.event not in SAMPLE_EVENTS:
        msg = f"there is no event {wish.event!r}; there are {', '.join(SAMPLE_EVENTS)}"
        raise InvalidInput(msg, path="event")
    await context.renderer.check(type_.value, wish.source)

    def work(tx: Transaction) -> tuple[Sequence[Field], set[str]]:
        return current_schema(tx, account).fields, _events_of(tx, account, wish.name)

    fields, used = await context.store.read(work)
    events = {wish.event} if wish.event else used
    return await asyncio.to_thread(findings, type_.value, wish.source, fields, events)


def findings(type_: str, source: str, fields: Sequence[Field], events: Collection[str]) -> list[Finding]:
    """Return what is doubtful in a template; of languages but Jsonnet nothing is said."""
    return lint(source, fields, events) if type_ == TemplateType.JSONNET.value else []


def _events_of(tx: Transaction, account: int, name: str) -> set[str]:
    """Return the triggers that the jobs of a template wait for."""
    ids = {template.id for template in current_templates(tx, account) if name and template.name == name}
    jobs = [job for job in live_jobs(tx, account) if ids & templates_in(job)]
    return {crossing.value for job in jobs for crossing in crossings_of(job)}
