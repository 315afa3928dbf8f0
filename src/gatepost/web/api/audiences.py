"""What both generations of the audience API share: reading a wish, showing an audience."""

from typing import Any

import msgspec

from gatepost.model.audience import Audience, AudienceSize
from gatepost.model.errors import InvalidInput
from gatepost.model.times import to_rfc3339
from gatepost.operations.audiences import (
    AudienceDraft,
    create_audience,
    get_audience,
    shifts,
    update_audience,
    upsert_by_alias,
)
from gatepost.web.bodies import decoded, text_of
from gatepost.web.session import Session


class _Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An audience as JSON; in a change, what is left out stays as it is."""

    name: str | None = None
    segment_ql: str | None = None
    slug_name: str = ""
    description: str | None = None
    is_public: bool | None = None
    tags: tuple[str, ...] | None = None
    kind: str | None = None
    table: str | None = None


async def save_new(here: Session, body: bytes, *, force: bool, confirm: bool) -> Audience:
    """Create an audience from JSON, or create or replace the one that a FilterQL text names by its ALIAS."""
    if not _is_json(body):
        return await upsert_by_alias(here.context, here.number, text_of(body), confirm=confirm)
    wish = decoded(body, _Wish)
    if not wish.segment_ql:
        msg = "segment_ql is missing; it holds the filter, such as FILTER total_spent > 500 FROM user"
        raise InvalidInput(msg, path="segment_ql")
    draft = AudienceDraft(
        wish.name or wish.slug_name,
        wish.segment_ql,
        slug=wish.slug_name,
        description=wish.description or "",
        is_public=bool(wish.is_public),
        tags=wish.tags or (),
        kind=wish.kind or "segment",
        table=wish.table or "user",
    )
    return await create_audience(here.context, here.number, draft, force=force)


async def save_change(here: Session, id_or_slug: str, body: bytes, *, force: bool, confirm: bool) -> Audience:
    """Change an audience by JSON, or give it the filter of a FilterQL text."""
    old, draft = await _change(here, id_or_slug, body)
    return await update_audience(here.context, here.number, old.id, draft, force=force, confirm=confirm)


async def shift_shown(here: Session, id_or_slug: str, body: bytes, *, force: bool) -> dict[str, Any]:
    """Return whom a change would move, and whether that wants a confirmation; nothing is stored."""
    old, draft = await _change(here, id_or_slug, body)
    found = await shifts(here.context, here.number, old.id, draft.filter, force=force)
    return {
        "dry_run": True,
        "shifts": found,
        "needs_confirmation": any(shift.exceeds(here.context.brake) for shift in found),
    }


async def _change(here: Session, id_or_slug: str, body: bytes) -> tuple[Audience, AudienceDraft]:
    old = await get_audience(here.context, here.number, id_or_slug)
    wish = decoded(body, _Wish) if _is_json(body) else _Wish(segment_ql=text_of(body))
    draft = AudienceDraft(
        old.name if wish.name is None else wish.name,
        old.filter if wish.segment_ql is None else wish.segment_ql,
        slug=wish.slug_name,
        description=old.description if wish.description is None else wish.description,
        is_public=old.is_public if wish.is_public is None else wish.is_public,
        tags=old.tags if wish.tags is None else wish.tags,
        kind=wish.kind or old.kind,
        table=wish.table or old.table,
        origin=old.origin,
    )
    return old, draft


def shown(here: Session, audience: Audience) -> dict[str, Any]:
    """Return an audience as Lytics shows a segment."""
    return {
        "id": audience.id,
        "aid": audience.account,
        "account_id": here.account.id,
        "author_id": "",
        "name": audience.name,
        "slug_name": audience.slug,
        "description": audience.description,
        "kind": audience.kind,
        "table": audience.table,
        "segment_ql": audience.filter,
        "is_public": audience.is_public,
        "tags": audience.tags,
        "category": "",
        "invalid": False,
        "invalid_reason": "",
        "created": to_rfc3339(audience.created),
        "updated": to_rfc3339(audience.updated),
    }


def sized(here: Session, audience: Audience, size: AudienceSize | None) -> dict[str, Any]:
    """Return an audience with the number of its members."""
    return {**shown(here, audience), "size": size.size if size else 0}


def listed(ids: str) -> list[str]:
    """Return the members of a comma list."""
    return [part.strip() for part in ids.split(",") if part.strip()]


def _is_json(body: bytes) -> bool:
    # Clients send either with any content type; a filter never begins with a brace.
    return body.lstrip()[:1] == b"{"
