"""The long walks of apply, to ask for and to look at: an audience evaluated anew, and how far it has got."""

import msgspec

from gatepost.model.audience import Audience
from gatepost.model.erasure import EraseStep
from gatepost.model.times import to_rfc3339
from gatepost.operations.context import Context
from gatepost.operations.records import audience_of
from gatepost.ports.catalog import Duty
from gatepost.ports.store import Transaction
from gatepost.stages.excluding import KIND

_EVALUATES = frozenset({"evaluate", "fill"})


class Underway(msgspec.Struct, frozen=True, kw_only=True):
    """A duty that is not done yet."""

    kind: str
    """As in `ports.catalog.Duty`."""
    audience: str
    """Slug; empty for a duty of the whole account."""
    done: float
    """From 0 to 1."""
    request: str = ""
    """An erasure's."""
    failures: int = 0
    """How often its step failed in a row; it is tried again, an erasure for as long as it takes."""
    again: str = ""
    """When it is tried again, in wall time as RFC 3339; empty while nothing is wrong."""
    trouble: str = ""
    """Why it failed."""


async def reevaluate(context: Context, account: int, id_or_slug: str) -> Audience:
    """Have everybody stored looked at again; who is not where the rule says enters or leaves, with triggers.

    An evaluation that is under way does the same, so it is not doubled.
    """

    def work(tx: Transaction) -> Audience:
        audience = audience_of(tx, account, id_or_slug)
        if not any(_evaluates(duty, audience) for duty in tx.ledger.duties()):
            duty = Duty(account=account, kind="evaluate", subject=audience.id, audience=audience.number)
            tx.ledger.add_duty(duty)
        return audience

    audience = await context.store.write(work)
    context.wake_apply()
    return audience


async def evaluating(context: Context, audience: Audience) -> float | None:
    """Return which share of everybody stored an audience has been evaluated for; None when that is done."""

    def work(tx: Transaction) -> float | None:
        duties = [duty for duty in tx.ledger.duties() if _evaluates(duty, audience)]
        # The last one decides: a rule that was changed meanwhile is evaluated by a walk of its own.
        return _share(tx, duties[-1]) if duties else None

    return await context.store.read(work)


def underway(tx: Transaction, account: int) -> list[Underway]:
    """Return an account's unfinished duties, the one that is done first in front."""
    slugs = {audience.number: audience.slug for audience in tx.catalog.list(Audience, account)}
    return [
        _erasing(tx, duty)
        if duty.kind == KIND
        else Underway(kind=duty.kind, audience=slugs.get(duty.audience, ""), done=_share(tx, duty))
        for duty in tx.ledger.duties()
        if duty.account == account
    ]


def _erasing(tx: Transaction, duty: Duty) -> Underway:
    erasure = tx.erasures.get(duty.account, duty.subject) if duty.subject else None
    if erasure is None:
        return Underway(kind=duty.kind, audience="", done=0.0)
    steps = [*EraseStep]
    return Underway(
        kind=duty.kind,
        audience="",
        done=round(steps.index(erasure.step) / len(steps), 4),
        request=erasure.id,
        failures=erasure.failures,
        again=to_rfc3339(erasure.again) if erasure.again else "",
        trouble=erasure.trouble,
    )


def _evaluates(duty: Duty, audience: Audience) -> bool:
    here = duty.account == audience.account and duty.audience == audience.number
    return here and duty.kind in _EVALUATES


def _share(tx: Transaction, duty: Duty) -> float:
    last = tx.profiles.last(duty.account)
    return round(min(1.0, duty.cursor / last), 4) if last else 1.0
