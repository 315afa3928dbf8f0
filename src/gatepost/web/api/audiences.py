"""What both generations of the audience API share: reading a wish, showing an audience."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from gatepost.core.plans import parsed
from gatepost.model.audience import Audience, AudienceSize
from gatepost.model.errors import FilterError, InvalidInput
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import to_rfc3339
from gatepost.operations.audiences import (
    AudienceDraft,
    audience_doubts,
    create_audience,
    get_audience,
    shifts,
    update_audience,
    upsert_by_alias,
)
from gatepost.operations.filters import UnknownField, facts_of, filter_of, tree_of
from gatepost.operations.lifetimes import expiry_of
from gatepost.web.bodies import decoded, text_of
from gatepost.web.session import Session


class _Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An audience as JSON; in a change, what is left out stays as it is."""

    name: str | None = None
    segment_ql: str | None = None
    """Wins over `ast`, for who reads an audience and writes it back changed sends both."""
    ast: JsonValue = None
    slug_name: str = ""
    description: str | None = None
    is_public: bool | None = None
    tags: tuple[str, ...] | None = None
    kind: str | None = None
    table: str | None = None
    expires_at: str | None = None
    """A time, or empty for never."""

    @property
    def filter(self) -> str | None:
        """The filter's text, whichever way it was given."""
        if self.segment_ql is not None or self.ast is None:
            return self.segment_ql
        return filter_of(self.ast)


async def save_new(here: Session, body: bytes, *, force: bool, confirm: bool) -> Audience:
    """Create an audience from JSON, or create or replace the one that a FilterQL text names by its ALIAS."""
    if not _is_json(body):
        with _worded():
            return await upsert_by_alias(here.context, here.number, text_of(body), confirm=confirm)
    wish = decoded(body, _Wish)
    text = wish.filter
    if not text:
        msg = (
            "segment_ql is missing; it (or ast, as a tree) holds the filter, such as FILTER total_spent > 500"
        )
        raise InvalidInput(msg, path="segment_ql")
    draft = AudienceDraft(
        wish.name or wish.slug_name,
        text,
        slug=wish.slug_name,
        description=wish.description or "",
        is_public=bool(wish.is_public),
        tags=wish.tags or (),
        kind=wish.kind or "segment",
        table=wish.table or "user",
        expires=expiry_of(wish.expires_at or "", "expires_at"),
    )
    with _worded():
        return await create_audience(here.context, here.number, draft, force=force)


async def save_change(here: Session, id_or_slug: str, body: bytes, *, force: bool, confirm: bool) -> Audience:
    """Change an audience by JSON, or give it the filter of a FilterQL text."""
    old, draft = await _change(here, id_or_slug, body)
    with _worded():
        return await update_audience(here.context, here.number, old.id, draft, force=force, confirm=confirm)


async def shift_shown(here: Session, id_or_slug: str, body: bytes, *, force: bool) -> dict[str, Any]:
    """Return whom a change would move, and whether that wants a confirmation; nothing is stored."""
    old, draft = await _change(here, id_or_slug, body)
    with _worded():
        found = await shifts(here.context, here.number, old.id, draft.filter, force=force)
    return {
        "dry_run": True,
        "shifts": found,
        "needs_confirmation": any(shift.exceeds(here.context.brake) for shift in found),
    }


async def _change(here: Session, id_or_slug: str, body: bytes) -> tuple[Audience, AudienceDraft]:
    old = await get_audience(here.context, here.number, id_or_slug)
    wish = decoded(body, _Wish) if _is_json(body) else _Wish(segment_ql=text_of(body))
    text = wish.filter
    # As in Lytics, an ALIAS that differs renames.
    alias = parsed(text).alias if text is not None else ""
    draft = AudienceDraft(
        old.name if wish.name is None else wish.name,
        old.filter if text is None else text,
        slug=wish.slug_name or alias,
        description=old.description if wish.description is None else wish.description,
        is_public=old.is_public if wish.is_public is None else wish.is_public,
        tags=old.tags if wish.tags is None else wish.tags,
        kind=wish.kind or old.kind,
        table=wish.table or old.table,
        origin=old.origin,
        expires=old.expires if wish.expires_at is None else expiry_of(wish.expires_at, "expires_at"),
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
        "expires_at": to_rfc3339(audience.expires) if audience.expires else None,
        "created": to_rfc3339(audience.created),
        "updated": to_rfc3339(audience.updated),
    }


def detailed(here: Session, audience: Audience) -> dict[str, Any]:
    """Return an audience with its filter as a tree too; lists do without, for that would take them long."""
    facts = facts_of(audience.filter)
    return {
        **shown(here, audience),
        "ast": tree_of(audience.filter),
        "fields": facts.fields,
        "includes": facts.includes,
        "datemath_calc": facts.leans_on_now,
        "forward_datemath": facts.looks_ahead,
    }


async def told(here: Session, audience: Audience) -> dict[str, Any]:
    """Return a saved audience, with `warnings` of what its filter hardly means when there are any."""
    warnings = await audience_doubts(here.context, audience)
    return {**detailed(here, audience), **({"warnings": warnings} if warnings else {})}


def sized(here: Session, audience: Audience, size: AudienceSize | None) -> dict[str, Any]:
    """Return an audience with the number of its members."""
    return {**shown(here, audience), "size": size.size if size else 0}


def listed(ids: str) -> list[str]:
    """Return the members of a comma list."""
    return [part.strip() for part in ids.split(",") if part.strip()]


@contextmanager
def _worded() -> Iterator[None]:
    """Say of an unknown field what clients of Lytics look for, and then which one it is."""
    try:
        yield
    except UnknownField as error:
        raise FilterError(
            f"segment fields were invalid against existing schema for table user: {error.message}",
            line=error.line,
            column=error.column,
            excerpt=error.excerpt,
            hint=error.hint,
        ) from error


def _is_json(body: bytes) -> bool:
    # Clients send either with any content type; a filter never begins with a brace.
    return body.lstrip()[:1] == b"{"
