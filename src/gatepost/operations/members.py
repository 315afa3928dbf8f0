"""Who is in an audience, or would be: lists and sizes, read in short slices beside the writer."""

import re
from collections.abc import Collection, Sequence

import msgspec

from gatepost.core.applying import judged
from gatepost.core.builtins import BUILTIN_AUDIENCES
from gatepost.core.entities import entity_of
from gatepost.core.filterql import CompiledFilter
from gatepost.core.plans import AccountPlan, parsed
from gatepost.model.audience import Audience, AudienceSize
from gatepost.model.errors import InvalidInput
from gatepost.model.jsonvalue import JsonObject
from gatepost.model.profile import Profile
from gatepost.model.times import Instant, Milliseconds
from gatepost.operations.context import Context
from gatepost.operations.filters import checked_filter, windows_in
from gatepost.operations.records import audience_of, current_schema, live_audiences
from gatepost.ports.store import Transaction

SLICE = 500
"""Profiles a read looks at: some ten milliseconds, so that no read holds back the store's upkeep."""

_NAME = re.compile(r"[\w.@-]+")
_START = re.compile(r"(\d{1,18})(?:\.(\d{1,18}))?")


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some members, and where the next ones begin."""

    entities: list[JsonObject]
    next: str = ""
    """What to start the next page with; empty on the last one."""
    total: int = 0


async def sizes(context: Context, account: int) -> dict[str, AudienceSize]:
    """Return how many are in each audience, by the audience's id."""

    def work(tx: Transaction) -> dict[str, AudienceSize]:
        counted = tx.memberships.sizes(account)
        return {one.id: counted.get(one.number, AudienceSize()) for one in live_audiences(tx, account)}

    return await context.store.read(work)


async def scan(
    context: Context,
    account: int,
    which: str,
    *,
    start: str = "",
    limit: int = 10,
    fields: Collection[str] = (),
) -> Page:
    """Return a page of an audience's members, by its id or slug, or of those whom a filter would match."""
    which = BUILTIN_AUDIENCES.get(which, which)
    after, counted = _begun(start)
    if _NAME.fullmatch(which):
        return await context.store.read(lambda tx: _members(tx, account, which, after, limit, fields))
    return await _matching(context, account, which, _Wanted(after, counted, limit, tuple(fields)))


async def builtin_size(context: Context, account: int, slug: str) -> int:
    """Count the profiles in an audience that is there by itself."""
    if slug == "all":
        return await context.store.read(lambda tx: tx.profiles.count(account))
    return await ad_hoc_size(context, account, BUILTIN_AUDIENCES[slug])


async def ad_hoc_size(context: Context, account: int, text: str) -> int:
    """Count the profiles that a filter matches now."""
    walk = await _started(context, account, text)
    return await _count(context, walk, 0)


def validate(text: str) -> None:
    """Raise FilterError when a text is not one filter; fields are not looked at."""
    parsed(text)


def entity_plan(tx: Transaction, account: int) -> AccountPlan:
    """Return as much of an account's plan as it takes to show a profile; nothing of it is compiled."""
    schema = msgspec.structs.replace(current_schema(tx, account), streams=(), mappings=())
    plan = AccountPlan(schema, (), (), set())
    plan.slugs = {audience.number: audience.slug for audience in live_audiences(tx, account)}
    return plan


def narrowed(entity: JsonObject, fields: Collection[str]) -> JsonObject:
    """Return an entity with these fields only; none means all, and `_id` always stays."""
    if not fields:
        return entity
    return {name: value for name, value in entity.items() if name in fields or name == "_id"}


class _Wanted(msgspec.Struct, frozen=True):
    after: int
    counted: int | None
    limit: int
    fields: tuple[str, ...]


class _Walk(msgspec.Struct, frozen=True):
    """A compiled filter on its way through the profiles of an account."""

    account: int
    filter: CompiledFilter
    plan: AccountPlan
    now: Instant

    def matches(self, profile: Profile) -> bool:
        return judged(self.filter, profile, self.now).matches


def _begun(start: str) -> tuple[int, int | None]:
    if not start:
        return 0, None
    found = _START.fullmatch(start)
    if found is None:
        msg = f"{start!r} is no place to go on from; use the one the page before named"
        raise InvalidInput(msg, path="start")
    return int(found[1]), int(found[2]) if found[2] else None


def _members(
    tx: Transaction, account: int, id_or_slug: str, after: int, limit: int, fields: Collection[str]
) -> Page:
    audience = audience_of(tx, account, id_or_slug)
    members = tx.memberships.members(account, audience.number, after, limit + 1)
    shown = [member.profile for member in members[:limit]]
    profiles = tx.profiles.load(account, shown)
    plan = entity_plan(tx, account)
    total = tx.memberships.sizes(account).get(audience.number, AudienceSize()).size
    return Page(
        entities=[
            narrowed(entity_of(profiles[number], plan), fields) for number in shown if number in profiles
        ],
        next=str(shown[-1]) if len(members) > limit and shown else "",
        total=total,
    )


async def _started(context: Context, account: int, text: str) -> _Walk:
    now = context.clock.audience()

    def work(tx: Transaction) -> _Walk:
        audiences = live_audiences(tx, account)
        compiled = checked_filter(text, current_schema(tx, account), audiences)
        _check_windows(compiled, audiences)
        return _Walk(account, compiled, entity_plan(tx, account), now)

    return await context.store.read(work)


async def _matching(context: Context, account: int, text: str, wanted: _Wanted) -> Page:
    """Walk until the page is full; only the first page goes on to count the rest, later ones are told."""
    walk = await _started(context, account, text)
    found: list[Profile] = []
    after: int | None = wanted.after
    while after is not None and len(found) <= wanted.limit:
        profiles, after = await _slice(context, walk, after)
        found += profiles
    shown, more = found[: wanted.limit], len(found) > wanted.limit
    total = wanted.counted
    if total is None:
        total = len(found) + (0 if after is None else await _count(context, walk, after))
    return Page(
        entities=[narrowed(entity_of(profile, walk.plan), wanted.fields) for profile in shown],
        next=f"{shown[-1].number}.{total}" if more and shown else "",
        total=total,
    )


async def _count(context: Context, walk: _Walk, after: int | None) -> int:
    counted = 0
    while after is not None:
        profiles, after = await _slice(context, walk, after)
        counted += len(profiles)
    return counted


async def _slice(context: Context, walk: _Walk, after: int) -> tuple[list[Profile], int | None]:
    """Return the matching profiles of one slice, and where the next slice begins."""

    def work(tx: Transaction) -> tuple[list[Profile], int | None]:
        profiles = tx.profiles.scan(walk.account, after, SLICE)
        last = profiles[-1].number if len(profiles) == SLICE else None
        return [profile for profile in profiles if walk.matches(profile)], last

    return await context.store.read(work)


def _check_windows(compiled: CompiledFilter, audiences: Sequence[Audience]) -> None:
    """Refuse windows nobody keeps: their answer would be nought, whatever happened."""
    kept: dict[str, Milliseconds] = {}
    for audience in audiences:
        for window in windows_in(audience.filter):
            kept[window.key] = max(window.length, kept.get(window.key, 0))
    for window in compiled.windows:
        if window.length > kept.get(window.key, 0):
            msg = (
                f"no audience keeps {window} yet, so stored profiles cannot tell; backtest the filter, or save it as "
                "an audience, which is filled from the past"
            )
            raise InvalidInput(msg)
