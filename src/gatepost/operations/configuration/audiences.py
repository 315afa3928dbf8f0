"""The audiences of a document."""

from functools import partial

import msgspec

from gatepost.core.plans import included_names
from gatepost.model.audience import Audience
from gatepost.model.errors import FilterError, UserError
from gatepost.model.schema import Schema
from gatepost.operations.audiences import (
    LONGEST_NAME,
    AudienceDraft,
    check_room,
    dissolve_audiences,
    made_audience,
)
from gatepost.operations.configuration.declaration import Declaration, DeclaredAudience
from gatepost.operations.configuration.schemas import changed_fields
from gatepost.operations.configuration.state import ORIGIN, Draft, Moment, Shifting, State, differences, own
from gatepost.operations.filters import checked_filter, doubts_of, including, stored_filter
from gatepost.operations.lifetimes import check_expiry, check_lifetimes, expiry_of
from gatepost.operations.records import checked_name
from gatepost.operations.slugs import checked_slug


def plan_audiences(
    declaration: Declaration, state: State, schema: Schema, draft: Draft, *, prune: bool
) -> list[Audience]:
    """Plan a document's audiences; return those there will be, new ones with an empty id."""
    declared = _wanted(declaration, draft)
    known = {audience.slug: audience for audience in state.audiences}
    gone = own(state.audiences, set(declared), lambda audience: audience.slug) if prune else []
    leaving = {audience.id for audience in gone}
    after = {slug: audience for slug, audience in known.items() if audience.id not in leaving}
    after |= {slug: _changed(known.get(slug), one) for slug, one in declared.items()}
    _check(declared, state, schema, list(after.values()), draft)
    with draft.problems.at("audiences"):
        check_room(len(after) - 1)
        check_lifetimes(after.values())
    _check_expiries(known, after, draft)
    for slug, one in declared.items():
        _plan_one(known.get(slug), after[slug], one, draft)
        _doubt(known.get(slug), after[slug], schema, draft)
    _plan_evaluations(state, schema, after, draft)
    if gone and not draft.problems.found:
        _plan_farewells(gone, list(after.values()), draft)
    return list(after.values())


def _wanted(declaration: Declaration, draft: Draft) -> dict[str, AudienceDraft]:
    wanted = {}
    for key, one in declaration.audiences.items():
        with draft.problems.at(f"audiences.{key}"):
            slug = checked_slug(key)
            wanted[slug] = _draft(slug, one)
    return wanted


def _draft(slug: str, declared: DeclaredAudience) -> AudienceDraft:
    return AudienceDraft(
        name=checked_name(declared.name or slug, "name", LONGEST_NAME),
        filter=_kept_form(declared.filter),
        slug=slug,
        description=declared.description,
        is_public=declared.public,
        tags=declared.tags,
        origin=ORIGIN,
        expires=expiry_of(declared.expires, "expires"),
    )


def _kept_form(text: str) -> str:
    try:
        return stored_filter(text)
    except FilterError:
        # Said with its place once all audiences are known.
        return text


def _changed(old: Audience | None, wanted: AudienceDraft) -> Audience:
    """Return an audience as the document wants it; a new one has neither number nor id yet."""
    base = old or Audience(number=0, id="", account=0, name="", slug=wanted.slug, filter="", origin=ORIGIN)
    return msgspec.structs.replace(
        base,
        name=wanted.name,
        filter=wanted.filter,
        description=wanted.description,
        is_public=wanted.is_public,
        tags=wanted.tags,
        expires=wanted.expires,
    )


def _check(
    declared: dict[str, AudienceDraft], state: State, schema: Schema, after: list[Audience], draft: Draft
) -> None:
    for audience in after:
        if audience.slug in declared:
            with draft.problems.at(f"audiences.{audience.slug}.filter"):
                checked_filter(audience.filter, schema, after)
        elif schema is not state.schema:
            with draft.problems.at(f"schema (read by the audience {audience.slug}, not in the document)"):
                checked_filter(audience.filter, schema, after)


def _check_expiries(known: dict[str, Audience], after: dict[str, Audience], draft: Draft) -> None:
    for slug, audience in after.items():
        old = known.get(slug)
        if old is None or old.expires != audience.expires:
            with draft.problems.at(f"audiences.{slug}"):
                check_expiry(audience.expires, draft.now, "expires")


def _plan_one(old: Audience | None, new: Audience, wanted: AudienceDraft, draft: Draft) -> None:
    if old is None:
        draft.change("create", "audience", new.slug)
        draft.do(partial(_create, wanted))
        return
    details = differences(
        {
            "name": (old.name, new.name),
            "filter": (old.filter, new.filter),
            "description": (old.description, new.description),
            "public": (old.is_public, new.is_public),
            "tags": (old.tags, new.tags),
            "expires": (old.expires, new.expires),
        }
    )
    draft.change("update" if details else "unchanged", "audience", new.slug, details)
    if details:
        draft.do(partial(_store, new))


def _doubt(old: Audience | None, new: Audience, schema: Schema, draft: Draft) -> None:
    """Warn of what a new text hardly means; a person who left it so once is not told again."""
    if draft.problems.found or (old is not None and old.filter == new.filter):
        return
    draft.warnings += [f"audience {new.slug}: {doubt}" for doubt in doubts_of(new.filter, schema)]


def _create(wanted: AudienceDraft, moment: Moment) -> None:
    audience = made_audience(moment.tx, moment.account, wanted, moment.now)
    moment.tx.catalog.put(moment.account, audience.id, audience)
    moment.evaluate[audience.id] = audience


def _store(new: Audience, moment: Moment) -> None:
    stored = msgspec.structs.replace(new, updated=moment.now)
    moment.tx.catalog.put(moment.account, stored.id, stored)


def _plan_evaluations(state: State, schema: Schema, after: dict[str, Audience], draft: Draft) -> None:
    """Plan the evaluation of stored audiences whose answer may differ: by their text, includes or fields' types."""
    if draft.problems.found:
        return
    affected: dict[str, Audience] = {}
    for old in state.audiences:
        new = after.get(old.slug)
        if new is not None and new.filter != old.filter:
            affected |= {one.id: one for one in (new, *including(new, after.values())) if one.id}
        elif new is not None and new.expires != old.expires:
            affected[new.id] = new
    if schema is not state.schema and (fields := changed_fields(state.schema, schema)):
        others = list(after.values())
        readers = (one for one in others if one.id and _reads(one, schema, others, fields))
        affected |= {one.id: one for one in readers}
    if affected:
        draft.shifting = Shifting(list(affected.values()), schema, list(after.values()))
        draft.do(lambda moment: moment.evaluate.update(affected))


def _reads(audience: Audience, schema: Schema, others: list[Audience], fields: set[str]) -> bool:
    if not included_names(audience.filter) and not any(field in audience.filter for field in fields):
        return False
    try:
        return not checked_filter(audience.filter, schema, others).reads.isdisjoint(fields)
    except UserError:
        return True


def _plan_farewells(gone: list[Audience], staying: list[Audience], draft: Draft) -> None:
    for audience in gone:
        users = [other.slug for other in including(audience, staying, directly=True)]
        if users:
            msg = f"{', '.join(users)} include it, so it cannot go away; change them too"
            draft.problems.add(f"audiences.{audience.slug}", msg)
        risk = f"the audience {audience.slug} goes away; its members leave it, and jobs send their exits"
        draft.remove("audience", audience.slug, risk)
    draft.part(partial(_dissolve, gone))


def _dissolve(gone: list[Audience], moment: Moment) -> None:
    dissolve_audiences(moment.tx, moment.account, gone, moment.now)
