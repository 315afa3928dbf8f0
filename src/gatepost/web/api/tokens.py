"""Access tokens: made here, listed and revoked among the authorizations, as Lytics has it."""

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from gatepost.model.catalog import Scope, Token
from gatepost.model.errors import InvalidInput
from gatepost.model.times import parse_duration, to_rfc3339
from gatepost.operations.tokens import create_token, list_tokens
from gatepost.web.bodies import decoded
from gatepost.web.documentation import accepts, answers
from gatepost.web.envelopes import answer_v1
from gatepost.web.session import Body, Here, Session

router = APIRouter(prefix="/api/auth", tags=["authorizations"])

NEVER = "0001-01-01T00:00:00Z"
"""How Lytics writes that a token does not expire."""

_TOKEN = {
    "id": "5f0d1c6e2b7a4c3d8e9f001122334455",
    "label": "shop",
    "type": "lytics-auth-token",
    "scopes": ["data"],
}
_MADE = {**_TOKEN, "config": [{"name": "api_key", "value": "at.5f0d.8c1e"}]}


class _Wish(msgspec.Struct, frozen=True):
    scopes: list[str]
    label: str = ""
    description: str = ""
    name: str = ""
    expires: str = ""


@router.post(
    "/createtoken",
    responses=answers({"data": _MADE, "status": 200, "message": "success"}),
    openapi_extra=accepts({"scopes": ["data"], "label": "shop", "expires": "720h"}),
)
async def create(here: Here, body: Body) -> Response:
    """Make an access token; its value is shown this once."""
    wish = decoded(body, _Wish)
    label = wish.label or wish.description or wish.name
    if not label:
        msg = "label is missing; say what the token is for"
        raise InvalidInput(msg, path="label")
    scope, lifetime = _scope(wish.scopes), _lifetime(wish.expires)
    token, text = await create_token(here.context, here.number, label, scope, lifetime)
    return answer_v1({**shown_token(here, token), "config": [{"name": "api_key", "value": text}]})


@router.get("", responses=answers({"data": [_TOKEN], "status": 200, "message": "success"}))
async def tokens(here: Here, auth_type: str = "api_token") -> Response:
    """List access tokens, without their values."""
    found = await list_tokens(here.context, here.number) if auth_type == "api_token" else []
    return answer_v1([shown_token(here, token) for token in found])


def shown_token(here: Session, token: Token) -> dict[str, Any]:
    """Return an access token as Lytics shows it among authorizations."""
    return {
        "id": token.id,
        "account_id": here.account.id,
        "label": token.label,
        "description": "",
        "type": "lytics-auth-token",
        "provider_slug": "lytics",
        "status": "healthy",
        "unhealthy": False,
        "scopes": [token.scope.value],
        "ttl": max(0, token.expires - token.created) // 1000,
        "expires": to_rfc3339(token.expires) if token.expires else NEVER,
        "internal": False,
        "created": to_rfc3339(token.created),
        "updated": to_rfc3339(token.created),
    }


def _scope(names: list[str]) -> Scope:
    """Return the widest of the scopes asked for."""
    known = [scope.value for scope in Scope]
    unknown = ", ".join(f'"{name[:40]}"' for name in names if name not in known)
    if unknown or not names:
        msg = f"Unknown roles {unknown}; the scopes are {', '.join(known)}" if names else "scopes is empty"
        raise InvalidInput(msg, path="scopes")
    return Scope(max(names, key=known.index))


def _lifetime(text: str) -> int:
    try:
        return parse_duration(text) if text else 0
    except ValueError as error:
        msg = f"expires: {error}"
        raise InvalidInput(msg, path="expires") from None
