"""A rule that is not saved on its way through the profiles of an account, in short slices beside the writer."""

import asyncio
from collections.abc import Iterable, Sequence

import msgspec

from gatepost.core.applying import judged
from gatepost.core.filterql import CompiledFilter
from gatepost.core.plans import AccountPlan
from gatepost.core.refilling import refilled
from gatepost.core.versions import Versions
from gatepost.model.audience import Audience
from gatepost.model.profile import Profile
from gatepost.model.schema import Schema
from gatepost.model.times import Instant, Milliseconds
from gatepost.operations.context import Context
from gatepost.operations.filters import checked_filter, stored_filter, windows_in
from gatepost.operations.records import current_schema, live_audiences, versions_of
from gatepost.ports.store import Transaction

SLICE = 500
"""Profiles a read looks at: some ten milliseconds, so that no read holds back the store's upkeep."""
MOST_FILLED = 2_000
"""Profiles whose past is read for windows nobody keeps, a second or so; of more, these stand for all."""
_FILLED_AT_ONCE = 50


class Slice(msgspec.Struct, frozen=True):
    """What one read found."""

    matching: list[Profile]
    seen: int
    after: int | None
    """Where the next slice begins; None after the last."""


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """A rule and what it takes to try it on stored profiles."""

    context: Context
    account: int
    rule: CompiledFilter
    now: Instant
    past: Versions | None = None
    """What reads events for the rule's windows, when nobody keeps some of them."""
    lacking: Sequence[str] = ()
    """Sources of those windows."""

    @property
    def most(self) -> int | None:
        """How many profiles are looked at before they stand for all; None when all are."""
        return MOST_FILLED if self.lacking else None

    async def slice(self, after: int) -> Slice:
        """Look at the next profiles."""
        return await (self._filled_slice(after) if self.lacking else self._stored_slice(after))

    async def _stored_slice(self, after: int) -> Slice:
        def work(tx: Transaction) -> Slice:
            profiles = tx.profiles.scan(self.account, after, SLICE)
            last = profiles[-1].number if len(profiles) == SLICE else None
            return Slice([one for one in profiles if self._matches(one)], len(profiles), last)

        return await self.context.store.read(work)

    async def _filled_slice(self, after: int) -> Slice:
        size = min(SLICE, _FILLED_AT_ONCE)

        def work(tx: Transaction) -> list[tuple[Profile, list[int]]]:
            profiles = tx.profiles.scan(self.account, after, size)
            return [(one, [*tx.profiles.trail(self.account, one.number), *one.trail]) for one in profiles]

        found = await self.context.store.read(work)
        last = found[-1][0].number if len(found) == size else None
        return Slice(await asyncio.to_thread(self._filled, found), len(found), last)

    async def count(self, after: int | None) -> tuple[int, bool]:
        """Count those who match from a place on; say too whether that is an estimate."""
        counted = seen = 0
        while after is not None and (self.most is None or seen < self.most):
            found = await self.slice(after)
            counted, seen, after = counted + len(found.matching), seen + found.seen, found.after
        if after is None:
            return counted, False
        total = await self.context.store.read(lambda tx: tx.profiles.count(self.account))
        return round(counted * total / seen), True

    def _matches(self, profile: Profile) -> bool:
        return not profile.hidden and judged(self.rule, profile, self.now).matches

    def _filled(self, found: Iterable[tuple[Profile, list[int]]]) -> list[Profile]:
        """Return those who match once their windows hold what the kept past says."""
        assert self.past is not None
        matching = []
        for profile, trail in found:
            events = self.context.log.fetch(sorted(trail))
            if not profile.hidden and self._matches(refilled(self.past, profile, events, self.lacking)):
                matching.append(profile)
        return matching


async def walk_of(context: Context, account: int, text: str) -> Walk:
    """Return the walk of a filter; raise FilterError when it does not fit the account."""
    now = context.clock.audience()

    def work(tx: Transaction) -> Walk:
        schema, audiences = current_schema(tx, account), live_audiences(tx, account)
        rule = checked_filter(text, schema, audiences)
        lacking = _lacking(rule, audiences)
        past = versions_of(tx, account, _plan(account, text, schema, audiences)) if lacking else None
        return Walk(context=context, account=account, rule=rule, now=now, past=past, lacking=lacking)

    return await context.store.read(work)


def _plan(account: int, text: str, schema: Schema, others: Sequence[Audience]) -> AccountPlan:
    audience = Audience(number=1, id="", account=account, name="", slug="", filter=stored_filter(text))
    return AccountPlan(schema, [audience], (), set(), others)


def _lacking(rule: CompiledFilter, audiences: Iterable[Audience]) -> tuple[str, ...]:
    """Return the sources of windows that no audience keeps, or not for so long: stored profiles cannot tell."""
    kept: dict[str, Milliseconds] = {}
    for audience in audiences:
        for window in windows_in(audience.filter):
            kept[window.key] = max(window.length, kept.get(window.key, 0))
    short = (window.key for window in rule.windows if window.length > kept.get(window.key, 0))
    return tuple(dict.fromkeys(short))
