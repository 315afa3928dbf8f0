"""Audiences in the first generation of the API, which calls them segments."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from gatepost.core.builtins import BUILTIN_AUDIENCES
from gatepost.model.audience import Audience
from gatepost.model.errors import FilterError, InvalidInput
from gatepost.model.times import to_rfc3339
from gatepost.operations.audiences import (
    PageWish,
    ad_hoc_size,
    delete_audience,
    filter_doubts,
    get_audience,
    list_audiences,
    scan,
    sizes,
    validate,
)
from gatepost.operations.members import builtin_size
from gatepost.operations.sizes import size_history
from gatepost.web.api.audiences import (
    detailed,
    listed,
    save_change,
    save_new,
    shift_shown,
    shown,
    sized,
)
from gatepost.web.bodies import text_of
from gatepost.web.documentation import TEXT, accepts, answers, empty_answer
from gatepost.web.envelopes import answer_v1, no_content
from gatepost.web.session import Body, Here

router = APIRouter(prefix="/api/segment", tags=["audiences"])

_FILTER = 'FILTER AND (total_spent > 500, last_visit > "now-30d") FROM user ALIAS loyal'
_OBJECT = {
    "id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "name": "Loyal",
    "slug_name": "loyal",
    "segment_ql": _FILTER,
}
_SUCCESS = {"status": 200, "message": "success"}
_ONE = answers({"data": _OBJECT, **_SUCCESS})
_MADE = answers({"data": _OBJECT, "status": 201, "message": "success"}, 201)
_SIZE = {"id": "", "name": "", "slug_name": "", "size": 42}
_PAGE = answers({"data": [{"email": "ada@example.com"}], **_SUCCESS, "_next": "", "total": 1})
_HOUR = {"ts": "2026-01-02T03:00:00Z", "value": 42, "entered": 3, "left": 1}
_HISTORY = answers({"data": {"id": _OBJECT["id"], "slug_name": "loyal", "metrics": [_HOUR]}, **_SUCCESS})
_WISH = accepts({"name": "Loyal", "segment_ql": _FILTER, "slug_name": "loyal"})
_TEXT = accepts(_FILTER, TEXT)

_LARGEST_PAGE = 100
_ORDERS = ("asc", "desc")


class _Page(BaseModel):
    """Which part of a list of members is wanted."""

    start: str = ""
    limit: int = 10
    fields: str = ""
    sortfield: str = ""
    sortorder: str = "asc"
    segments: bool = False
    meta: bool = False


@router.get("", responses=answers({"data": [_OBJECT], **_SUCCESS}))
async def segments(here: Here, table: str = "user", valid: str = "true") -> Response:
    """List audiences."""
    # Only valid audiences are ever stored.
    found = [] if valid == "false" else await list_audiences(here.context, here.number)
    return answer_v1([shown(here, audience) for audience in found if audience.table == table])


@router.post("", responses=_MADE, openapi_extra=_WISH)
async def create(here: Here, body: Body, force: bool = False, confirm: bool = False) -> Response:
    """Create an audience from JSON, or create or replace the one that a FilterQL text names by its ALIAS."""
    return answer_v1(detailed(here, await save_new(here, body, force=force, confirm=confirm)), status=201)


@router.delete("", status_code=204, responses=empty_answer())
async def delete_several(here: Here, ids: str) -> Response:
    """Delete audiences by ids or slugs, separated by commas; members leave first."""
    await delete_audience(here.context, here.number, listed(ids))
    return no_content()


@router.post("/validate", responses=answers({"data": None, **_SUCCESS}), openapi_extra=_TEXT)
async def check(_here: Here, body: Body) -> Response:
    """Check the syntax of a FilterQL text; fields are not looked at."""
    try:
        validate(text_of(body))
    except FilterError as error:
        raise FilterError(
            f"Failed parsing segment QL: {error.message}",
            line=error.line,
            column=error.column,
            excerpt=error.excerpt,
            hint=error.hint,
        ) from error
    return answer_v1(None)


@router.post("/size", responses=answers({"data": _SIZE, **_SUCCESS}), openapi_extra=_TEXT)
async def size_of_text(here: Here, body: Body) -> Response:
    """Count the profiles that a FilterQL text matches now.

    Windows that no audience keeps are filled from the past for some profiles, which stand for all; then it is
    `estimated`. `warnings` say what the text hardly means.
    """
    text = text_of(body)
    size = await ad_hoc_size(here.context, here.number, text)
    more: dict[str, Any] = {"estimated": True} if size.estimated else {}
    if warnings := await filter_doubts(here.context, here.number, text):
        more["warnings"] = warnings
    return answer_v1({"id": "", "name": "", "slug_name": "", "size": size.size, **more})


@router.get("/sizes", responses=answers({"data": [_SIZE], **_SUCCESS}))
async def all_sizes(here: Here, ids: str = "") -> Response:
    """Tell how many are in each audience, or in those named by `ids`."""
    wanted = set(listed(ids))
    found = await list_audiences(here.context, here.number)
    chosen = [audience for audience in found if not wanted or wanted & {audience.id, audience.slug}]
    builtin = [await _builtin_size(here, slug) for slug in BUILTIN_AUDIENCES if slug in wanted]
    return answer_v1([*await _sizes(here, chosen), *builtin])


@router.post("/scan", responses=_PAGE, openapi_extra=_TEXT)
async def scan_text(here: Here, body: Body, page: Annotated[_Page, Query()]) -> Response:
    """List the profiles that a FilterQL text matches now, page by page."""
    return await _scanned(here, text_of(body), page)


@router.get("/{id_}", responses=_ONE)
async def segment(here: Here, id_: str) -> Response:
    """Return one audience by id or slug."""
    return answer_v1(detailed(here, await get_audience(here.context, here.number, id_)))


@router.put("/{id_}", responses=_ONE, openapi_extra=_WISH)
async def update(
    here: Here, body: Body, id_: str, force: bool = False, confirm: bool = False, dry_run: bool = False
) -> Response:
    """Change an audience; members whom a new filter moves enter or leave like any others.

    A change that moves many is refused without `confirm`; `dry_run` only tells whom it would move.
    """
    if dry_run:
        return answer_v1(await shift_shown(here, id_, body, force=force))
    return answer_v1(detailed(here, await save_change(here, id_, body, force=force, confirm=confirm)))


@router.delete("/{id_}", status_code=204, responses=empty_answer())
async def delete(here: Here, id_: str) -> Response:
    """Delete an audience; its members leave first, and running jobs send the exits."""
    await delete_audience(here.context, here.number, [id_])
    return no_content()


@router.get("/{id_}/size", responses=answers({"data": _SIZE, **_SUCCESS}))
async def size(here: Here, id_: str) -> Response:
    """Tell how many are in an audience."""
    if id_ in BUILTIN_AUDIENCES:
        return answer_v1(await _builtin_size(here, id_))
    found = await get_audience(here.context, here.number, id_)
    return answer_v1((await _sizes(here, [found]))[0])


@router.get("/{id_}/attribution", responses=_HISTORY)
async def attribution(here: Here, id_: str, limit: int = 168) -> Response:
    """Tell an audience's size in each of the last hours, oldest first; `ts` is when the hour began."""
    found = await size_history(here.context, here.number, id_, limit)
    metrics = [
        {"ts": to_rfc3339(hour.at), "value": hour.size, "entered": hour.entered, "left": hour.left}
        for hour in found.hours
    ]
    return answer_v1({"id": found.audience.id, "slug_name": found.audience.slug, "metrics": metrics})


@router.get("/{id_}/scan", responses=_PAGE)
@router.post("/{id_}/scan", responses=_PAGE)
async def members(here: Here, id_: str, page: Annotated[_Page, Query()]) -> Response:
    """List the members of an audience, page by page: go on with `start` set to the `_next` of the page before.

    One can go on for 10 minutes. `sortfield` puts up to 10,000 members in order, those without the field last;
    more are refused. `segments` and `meta` add what the entity API adds.
    """
    found = id_ if id_ in BUILTIN_AUDIENCES else (await get_audience(here.context, here.number, id_)).id
    return await _scanned(here, found, page)


async def _scanned(here: Here, which: str, page: _Page) -> Response:
    if not 0 < page.limit <= _LARGEST_PAGE:
        msg = f"limit is {page.limit}; a page has 1 to {_LARGEST_PAGE} members"
        raise InvalidInput(msg, path="limit")
    if page.sortorder not in _ORDERS:
        msg = f"sortorder is {page.sortorder!r}; write asc or desc"
        raise InvalidInput(msg, path="sortorder")
    wish = PageWish(
        start=page.start,
        limit=page.limit,
        fields=listed(page.fields),
        sort=page.sortfield,
        descending=page.sortorder == "desc",
        segments=page.segments,
        meta=page.meta,
    )
    found = await scan(here.context, here.number, which, wish)
    more: dict[str, Any] = {"estimated": True} if found.estimated else {}
    return answer_v1(found.entities, _next=found.next, total=found.total, **more)


async def _builtin_size(here: Here, slug: str) -> dict[str, object]:
    size = await builtin_size(here.context, here.number, slug)
    return {"id": "", "name": slug, "slug_name": slug, "size": size}


async def _sizes(here: Here, audiences: list[Audience]) -> list[dict[str, object]]:
    counted = await sizes(here.context, here.number)
    whole = [sized(here, audience, counted.get(audience.id)) for audience in audiences]
    return [{name: audience[name] for name in _SIZE} for audience in whole]
