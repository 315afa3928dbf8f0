"""Comparing a document with an account, and carrying out the difference in one transaction."""

import asyncio
from functools import partial

import msgspec

from gatepost.model.errors import Conflict
from gatepost.operations.audiences import evaluate_audience
from gatepost.operations.brake import shift_of
from gatepost.operations.configuration.audiences import plan_audiences
from gatepost.operations.configuration.authorizations import (
    plan_authorization_farewells,
    plan_authorizations,
)
from gatepost.operations.configuration.declaration import Declaration
from gatepost.operations.configuration.jobs import plan_job_farewells, plan_jobs
from gatepost.operations.configuration.report import Report
from gatepost.operations.configuration.schemas import plan_schema
from gatepost.operations.configuration.state import Draft, Moment, State, read_state
from gatepost.operations.configuration.templates import (
    checked_templates,
    plan_template_farewells,
    plan_templates,
)
from gatepost.operations.context import Context
from gatepost.operations.templates import TemplateDraft
from gatepost.ports.store import Transaction

_TRIES = 5


class _Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A document, and how far it may go."""

    declaration: Declaration
    prune: bool


async def apply_configuration(
    context: Context,
    account: int,
    declaration: Declaration,
    *,
    dry_run: bool = False,
    prune: bool = False,
    confirm: bool = False,
) -> Report:
    """Make an account what a document says; the same document twice changes nothing.

    Things the document does not name stay, but for those an earlier document made when `prune` is on. What cannot be
    taken back wants `confirm`. Raises ConfigurationInvalid with everything that is wrong, and then nothing changed.
    """
    wish = _Wish(declaration=declaration, prune=prune)
    for _ in range(_TRIES):
        state = await context.store.read(partial(read_state, account=account))
        draft = Draft(context.clock.audience())
        templates = await checked_templates(context, declaration, state, draft.problems)
        await asyncio.to_thread(_plan, context, wish, state, templates, draft)
        draft.problems.check()
        await _brake(context, draft)
        report = Report(changes=draft.changes, warnings=[*draft.warnings, *draft.risks])
        if dry_run or not report.changed:
            return report
        if draft.risks and not confirm:
            raise Conflict(f"nothing was applied, for this wants a confirmation: {'; '.join(draft.risks)}")
        if await _carried_out(context, state, draft):
            return report
    raise Conflict("somebody else keeps changing this account; try again in a moment")


async def _brake(context: Context, draft: Draft) -> None:
    """Say of every audience whose answer may differ how many would enter and leave; many want a confirmation."""
    if draft.shifting is None:
        return
    for audience in draft.shifting.affected:
        shift = await shift_of(context, audience, draft.shifting.schema, draft.shifting.after)
        if shift.exceeds(context.brake):
            draft.risks.append(f"{shift.told}, which is more than {context.brake} %")
        elif shift.entering or shift.leaving:
            draft.warnings.append(shift.told)


def _plan(
    context: Context, wish: _Wish, state: State, templates: dict[str, TemplateDraft], draft: Draft
) -> None:
    declaration = wish.declaration
    _plan_account(declaration, state, draft)
    schema = plan_schema(declaration, state, draft, prune=wish.prune)
    audiences = plan_audiences(declaration, state, schema, draft, prune=wish.prune)
    plan_templates(declaration, templates, state, schema, draft)
    plan_authorizations(declaration, state, context.secrets, draft)
    plan_jobs(declaration, state, audiences, context.allow, draft)
    if wish.prune:
        plan_template_farewells(declaration, state, draft)
        plan_authorization_farewells(declaration, state, draft)
        plan_job_farewells(declaration, state, draft)
    kept = {audience.id for audience in audiences}
    draft.leaving = {audience.id for audience in state.audiences if audience.id not in kept}


def _plan_account(declaration: Declaration, state: State, draft: Draft) -> None:
    if declaration.account is None:
        return
    old = state.account
    new = msgspec.structs.replace(old, name=declaration.account.name)
    if new == old:
        draft.change("unchanged", "account", old.name)
        return
    draft.change("update", "account", new.name, ["name changed"])
    draft.do(lambda moment: moment.tx.catalog.put(moment.account, new.id, new))


async def _carried_out(context: Context, state: State, draft: Draft) -> bool:
    """Carry out a plan; say whether the catalog was still the one it was made for."""
    number, now = state.account.number, context.clock.wall()

    def work(tx: Transaction) -> Moment | None:
        if tx.catalog.version() != state.version:
            return None
        moment = Moment(
            tx=tx,
            account=number,
            allow=context.allow,
            now=now,
            audience_time=context.clock.audience(),
            # Asked inside the transaction: what was received until then is of the version before.
            head=context.log.head(),
            evaluate={},
            leaving=draft.leaving,
            opened=[],
        )
        for write in draft.writes:
            write(moment)
        for audience in moment.evaluate.values():
            kind = "fill" if audience.created == now else "evaluate"
            evaluate_audience(tx, audience, state.audiences, kind=kind)
        return moment

    moment = await context.store.write(work)
    if moment is None:
        return False
    context.wake_apply()
    if moment.opened:
        context.wake_deliver(moment.opened)
    return True
