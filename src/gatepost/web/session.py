"""What a handler gets: the running gatepost, who asks, and the body."""

from typing import Annotated

import msgspec
from fastapi import Depends, Request

from gatepost.app import App
from gatepost.model.catalog import Account, Author, Token
from gatepost.operations.context import Context
from gatepost.web.access import CALLER
from gatepost.web.bodies import read_body
from gatepost.web.problems import REQUEST_ID


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One admitted request."""

    app: App
    account: Account
    token: Token
    id: str
    """The request's own id, told in the answer."""

    @property
    def context(self) -> Context:
        """What operations work with."""
        asker = Author(self.token.id, self.token.label)
        return msgspec.structs.replace(self.app.context, asker=asker)

    @property
    def number(self) -> int:
        """The account's number, by which operations know it."""
        return self.account.number


async def _session(request: Request) -> Session:
    caller = request.scope[CALLER]
    return Session(
        app=request.app.state.gatepost,
        account=caller.account,
        token=caller.token,
        id=request.scope[REQUEST_ID],
    )


async def _body(request: Request) -> bytes:
    limit = request.app.state.gatepost.settings.body_limit
    return await read_body(request.receive, request.scope["headers"], limit)


Here = Annotated[Session, Depends(_session)]
"""The session of a handler."""
Body = Annotated[bytes, Depends(_body)]
"""The body of a request, never parsed on the way."""
