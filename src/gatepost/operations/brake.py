"""The brake: how many a change of rules would move, told before it does, and confirmed when they are many.

A slip of the pen in a filter must not send an exit to everybody.
"""

from collections.abc import Sequence
from functools import partial

import msgspec

from gatepost.core.applying import judged
from gatepost.model.audience import Audience
from gatepost.model.errors import Conflict
from gatepost.model.profile import Profile
from gatepost.model.schema import Schema
from gatepost.operations.context import Context
from gatepost.operations.filters import checked_filter, new_sources
from gatepost.operations.records import live_audiences
from gatepost.operations.walks import SLICE
from gatepost.ports.store import Transaction

MOST_PROFILES = 200_000
"""Profiles looked at one by one, a few seconds; of more, this many stand for all."""

_SMALL = 10
"""Smaller audiences are taken for this large, so that one person is not a flood."""


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a new rule would move."""

    audience: str
    """Slug."""
    size: int
    """Members now."""
    entering: int
    leaving: int
    estimated: bool = False
    unknown: bool = False
    """The rule looks at a past that nobody kept so far, so the figures leave it out."""

    @property
    def told(self) -> str:
        """The shift in words."""
        if self.unknown:
            return (
                f"how many would enter or leave {self.audience} cannot be told, for no audience keeps all its windows "
                "yet; backtest it"
            )
        about = "about " if self.estimated else ""
        leaving = f"{about}{self.leaving:,} of {self.size:,} members would leave {self.audience}"
        return f"{leaving}, {about}{self.entering:,} would enter"

    def exceeds(self, percent: int) -> bool:
        """Say whether more than so many percent of the audience would, or might, enter or leave."""
        most = max(self.size, _SMALL) * percent / 100
        return percent < 100 and (self.unknown or max(self.entering, self.leaving) > most)


async def shift_of(context: Context, audience: Audience, schema: Schema, others: Sequence[Audience]) -> Shift:
    """Count whom an audience's rule, not stored yet, would move now; `others` are those it may include."""
    rule = checked_filter(audience.filter, schema, others, force=True)
    now, number = context.clock.audience(), audience.number
    size, unknown = await context.store.read(lambda tx: (_size(tx, audience), _is_unknown(tx, audience)))
    after: int | None = 0
    seen = entering = leaving = 0
    while after is not None and seen < MOST_PROFILES:
        profiles = await context.store.read(partial(_scanned, audience.account, after))
        for profile in profiles:
            was, will = _is_inside(profile, number), judged(rule, profile, now).matches
            will &= profile.excluded_since(number) is None
            entering += will and not was
            leaving += was and not will
        seen += len(profiles)
        after = profiles[-1].number if len(profiles) == SLICE else None
    if after is None:
        return Shift(
            audience=audience.slug,
            size=size,
            entering=entering,
            leaving=leaving,
            unknown=unknown and seen > 0,
        )
    total = await context.store.read(lambda tx: tx.profiles.count(audience.account))
    scale = total / seen
    return Shift(
        audience=audience.slug,
        size=size,
        entering=round(entering * scale),
        leaving=round(leaving * scale),
        estimated=True,
        unknown=unknown,
    )


def check_shifts(shifts: Sequence[Shift], percent: int) -> None:
    """Raise Conflict when a change moves more than it may without a confirmation."""
    beyond = [shift.told for shift in shifts if shift.exceeds(percent)]
    if beyond:
        msg = (
            f"nothing was changed, for this wants a confirmation: {'; '.join(beyond)}; "
            f"that is more than {percent} %. Ask again with confirm=true if it is meant"
        )
        raise Conflict(msg)


def _scanned(account: int, after: int, tx: Transaction) -> list[Profile]:
    return tx.profiles.scan(account, after, SLICE)


def _size(tx: Transaction, audience: Audience) -> int:
    sizes = tx.memberships.sizes(audience.account)
    return sizes[audience.number].size if audience.number in sizes else 0


def _is_unknown(tx: Transaction, audience: Audience) -> bool:
    """Say whether a rule has windows that have yet to be filled from the past."""
    return bool(new_sources(audience.filter, live_audiences(tx, audience.account)))


def _is_inside(profile: Profile, audience: int) -> bool:
    held = profile.memberships.get(audience)
    return held is not None and held.inside
