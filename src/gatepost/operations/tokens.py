"""Access tokens: made, looked up, revoked. Only a digest is stored; the secret has 256 random bits."""

import hashlib
import secrets

from gatepost.model.catalog import Account, Scope, Token
from gatepost.model.errors import NotFound, Unauthorized
from gatepost.model.times import Instant, Milliseconds
from gatepost.operations.context import Context, new_id
from gatepost.ports.store import Transaction

_RANKS = {Scope.DATA: 0, Scope.READ: 1, Scope.ADMIN: 2}


async def create_token(
    context: Context, account: int, label: str, scope: Scope, lifetime: Milliseconds = 0
) -> tuple[Token, str]:
    """Make a token; return it with its text, which is never shown again."""
    now = context.clock.wall()

    def work(tx: Transaction) -> tuple[Token, str]:
        return put_token(tx, account, label, scope, now, now + lifetime if lifetime else 0)

    return await context.store.write(work)


def put_token(
    tx: Transaction, account: int, label: str, scope: Scope, now: Instant, expires: Instant = 0
) -> tuple[Token, str]:
    """Make a token inside a transaction."""
    id_, secret = new_id(), secrets.token_hex(32)
    text = f"at.{id_}.{secret}"
    token = Token(
        id=id_,
        account=account,
        label=label,
        scope=scope,
        digest=digest_of(text),
        created=now,
        expires=expires,
    )
    tx.catalog.put(account, id_, token)
    return token, text


async def list_tokens(context: Context, account: int) -> list[Token]:
    """Return an account's tokens, oldest first."""
    return await context.store.read(lambda tx: tx.catalog.list(Token, account))


async def revoke_token(context: Context, account: int, id_: str) -> None:
    """Make a token useless at once."""
    if not await context.store.write(lambda tx: tx.catalog.remove(Token, account, id_)):
        raise NotFound("token", id_)


def digest_of(text: str) -> bytes:
    """Return what is stored of a token's text."""
    return hashlib.sha256(text.encode()).digest()


class Doorkeeper:
    """Tells who a token belongs to, from memory; read anew when the catalog moves."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._version = -1
        self._tokens: dict[bytes, Token] = {}
        self._accounts: dict[int, Account] = {}

    async def identify(self, text: str, needed: Scope) -> tuple[Token, Account]:
        """Return the token and its account; raise Unauthorized when it is missing, wrong, expired or too weak."""
        token = self._tokens.get(digest_of(text)) if text else None
        if token is None:
            await self.refresh()
            token = self._tokens.get(digest_of(text)) if text else None
        if token is None:
            raise Unauthorized("Not authorized")
        if token.expires and token.expires <= self._context.clock.wall():
            raise Unauthorized("Expired Token")
        if _RANKS[token.scope] < _RANKS[needed]:
            msg = f"Not authorized: this needs a token with the scope {needed.value}, this one has {token.scope.value}"
            raise Unauthorized(msg)
        return token, self._accounts[token.account]

    async def refresh(self) -> None:
        """Read tokens and accounts again if the catalog changed."""
        version, tokens, accounts = await self._context.store.read(self._read)
        # Reads may end out of order; an older one must not undo a newer.
        if version > self._version:
            self._tokens = {token.digest: token for token in tokens}
            self._accounts = {account.number: account for account in accounts}
            self._version = version

    def _read(self, tx: Transaction) -> tuple[int, list[Token], list[Account]]:
        version = tx.catalog.version()
        if version == self._version:
            return version, [], []
        return version, tx.catalog.list(Token), tx.catalog.list(Account)
