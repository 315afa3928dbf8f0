"""Why somebody is in an audience or not, and when that will change."""

import asyncio

import msgspec

from gatepost.core.entities import shown_value
from gatepost.core.explaining import Clause, explained
from gatepost.core.filterql import Node
from gatepost.core.foresight import turns
from gatepost.core.plans import AccountPlan, field_types, filter_texts, parsed
from gatepost.core.refolding import refolded
from gatepost.core.versions import Versions
from gatepost.model.audience import Audience, Membership
from gatepost.model.errors import NotFound
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.profile import Profile
from gatepost.model.schema import Schema
from gatepost.model.times import Instant
from gatepost.operations.context import Context
from gatepost.operations.profiles import found_by
from gatepost.operations.records import audience_of, current_schema, live_audiences, versions_of
from gatepost.ports.store import Transaction

MOST_EVENTS = 20_000
"""Events of one person that are folded again; of more, the latest."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one profile and one audience's rule."""

    audience: Audience
    profile: str
    """`_id`."""
    now: Instant
    excluded: Instant | None
    """Since when she is kept out by hand, whatever the rule says."""
    membership: Membership | None
    """As stored; None when she never was inside."""
    rule: Clause
    next_change: Instant | None
    """When she enters or leaves if nothing happens; None for never, as far as is looked ahead."""
    types: dict[str, str]
    approximate: bool
    """A window it reads has passed the bound up to which it is exact."""
    events: int
    """Events folded again."""
    missing: int
    """Events of hers that are not kept any more, so that nothing is said of them."""


class _Found(msgspec.Struct, frozen=True):
    audience: Audience
    profile: Profile
    trail: list[int]
    schema: Schema
    audiences: list[Audience]
    versions: Versions


async def explain(context: Context, account: int, id_or_slug: str, identifier: str) -> Explanation:
    """Explain an audience's rule for the profile an identifier leads to: `field=value`, or a value alone."""

    def work(tx: Transaction) -> _Found:
        audience = audience_of(tx, account, id_or_slug)
        schema = current_schema(tx, account)
        profile = found_by(tx, account, schema, identifier)
        if profile is None:
            raise NotFound("profile", identifier)
        trail = [*tx.profiles.trail(account, profile.number), *profile.trail]
        audiences = live_audiences(tx, account)
        versions = versions_of(tx, account, AccountPlan(schema, [audience], (), set(), audiences))
        return _Found(audience, profile, trail, schema, audiences, versions)

    found = await context.store.read(work)
    return await asyncio.to_thread(_explained, context, found)


def _explained(context: Context, found: _Found) -> Explanation:
    now = context.clock.audience()
    texts = filter_texts(found.audiences)

    def include(name: str) -> Node | None:
        return parsed(texts[name]).filter if name in texts else None

    wanted = sorted(found.trail)[-MOST_EVENTS:]
    events = context.log.fetch(wanted)
    plan = found.versions.current
    history = refolded(found.versions, found.profile.identifiers, events, now)
    rule = explained(parsed(found.audience.filter).filter, plan, include, found.profile, history, now)
    excluded = found.profile.excluded_since(found.audience.number)
    judged_by = plan.audiences[found.audience.number].filter
    (turn,) = turns([judged_by], plan, found.profile, now)
    read = {window.key for window in judged_by.windows}
    return Explanation(
        audience=found.audience,
        profile=found.profile.id,
        now=now,
        excluded=excluded,
        membership=found.profile.memberships.get(found.audience.number),
        rule=rule,
        next_change=turn if excluded is None else None,
        types=field_types(found.schema),
        approximate=not read.isdisjoint(found.profile.approximate),
        events=len(events),
        missing=len(found.trail) - len(events),
    )


def shown_values(explanation: Explanation, clause: Clause) -> dict[str, JsonValue]:
    """Return what a clause reads as the entity API shows it."""
    return {
        name: shown_value(value, explanation.types.get(name, "")) for name, value in clause.values.items()
    }
