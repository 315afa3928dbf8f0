"""Authorizations: credentials that come in and are never shown; access tokens are listed beside them."""

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from gatepost.model.catalog import Authorization
from gatepost.model.errors import NotFound
from gatepost.model.times import to_rfc3339
from gatepost.operations.authorizations import (
    AuthorizationDraft,
    create_authorization,
    delete_authorization,
    get_authorization,
    list_authorizations,
    update_authorization,
)
from gatepost.operations.jobs import list_destinations
from gatepost.operations.tokens import list_tokens, revoke_token
from gatepost.web.api.tokens import shown_token
from gatepost.web.bodies import decoded
from gatepost.web.documentation import accepts, answers, empty_answer
from gatepost.web.envelopes import answer_v2, no_content
from gatepost.web.session import Body, Here, Session

router = APIRouter(prefix="/v2/auth", tags=["authorizations"])

_TOKENS = frozenset({"api_token", "lytics-auth-token"})
_OBJECT = {
    "id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "label": "Insider",
    "type": "header_param_auth",
    "status": "unknown",
    "unhealthy": False,
}
_REST = {"request_id": "9b1c", "status": 200}
_ONE = answers({"data": _OBJECT, **_REST})
_WISH = accepts(
    {"label": "Insider", "config": {"webhook_request_headers": "X-PARTNER-NAME: shop\nX-REQUEST-TOKEN: ..."}}
)


class _Wish(msgspec.Struct, frozen=True, kw_only=True):
    label: str
    config: dict[str, Any] = {}
    description: str = ""
    provider_slug: str = "webhooks"


@router.get("", responses=answers({"data": [_OBJECT], **_REST}))
async def authorizations(here: Here, auth_type: str = "") -> Response:
    """List authorizations, or with `auth_type=api_token` the access tokens."""
    if auth_type in _TOKENS:
        return answer_v2(
            here.id, [shown_token(here, token) for token in await list_tokens(here.context, here.number)]
        )
    found = await list_authorizations(here.context, here.number)
    stopped = await _stopped(here)
    return answer_v2(here.id, [_shown(here, one, stopped) for one in found if auth_type in {"", one.type}])


@router.get("/{id_}", responses=_ONE)
@router.get("/{type_}/{id_}", responses=_ONE)
async def authorization(here: Here, id_: str, type_: str = "") -> Response:
    """Return one authorization, without its configuration."""
    del type_
    found = await get_authorization(here.context, here.number, id_)
    return answer_v2(here.id, _shown(here, found, await _stopped(here)))


@router.post(
    "/{type_}", responses=answers({"data": _OBJECT, **_REST, "status": 201}, 201), openapi_extra=_WISH
)
async def create(here: Here, body: Body, type_: str) -> Response:
    """Store credentials, sealed; the type may be spelled as in `header-param-auth` or `header_param_auth`."""
    made = await create_authorization(here.context, here.number, _draft(body, type_))
    return answer_v2(here.id, _shown(here, made, {}), status=201)


@router.put("/{type_}/{id_}", responses=_ONE, openapi_extra=_WISH)
async def update(here: Here, body: Body, type_: str, id_: str) -> Response:
    """Change an authorization; without `config` the stored credentials stay, and better ones free what waited."""
    old = await get_authorization(here.context, here.number, id_)
    draft = msgspec.structs.replace(_draft(body, type_), origin=old.origin)
    updated = await update_authorization(here.context, here.number, id_, draft)
    return answer_v2(here.id, _shown(here, updated, await _stopped(here)))


@router.delete("/{id_}", status_code=204, responses=empty_answer())
async def delete(here: Here, id_: str) -> Response:
    """Delete an authorization that no job uses, or revoke an access token at once."""
    try:
        await revoke_token(here.context, here.number, id_)
    except NotFound:
        await delete_authorization(here.context, here.number, id_)
    return no_content()


def _draft(body: bytes, type_: str) -> AuthorizationDraft:
    wish = decoded(body, _Wish)
    return AuthorizationDraft(wish.label, type_, wish.provider_slug, wish.description, wish.config)


async def _stopped(here: Session) -> dict[str, str]:
    """Return why nothing is sent with an authorization, by its id."""
    destinations = await list_destinations(here.context, here.number)
    return {one.authorization: one.stopped for one in destinations.values() if one.stopped}


def _shown(here: Session, authorization: Authorization, stopped: Mapping[str, str]) -> dict[str, Any]:
    reason = stopped.get(authorization.id, "")
    return {
        "id": authorization.id,
        "account_id": here.account.id,
        "label": authorization.label,
        "description": authorization.description,
        "type": authorization.type,
        "provider_slug": authorization.provider,
        "status": "unhealthy" if reason else "unknown",
        "unhealthy": bool(reason),
        "status_reason": reason,
        "created": to_rfc3339(authorization.created),
        "updated": to_rfc3339(authorization.updated),
    }
