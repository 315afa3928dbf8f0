"""Authorizations: credentials that are sealed when they come in and never shown again."""

import re

import msgspec
import orjson

from gatepost.core.authorize import parse_header_param_auth
from gatepost.model.catalog import Authorization
from gatepost.model.errors import Conflict, InvalidInput
from gatepost.model.jsonvalue import JsonObject
from gatepost.model.times import Instant
from gatepost.operations.context import Context, new_id
from gatepost.operations.destinations import open_destination
from gatepost.operations.records import authorization_of, checked_name, destinations_of, live_jobs
from gatepost.ports.secrets import Secrets
from gatepost.ports.store import Transaction

HEADER_PARAM_AUTH = "header_param_auth"
NO_AUTH = "no_auth"

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SPELLINGS = {
    "header_param_auth": HEADER_PARAM_AUTH,
    "no_auth": NO_AUTH,
    "noauth": NO_AUTH,
}


class AuthorizationDraft(msgspec.Struct, frozen=True):
    """An authorization as a user wants it; its text never shows the configuration."""

    label: str
    type: str = HEADER_PARAM_AUTH
    provider: str = "webhooks"
    description: str = ""
    config: JsonObject = {}
    """In an update, an empty one keeps the credentials that are stored."""
    origin: str = ""

    def __repr__(self) -> str:
        return f"AuthorizationDraft(label={self.label!r}, type={self.type!r}, config={sorted(self.config)})"


class Sealed(msgspec.Struct, frozen=True):
    """A checked configuration as it is stored."""

    config: bytes = b""
    fingerprint: str = ""

    def __repr__(self) -> str:
        return "Sealed(...)"


async def create_authorization(context: Context, account: int, draft: AuthorizationDraft) -> Authorization:
    """Store credentials."""
    checked = checked_authorization(draft)
    sealed = sealed_config(context.secrets, checked)
    now = context.clock.wall()
    return await context.store.write(lambda tx: put_authorization(tx, account, checked, sealed, now))


async def update_authorization(
    context: Context, account: int, id_: str, draft: AuthorizationDraft
) -> Authorization:
    """Change the label, the description or the credentials; new credentials open what bad ones had stopped."""
    checked = checked_authorization(draft)
    replaced = bool(draft.config) or checked.type == NO_AUTH
    sealed = sealed_config(context.secrets, checked) if replaced else None
    now = context.clock.wall()

    def work(tx: Transaction) -> tuple[Authorization, list[int]]:
        return replace_authorization(tx, account, id_, checked, sealed, now)

    updated, opened = await context.store.write(work)
    if opened:
        context.wake_deliver(opened)
    return updated


async def list_authorizations(context: Context, account: int) -> list[Authorization]:
    """Return an account's authorizations, oldest first."""
    return await context.store.read(lambda tx: tx.catalog.list(Authorization, account))


async def get_authorization(context: Context, account: int, id_: str) -> Authorization:
    """Return one authorization; its configuration stays sealed."""
    return await context.store.read(lambda tx: authorization_of(tx, account, id_))


async def delete_authorization(context: Context, account: int, id_: str) -> None:
    """Remove an authorization that no job uses."""
    await context.store.write(lambda tx: remove_authorization(tx, account, id_))


def checked_authorization(draft: AuthorizationDraft) -> AuthorizationDraft:
    """Return a draft fit to be stored; raise InvalidInput, without repeating a secret, when it is not."""
    type_ = authorization_type(draft.type)
    label = checked_name(draft.label, "label")
    if type_ == NO_AUTH and any(draft.config.values()):
        msg = f"an authorization of the type {NO_AUTH} has no configuration; use {HEADER_PARAM_AUTH}"
        raise InvalidInput(msg, path="config")
    parse_header_param_auth(draft.config)
    return msgspec.structs.replace(draft, label=label, type=type_)


def authorization_type(spelling: str) -> str:
    """Return the type meant by any spelling that Lytics' API and documentation use."""
    plain = _CAPITAL.sub("_", spelling.strip()).replace("-", "_").lower()
    known = _SPELLINGS.get(plain.removeprefix("webhook_"))
    if known is None:
        msg = f"there is no authorization type {spelling!r} here; there are {HEADER_PARAM_AUTH} and {NO_AUTH}"
        raise InvalidInput(msg, path="type")
    return known


def sealed_config(secrets: Secrets, draft: AuthorizationDraft) -> Sealed:
    """Return a draft's configuration sealed, with the fingerprint by which a change is told."""
    plain = orjson.dumps(draft.config, option=orjson.OPT_SORT_KEYS)
    if not draft.config:
        return Sealed(fingerprint=secrets.fingerprint(plain))
    return Sealed(secrets.seal(plain), secrets.fingerprint(plain))


def put_authorization(
    tx: Transaction, account: int, draft: AuthorizationDraft, sealed: Sealed, now: Instant
) -> Authorization:
    """Store a checked draft inside a transaction."""
    authorization = Authorization(
        id=new_id(),
        account=account,
        label=draft.label,
        type=draft.type,
        provider=draft.provider,
        description=draft.description,
        config=sealed.config,
        fingerprint=sealed.fingerprint,
        origin=draft.origin,
        created=now,
        updated=now,
    )
    tx.catalog.put(account, authorization.id, authorization)
    return authorization


def replace_authorization(
    tx: Transaction,
    account: int,
    id_: str,
    draft: AuthorizationDraft,
    sealed: Sealed | None,
    now: Instant,
) -> tuple[Authorization, list[int]]:
    """Change an authorization inside a transaction; return it with the destinations that new credentials opened."""
    old = authorization_of(tx, account, id_)
    updated = msgspec.structs.replace(
        old, label=draft.label, provider=draft.provider, description=draft.description, updated=now
    )
    if sealed is None:
        tx.catalog.put(account, id_, updated)
        return updated, []
    updated = msgspec.structs.replace(
        updated, type=draft.type, config=sealed.config, fingerprint=sealed.fingerprint
    )
    tx.catalog.put(account, id_, updated)
    if sealed.fingerprint == old.fingerprint:
        return updated, []
    stopped = [
        d.number for d in destinations_of(tx, account).values() if d.authorization == id_ and d.stopped
    ]
    for number in stopped:
        open_destination(tx, account, number)
    return updated, stopped


def remove_authorization(tx: Transaction, account: int, id_: str) -> None:
    """Remove an authorization inside a transaction; raise Conflict naming the jobs that use it."""
    authorization = authorization_of(tx, account, id_)
    users = [job.name for job in live_jobs(tx, account) if id_ in job.auth_ids]
    if users:
        msg = f"the authorization {authorization.label!r} is used by {', '.join(users)}; kill or change them first"
        raise Conflict(msg)
    tx.catalog.remove(Authorization, account, id_)
