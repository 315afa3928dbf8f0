"""Sizes of audiences: now, and hour by hour."""

from collections.abc import Sequence

import msgspec

from gatepost.model.audience import Audience, AudienceSize, SizeThen
from gatepost.model.errors import InvalidInput
from gatepost.model.times import HOUR, Instant
from gatepost.operations.context import Context
from gatepost.operations.records import audience_of
from gatepost.ports.store import Transaction

MOST_HOURS = 400 * 24
"""Older hours are not kept."""


class HourlySize(msgspec.Struct, frozen=True, kw_only=True):
    """An audience in one hour."""

    at: Instant
    """When the hour began."""
    size: int
    """At its end, or now."""
    entered: int
    left: int


class SizeHistory(msgspec.Struct, frozen=True, kw_only=True):
    """An audience's size over time."""

    audience: Audience
    hours: list[HourlySize]
    """Oldest first, without gaps; none before the audience's first change that is kept."""


async def size_history(context: Context, account: int, id_or_slug: str, limit: int = 168) -> SizeHistory:
    """Return an audience's size in each of the last hours, the current one included."""
    if not 0 < limit <= MOST_HOURS:
        msg = f"limit is {limit}; sizes are told for 1 to {MOST_HOURS:,} hours"
        raise InvalidInput(msg, path="limit")
    now = context.clock.audience()
    last = now - now % HOUR
    first = last - (limit - 1) * HOUR

    def work(tx: Transaction) -> SizeHistory:
        audience = audience_of(tx, account, id_or_slug)
        noted = tx.memberships.history(account, audience.number, first)
        current = tx.memberships.sizes(account).get(audience.number, AudienceSize())
        # The current hour is as it is now: who was erased is told to nobody, and noted nowhere.
        known = [one for one in noted if one.hour < last]
        known.append(SizeThen(last, current.size, current.entered, current.left))
        return SizeHistory(audience=audience, hours=hourly(known, first, last))

    return await context.store.read(work)


def hourly(noted: Sequence[SizeThen], first: Instant, last: Instant) -> list[HourlySize]:
    """Return every hour from `first` to `last`, as far back as anything is noted; what did not change is repeated."""
    by_hour = {one.hour: one for one in noted}
    before = noted[0] if noted[0].hour < first else msgspec.structs.replace(noted[0], entered=0, left=0)
    hours = []
    for at in range(max(first, noted[0].hour), last + 1, HOUR):
        then = by_hour.get(at, before)
        entered, left = then.entered - before.entered, then.left - before.left
        hours.append(HourlySize(at=at, size=then.size, entered=entered, left=left))
        before = then
    return hours
