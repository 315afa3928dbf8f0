"""Who is in an audience, or would be: lists and sizes, read in short slices beside the writer."""

import re
from collections.abc import AsyncIterator, Collection
from functools import partial

import msgspec

from gatepost.core.builtins import BUILTIN_AUDIENCES, BUILTIN_TYPES, builtin
from gatepost.core.entities import entity_of
from gatepost.core.plans import AccountPlan, parsed
from gatepost.model.audience import AudienceSize
from gatepost.model.errors import InvalidInput
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.profile import Profile
from gatepost.model.times import MINUTE, Instant
from gatepost.operations.context import Context
from gatepost.operations.records import audience_of, current_schema, live_audiences
from gatepost.operations.walks import SLICE, Walk, walk_of
from gatepost.ports.store import Transaction

MOST_SORTED = 10_000
"""Members that are put in order for a page; more would be read again for every page."""
_LIFETIME = 10 * MINUTE
"""How long one can go on from a page."""
_NAME = re.compile(r"[\w.@-]+")
_START = re.compile(r"(\d{1,18})\.(\d{1,18})\.(\d{1,18})")


class PageWish(msgspec.Struct, frozen=True, kw_only=True):
    """Which members are wanted, and what of them."""

    start: str = ""
    """The `next` of the page before."""
    limit: int = 10
    fields: Collection[str] = ()
    """None means all."""
    sort: str = ""
    """A field; members come in the order in which they were first seen unless told."""
    descending: bool = False
    segments: bool = False
    """Add the slugs of each one's public audiences, as `segments`."""
    meta: bool = False
    """Add what is known about each profile, as `meta`."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some members, and where the next ones begin."""

    entities: list[JsonObject]
    next: str = ""
    """What to start the next page with; empty on the last one."""
    total: int = 0
    estimated: bool = False
    """The total is an estimate: windows were filled from the past for some, and they stand for all."""


class Count(msgspec.Struct, frozen=True):
    """How many match."""

    size: int
    estimated: bool = False


async def sizes(context: Context, account: int) -> dict[str, AudienceSize]:
    """Return how many are in each audience, by the audience's id."""

    def work(tx: Transaction) -> dict[str, AudienceSize]:
        counted = tx.memberships.sizes(account)
        return {one.id: counted.get(one.number, AudienceSize()) for one in live_audiences(tx, account)}

    return await context.store.read(work)


async def scan(context: Context, account: int, which: str, wish: PageWish | None = None) -> Page:
    """Return a page of an audience's members, by its id or slug, or of those whom a filter would match.

    A filter over windows that no audience keeps is tried on a bounded number of profiles, filled from the past.
    """
    wish = wish or PageWish()
    which = BUILTIN_AUDIENCES.get(which, which)
    now = context.clock.wall()
    place = _begun(wish.start, now)
    named = _NAME.fullmatch(which) is not None
    walk = None if named else await walk_of(context, account, which)
    if wish.sort:
        found = await _sorted(context, account, walk or which, wish, place)
    elif walk is None:
        found = await context.store.read(partial(_members, account, which, wish, place.after))
    else:
        found = await _matching(walk, wish, place)
    entities = await context.store.read(lambda tx: _entities(tx, account, found.profiles, wish))
    following = f"{found.next}.{found.total}.{now}" if found.next else ""
    return Page(entities=entities, next=following, total=found.total, estimated=found.estimated)


async def builtin_size(context: Context, account: int, slug: str) -> int:
    """Count the profiles in an audience that is there by itself."""
    if slug == "all":
        return await context.store.read(lambda tx: tx.profiles.count(account))
    return (await ad_hoc_size(context, account, BUILTIN_AUDIENCES[slug])).size


async def ad_hoc_size(context: Context, account: int, text: str) -> Count:
    """Count the profiles that a filter matches now."""
    walk = await walk_of(context, account, text)
    return Count(*await walk.count(0))


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


class _Place(msgspec.Struct, frozen=True):
    """Where a page begins, and what an earlier page counted."""

    after: int = 0
    total: int | None = None


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    profiles: list[Profile]
    next: int
    """The place of the next page; 0 when there is none."""
    total: int
    estimated: bool = False


def _begun(start: str, now: Instant) -> _Place:
    if not start:
        return _Place()
    found = _START.fullmatch(start)
    if found is None:
        msg = f"{start!r} is no place to go on from; use the one the page before named"
        raise InvalidInput(msg, path="start")
    after, total, issued = (int(part) for part in found.groups())
    if now > issued + _LIFETIME:
        msg = "one can go on from a page for 10 minutes, and these are over; begin with the first page again"
        raise InvalidInput(msg, path="start")
    return _Place(after, total)


def _members(account: int, id_or_slug: str, wish: PageWish, after: int, tx: Transaction) -> _Found:
    audience = audience_of(tx, account, id_or_slug)
    members = tx.memberships.members(account, audience.number, after, wish.limit + 1)
    shown = [member.profile for member in members[: wish.limit]]
    profiles = tx.profiles.load(account, shown)
    return _Found(
        profiles=[profiles[number] for number in shown if number in profiles],
        next=shown[-1] if len(members) > wish.limit and shown else 0,
        total=tx.memberships.sizes(account).get(audience.number, AudienceSize()).size,
    )


async def _matching(walk: Walk, wish: PageWish, place: _Place) -> _Found:
    """Walk until the page is full; only the first page goes on to count, later ones are told."""
    found: list[Profile] = []
    after: int | None = place.after
    seen = 0
    while after is not None and len(found) <= wish.limit and (walk.most is None or seen < walk.most):
        slice_ = await walk.slice(after)
        found, seen, after = found + slice_.matching, seen + slice_.seen, slice_.after
    shown, more = found[: wish.limit], len(found) > wish.limit
    total, estimated = place.total, False
    if total is None and walk.lacking and after is not None:
        total, estimated = await walk.count(0)
    elif total is None:
        total = len(found) + (await walk.count(after))[0]
    following = shown[-1].number if more and shown else 0
    return _Found(profiles=shown, next=following, total=total, estimated=estimated)


async def _sorted(
    context: Context, account: int, source: Walk | str, wish: PageWish, place: _Place
) -> _Found:
    """Return a page of the members in the order of a field; those without it come last."""
    await context.store.read(lambda tx: _check_sortable(tx, account, wish.sort))
    everybody: list[Profile] = []
    slices = _walked(source) if isinstance(source, Walk) else _listed(context, account, source)
    async for profiles in slices:
        everybody += profiles
        if len(everybody) > MOST_SORTED:
            msg = f"more than {MOST_SORTED:,} members cannot be sorted; narrow the filter, or leave sortfield out"
            raise InvalidInput(msg, path="sortfield")
    having = [one for one in everybody if _value(one, wish.sort) is not None]
    having.sort(key=lambda one: _order(_value(one, wish.sort)), reverse=wish.descending)
    ordered = [*having, *(one for one in everybody if _value(one, wish.sort) is None)]
    end = place.after + wish.limit
    return _Found(
        profiles=ordered[place.after : end], next=end if end < len(ordered) else 0, total=len(ordered)
    )


async def _walked(walk: Walk) -> AsyncIterator[list[Profile]]:
    if walk.lacking:
        msg = "a filter over windows that no audience keeps cannot be sorted; leave sortfield out"
        raise InvalidInput(msg, path="sortfield")
    after: int | None = 0
    while after is not None:
        slice_ = await walk.slice(after)
        after = slice_.after
        yield slice_.matching


async def _listed(context: Context, account: int, which: str) -> AsyncIterator[list[Profile]]:
    wish, after = PageWish(limit=SLICE), 0
    while True:
        found = await context.store.read(partial(_members, account, which, wish, after))
        yield found.profiles
        if not found.next:
            return
        after = found.next


def _check_sortable(tx: Transaction, account: int, field: str) -> None:
    known = {one.name for one in current_schema(tx, account).fields} | BUILTIN_TYPES.keys()
    if field not in known:
        msg = f"there is no field {field} to sort by"
        raise InvalidInput(msg, path="sortfield")


def _value(profile: Profile, field: str) -> JsonValue:
    return builtin(profile, field) if field in BUILTIN_TYPES else profile.fields.get(field)


def _order(value: JsonValue) -> tuple[int, float, str]:
    """Order numbers and instants before texts; sets and maps go by how many they hold."""
    match value:
        case int() | float():
            return 0, value, ""
        case str():
            return 1, 0, value
        case list() | dict():
            return 2, len(value), ""
        case _:
            return 3, 0, ""


def _entities(tx: Transaction, account: int, profiles: list[Profile], wish: PageWish) -> list[JsonObject]:
    plan = entity_plan(tx, account)
    public = {one.number: one.slug for one in live_audiences(tx, account) if one.is_public}
    entities = []
    for profile in profiles:
        entity = narrowed(entity_of(profile, plan), wish.fields)
        if wish.segments:
            inside = (number for number, held in profile.memberships.items() if held.inside)
            entity["segments"] = sorted(public[number] for number in inside if number in public)
        if wish.meta:
            entity["meta"] = meta_of(profile)
        entities.append(entity)
    return entities


def meta_of(profile: Profile) -> JsonObject:
    """Return what is told about a profile rather than of the person, as the entity API has it."""
    by_fields = sorted(profile.identifiers)
    return {"by_fields": by_fields, "conflicts": profile.conflicts, "format": "json", "name": "user"}
