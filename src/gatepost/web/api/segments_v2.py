"""Audiences in the second generation of the API, which calls them segments."""

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from gatepost.core.builtins import BUILTIN_AUDIENCES
from gatepost.model.audience import Audience, AudienceSize
from gatepost.operations.audiences import (
    delete_audience,
    get_audience,
    including_audiences,
    list_audiences,
    resolved_filter,
    sizes,
)
from gatepost.operations.duties import evaluating, reevaluate
from gatepost.operations.exclusions import exclude
from gatepost.operations.members import builtin_size
from gatepost.web.api.audiences import (
    detailed,
    listed,
    save_change,
    save_new,
    shift_shown,
    shown,
    sized,
    told,
)
from gatepost.web.bodies import decoded
from gatepost.web.documentation import accepts, answers, empty_answer
from gatepost.web.envelopes import answer_v2, no_content
from gatepost.web.session import Body, Here

router = APIRouter(prefix="/v2/segment", tags=["audiences"])

_FILTER = 'FILTER AND (total_spent > 500, last_visit > "now-30d") FROM user'
_OBJECT = {
    "id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "name": "Loyal",
    "slug_name": "loyal",
    "segment_ql": _FILTER,
}
_REST = {"request_id": "9b1c", "status": 200}
_ONE = answers({"data": _OBJECT, **_REST})
_EXCLUDING = accepts({"id": "loyal", "identifiers": ["email=ada@example.com"]})
_EXCLUDED = answers({"data": {"id": _OBJECT["id"], "slug_name": "loyal", "profiles": ["0f1e2d"]}, **_REST})
_WISH = accepts({"name": "Loyal", "segment_ql": _FILTER, "slug_name": "loyal"})


class _Named(msgspec.Struct, frozen=True):
    """The audience that something is asked for."""

    id: str
    """Or its slug."""


class _Exclusion(msgspec.Struct, frozen=True):
    """Profiles that are to be kept out of an audience, or let in again."""

    id: str
    """The audience's, or its slug."""
    identifiers: tuple[str, ...]


@router.get("", responses=answers({"data": [_OBJECT], **_REST}))
async def segments(
    here: Here, table: str = "user", kind: str = "", valid: str = "true", sizes: bool = False
) -> Response:
    """List audiences, with the number of their members if wanted."""
    # Only valid audiences are ever stored.
    stored = [] if valid == "false" else await list_audiences(here.context, here.number)
    found = [one for one in stored if one.table == table and kind in {"", one.kind}]
    return answer_v2(here.id, await _shown(here, found, with_sizes=sizes))


@router.post("", responses=answers({"data": _OBJECT, **_REST, "status": 201}, 201), openapi_extra=_WISH)
async def create(here: Here, body: Body, force: bool = False, confirm: bool = False) -> Response:
    """Create an audience from JSON, or create or replace the one that a FilterQL text names by its ALIAS."""
    saved = await save_new(here, body, force=force, confirm=confirm)
    return answer_v2(here.id, await told(here, saved), status=201)


@router.post("/reevaluate", responses=_ONE, openapi_extra=accepts({"id": _OBJECT["id"]}))
async def evaluate_again(here: Here, body: Body) -> Response:
    """Look at everybody stored again, in the background; who is not where the rule says enters or leaves.

    `evaluating` tells which share is done, here and in `GET /v2/segment/{id}`, and is left out once all is.
    """
    found = await reevaluate(here.context, here.number, decoded(body, _Named).id)
    return answer_v2(here.id, {**shown(here, found), **await _evaluating(here, found)})


@router.post("/exclude/add", responses=_EXCLUDED, openapi_extra=_EXCLUDING)
async def keep_out(here: Here, body: Body) -> Response:
    """Keep single profiles out of an audience, whatever its rule says; members leave, and jobs send their exits.

    A profile is named as `field=value`, or by a value alone. It stays out through merges, until it is let in again.
    """
    return await _exclude(here, body, undo=False)


@router.post("/exclude/remove", responses=_EXCLUDED, openapi_extra=_EXCLUDING)
async def let_in(here: Here, body: Body) -> Response:
    """Let the rule decide again about profiles that were kept out of an audience by hand."""
    return await _exclude(here, body, undo=True)


@router.get("/{id_}", responses=_ONE)
async def segment(here: Here, id_: str, sizes: bool = False, inline: bool = False) -> Response:
    """Return one audience by id or slug; `inline` adds its filter with all includes expanded.

    While its rule is being evaluated for everybody stored, `evaluating` tells which share is done.
    """
    found = await get_audience(here.context, here.number, id_)
    answer = {**(await _shown(here, [found], with_sizes=sizes))[0], **detailed(here, found)}
    answer |= await _evaluating(here, found)
    if inline:
        answer["ql_resolved"] = await resolved_filter(here.context, here.number, found)
    return answer_v2(here.id, answer)


@router.get("/{id_}/ancestors", responses=answers({"data": [_OBJECT], **_REST}))
async def ancestors(here: Here, id_: str) -> Response:
    """List the audiences that include one, by way of others too."""
    found = await including_audiences(here.context, here.number, id_)
    return answer_v2(here.id, [shown(here, audience) for audience in found])


@router.put("/{id_}", responses=_ONE, openapi_extra=_WISH)
async def update(
    here: Here, body: Body, id_: str, force: bool = False, confirm: bool = False, dry_run: bool = False
) -> Response:
    """Change an audience; members whom a new filter moves enter or leave like any others.

    A change that moves many is refused without `confirm`; `dry_run` only tells whom it would move.
    """
    if dry_run:
        return answer_v2(here.id, await shift_shown(here, id_, body, force=force))
    saved = await save_change(here, id_, body, force=force, confirm=confirm)
    return answer_v2(here.id, await told(here, saved))


@router.delete("/{ids}", status_code=204, responses=empty_answer())
async def delete(here: Here, ids: str) -> Response:
    """Delete audiences by ids or slugs, separated by commas; members leave first."""
    await delete_audience(here.context, here.number, listed(ids))
    return no_content()


async def _exclude(here: Here, body: bytes, *, undo: bool) -> Response:
    wish = decoded(body, _Exclusion)
    found = await exclude(here.context, here.number, wish.id, wish.identifiers, undo=undo)
    answer = {"id": found.audience.id, "slug_name": found.audience.slug, "profiles": found.profiles}
    return answer_v2(here.id, answer)


async def _evaluating(here: Here, audience: Audience) -> dict[str, object]:
    share = await evaluating(here.context, audience)
    return {} if share is None else {"evaluating": share}


async def _shown(here: Here, audiences: list[Audience], *, with_sizes: bool) -> list[dict[str, object]]:
    if not with_sizes:
        return [shown(here, audience) for audience in audiences]
    counted = await sizes(here.context, here.number)
    for slug in BUILTIN_AUDIENCES.keys() & {audience.id for audience in audiences}:
        counted[slug] = AudienceSize(await builtin_size(here.context, here.number, slug))
    return [sized(here, audience, counted.get(audience.id)) for audience in audiences]
