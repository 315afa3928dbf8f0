"""Audiences: saved only when their filter fits the account, evaluated for everybody stored, dissolved with exits."""

from collections.abc import Sequence

import msgspec

from gatepost.core.builtins import BUILTIN_AUDIENCES
from gatepost.core.plans import included_names, parsed
from gatepost.model.audience import Audience
from gatepost.model.errors import Conflict, InvalidInput
from gatepost.model.schema import Schema
from gatepost.model.times import Instant
from gatepost.operations.brake import Shift, check_shifts, shift_of
from gatepost.operations.context import Context, new_id
from gatepost.operations.filters import (
    checked_filter,
    checked_table,
    doubts_of,
    including,
    new_sources,
    resolved,
    stored_filter,
)
from gatepost.operations.lifetimes import NEVER, check_expiry, check_lifetimes
from gatepost.operations.members import Page, PageWish, ad_hoc_size, scan, sizes, validate
from gatepost.operations.records import audience_of, checked_name, current_schema, live_audiences
from gatepost.operations.slugs import checked_slug, free_slug, slug_of
from gatepost.ports.catalog import Duty
from gatepost.ports.store import Transaction

__all__ = [
    "MOST_AUDIENCES",
    "AudienceDraft",
    "Page",
    "PageWish",
    "ad_hoc_size",
    "audience_doubts",
    "check_room",
    "create_audience",
    "delete_audience",
    "dissolve_audiences",
    "evaluate_audience",
    "filter_doubts",
    "get_audience",
    "including_audiences",
    "list_audiences",
    "made_audience",
    "put_audience",
    "replace_audience",
    "resolved_filter",
    "scan",
    "shifts",
    "sizes",
    "store_audience",
    "store_changed",
    "update_audience",
    "upsert_by_alias",
    "validate",
]

MOST_AUDIENCES = 500
LONGEST_NAME = 64
"""As documented for Lytics."""


class AudienceDraft(msgspec.Struct, frozen=True):
    """An audience as a user wants it."""

    name: str
    filter: str
    slug: str = ""
    """Empty: made from the name, or kept as it is in an update."""
    description: str = ""
    is_public: bool = False
    tags: tuple[str, ...] = ()
    kind: str = "segment"
    table: str = "user"
    origin: str = ""
    expires: Instant = NEVER
    """Audience time at which members leave and it is deleted."""


async def create_audience(
    context: Context, account: int, draft: AudienceDraft, *, force: bool = False
) -> Audience:
    """Store an audience and evaluate it for every profile; with `force`, fields may still be unknown."""
    check_expiry(draft.expires, context.clock.audience(), "expires_at")
    now = context.clock.wall()
    made = await context.store.write(lambda tx: put_audience(tx, account, draft, now, force=force))
    context.wake_apply()
    return made


async def update_audience(
    context: Context,
    account: int,
    id_or_slug: str,
    draft: AudienceDraft,
    *,
    force: bool = False,
    confirm: bool = False,
) -> Audience:
    """Change an audience; members whom a new filter moves enter or leave like any others.

    Raise Conflict when they are many and there is no `confirm`; see `brake`.
    """
    now = context.clock.wall()
    if not confirm:
        check_shifts(await shifts(context, account, id_or_slug, draft.filter, force=force), context.brake)

    def work(tx: Transaction) -> Audience:
        old = audience_of(tx, account, id_or_slug)
        if draft.expires != old.expires:
            check_expiry(draft.expires, context.clock.audience(), "expires_at")
        return replace_audience(tx, account, old, draft, now, force=force)

    updated = await context.store.write(work)
    context.wake_apply()
    return updated


async def shifts(
    context: Context, account: int, id_or_slug: str, text: str, *, force: bool = False
) -> list[Shift]:
    """Return whom a new filter of an audience would move: in that one, and in those that include it."""

    def work(tx: Transaction) -> tuple[Audience, Schema, list[Audience]]:
        old = audience_of(tx, account, id_or_slug)
        schema, others = current_schema(tx, account), live_audiences(tx, account)
        new = msgspec.structs.replace(old, filter=stored_filter(text))
        after = [new if other.id == new.id else other for other in others]
        checked_filter(new.filter, schema, after, force=force)
        return old, schema, after

    old, schema, after = await context.store.read(work)
    new = next(audience for audience in after if audience.id == old.id)
    if new.filter == old.filter:
        return []
    moved = [new, *including(new, after)]
    return [await shift_of(context, audience, schema, after) for audience in moved]


async def upsert_by_alias(context: Context, account: int, text: str, *, confirm: bool = False) -> Audience:
    """Create the audience that a filter's ALIAS names, or give it this filter if it is there."""
    statement = parsed(text)
    if not statement.alias:
        msg = "the filter has no ALIAS, which names the audience; write FILTER ... ALIAS weekly_regulars"
        raise InvalidInput(msg)
    slug, now = checked_slug(statement.alias), context.clock.wall()
    if not confirm and any(one.slug == slug for one in await list_audiences(context, account)):
        check_shifts(await shifts(context, account, slug, text), context.brake)

    def work(tx: Transaction) -> Audience:
        known = next((one for one in live_audiences(tx, account) if one.slug == slug), None)
        if known is None:
            draft = AudienceDraft(
                slug, text, slug=slug, description=statement.description, table=statement.table
            )
            return put_audience(tx, account, draft, now)
        draft = AudienceDraft(
            known.name,
            text,
            description=statement.description or known.description,
            is_public=known.is_public,
            tags=known.tags,
            kind=known.kind,
            expires=known.expires,
        )
        return replace_audience(tx, account, known, draft, now)

    saved = await context.store.write(work)
    context.wake_apply()
    return saved


async def delete_audience(context: Context, account: int, ids: Sequence[str]) -> None:
    """Delete audiences by id or slug: their members leave, running jobs send the exits, then they are gone."""
    now = context.clock.wall()

    def work(tx: Transaction) -> None:
        named = {audience.id: audience for audience in (audience_of(tx, account, id_) for id_ in ids)}
        dissolve_audiences(tx, account, list(named.values()), now)

    await context.store.write(work)
    context.wake_apply()


async def list_audiences(context: Context, account: int) -> list[Audience]:
    """Return an account's audiences, oldest first."""
    return await context.store.read(lambda tx: live_audiences(tx, account))


async def get_audience(context: Context, account: int, id_or_slug: str) -> Audience:
    """Return one audience; those that are there by themselves can be read too."""
    return await context.store.read(lambda tx: _readable(tx, account, id_or_slug))


async def including_audiences(context: Context, account: int, id_or_slug: str) -> list[Audience]:
    """Return the audiences that include one, directly or by way of others."""

    def work(tx: Transaction) -> list[Audience]:
        return including(_readable(tx, account, id_or_slug), live_audiences(tx, account))

    return await context.store.read(work)


def _readable(tx: Transaction, account: int, id_or_slug: str) -> Audience:
    if id_or_slug in BUILTIN_AUDIENCES:
        rule = BUILTIN_AUDIENCES[id_or_slug]
        return Audience(
            number=0, id=id_or_slug, account=account, name=id_or_slug, slug=id_or_slug, filter=rule
        )
    return audience_of(tx, account, id_or_slug)


async def resolved_filter(context: Context, account: int, audience: Audience) -> str:
    """Return an audience's filter with the filters of those it includes in their places."""
    return resolved(audience.filter, await list_audiences(context, account))


async def audience_doubts(context: Context, audience: Audience) -> list[str]:
    """Return what an audience's filter says that is allowed and hardly meant, a sentence each."""
    return await filter_doubts(context, audience.account, audience.filter)


async def filter_doubts(context: Context, account: int, text: str) -> list[str]:
    """Return what a filter says that is allowed and hardly meant, a sentence each."""
    schema = await context.store.read(lambda tx: current_schema(tx, account))
    return doubts_of(text, schema)


def put_audience(
    tx: Transaction, account: int, draft: AudienceDraft, now: Instant, *, force: bool = False
) -> Audience:
    """Check and store a new audience inside a transaction."""
    others = live_audiences(tx, account)
    slug = checked_slug(draft.slug if draft.slug.strip() else slug_of(draft.name))
    free = free_slug(slug, {other.slug for other in others})
    named = msgspec.structs.replace(draft, name=checked_name(draft.name, "name", LONGEST_NAME), slug=free)
    audience = made_audience(tx, account, named, now)
    checked_filter(audience.filter, current_schema(tx, account), [*others, audience], force=force)
    check_lifetimes([*others, audience])
    check_room(len(others))
    return store_audience(tx, audience)


def replace_audience(
    tx: Transaction, account: int, old: Audience, draft: AudienceDraft, now: Instant, *, force: bool = False
) -> Audience:
    """Check and store a changed audience inside a transaction."""
    others = [other for other in live_audiences(tx, account) if other.id != old.id]
    slug = checked_slug(draft.slug) if draft.slug.strip() else old.slug
    if slug != old.slug:
        _check_rename(old, slug, others)
    new = msgspec.structs.replace(
        old,
        name=_renamed(old, draft.name),
        slug=slug,
        filter=stored_filter(draft.filter),
        description=draft.description,
        is_public=draft.is_public,
        tags=tuple(draft.tags),
        kind=draft.kind,
        table=checked_table(draft.table),
        expires=draft.expires,
        updated=now,
    )
    checked_filter(new.filter, current_schema(tx, account), [*others, new], force=force)
    check_lifetimes([*others, new])
    return store_changed(tx, old, new, others)


def check_room(stored: int) -> None:
    """Raise Conflict when an account has all the audiences it may have."""
    if stored >= MOST_AUDIENCES:
        msg = f"there are {stored} audiences already, and {MOST_AUDIENCES} are the most; delete one first"
        raise Conflict(msg)


def store_audience(tx: Transaction, audience: Audience) -> Audience:
    """Store a checked new audience, to be evaluated for everybody."""
    before = live_audiences(tx, audience.account)
    tx.catalog.put(audience.account, audience.id, audience)
    evaluate_audience(tx, audience, before, kind="fill")
    return audience


def store_changed(tx: Transaction, old: Audience, new: Audience, others: Sequence[Audience]) -> Audience:
    """Store a checked change; a new filter is evaluated for everybody, and so is every audience that includes it."""
    before = live_audiences(tx, new.account)
    tx.catalog.put(new.account, new.id, new)
    if new.filter != old.filter:
        for audience in (new, *including(new, others)):
            evaluate_audience(tx, audience, before)
    elif new.expires != old.expires:
        evaluate_audience(tx, new, before)
    return new


def evaluate_audience(
    tx: Transaction, audience: Audience, before: Sequence[Audience], *, kind: str = "evaluate"
) -> None:
    """Have apply evaluate an audience for every stored profile; `fill` for a new one's first members.

    `before` are the audiences as they were: windows that none of them kept are filled from the past first.
    """
    duty = Duty(
        account=audience.account,
        kind=kind,
        subject=audience.id,
        audience=audience.number,
        sources=new_sources(audience.filter, before),
    )
    tx.ledger.add_duty(duty)


def dissolve_audiences(tx: Transaction, account: int, audiences: Sequence[Audience], now: Instant) -> None:
    """Mark audiences as deleted inside a transaction; raise Conflict while others include them."""
    leaving = {audience.id for audience in audiences}
    staying = [other for other in live_audiences(tx, account) if other.id not in leaving]
    for audience in audiences:
        users = [other.slug for other in including(audience, staying, directly=True)]
        if users:
            msg = (
                f"the audience {audience.slug} is included by {', '.join(users)}; change or delete them first"
            )
            raise Conflict(msg)
    for audience in audiences:
        tx.catalog.put(account, audience.id, msgspec.structs.replace(audience, deleted=now, updated=now))
        duty = Duty(account=account, kind="dissolve", subject=audience.id, audience=audience.number)
        tx.ledger.add_duty(duty)


def made_audience(tx: Transaction, account: int, draft: AudienceDraft, now: Instant) -> Audience:
    """Return a new audience with a number of its own, not stored yet; its name and slug are as drafted."""
    return Audience(
        number=tx.catalog.number("audience"),
        id=new_id(),
        account=account,
        name=draft.name,
        slug=draft.slug,
        filter=stored_filter(draft.filter),
        description=draft.description,
        table=checked_table(draft.table),
        kind=draft.kind,
        is_public=draft.is_public,
        tags=tuple(draft.tags),
        origin=draft.origin,
        expires=draft.expires,
        created=now,
        updated=now,
    )


def _renamed(old: Audience, name: str) -> str:
    """Return an audience's name; one that was stored when longer names were taken stays."""
    return name if name == old.name else checked_name(name, "name", LONGEST_NAME)


def _check_rename(old: Audience, slug: str, others: Sequence[Audience]) -> None:
    if any(other.slug == slug for other in others):
        msg = f"Slug is already used: {slug}"
        raise InvalidInput(msg, path="slug")
    users = [other.slug for other in others if old.slug in included_names(other.filter)]
    if users:
        msg = f"{', '.join(users)} include {old.slug} by its slug; change them before renaming it"
        raise Conflict(msg)
