"""The checks every call passes before its users are looked at, in the documented order."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import orjson

from gatepost.model.jsonvalue import JsonObject
from gatepost.sandbox.insider import answers
from gatepost.sandbox.insider.accounts import Account, Accounts
from gatepost.sandbox.insider.answers import RefusalError
from gatepost.sandbox.insider.vocabulary import MAX_BODY_BYTES

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_WANTED = frozenset((b"x-partner-name", b"x-request-token", b"content-type", b"content-length"))


def wanted_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, str]:
    """Return the headers that matter here."""
    return {name: value.decode("latin-1") for name, value in headers if name in _WANTED}


def caller(headers: dict[bytes, str], address: str, accounts: Accounts) -> Account:
    """Return the account that calls, or refuse."""
    partner, token = headers.get(b"x-partner-name", ""), headers.get(b"x-request-token", "")
    if not accounts.knows_token(token):
        raise RefusalError(answers.ACCESS_DENIED, "unknown or missing X-REQUEST-TOKEN", partner[:100])
    account = accounts.by_partner.get(partner)
    if account is None:
        raise RefusalError(
            answers.WRONG_PARTNER, "unknown X-PARTNER-NAME, or not in lower case", partner[:100]
        )
    if not accounts.owns(partner, token):
        raise RefusalError(answers.FOREIGN_TOKEN, "the token belongs to another partner", partner)
    if account.allowed_addresses and address not in account.allowed_addresses:
        raise RefusalError(answers.ACCESS_DENIED, f"calls from {address} are not allowed", partner)
    return account


async def read_body(headers: dict[bytes, str], receive: Receive) -> bytes:
    """Return the body, or refuse it as soon as it is known to be too large."""
    content_type = headers.get(b"content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise RefusalError(answers.WRONG_TYPE, "the content type is not application/json")
    if int(headers.get(b"content-length", "0")) > MAX_BODY_BYTES:
        raise RefusalError(answers.TOO_LARGE, "the body is too large")
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body") and len(body) <= MAX_BODY_BYTES:
        return body
    chunks, size = [body], len(body)
    while message.get("more_body"):
        if size > MAX_BODY_BYTES:
            break
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
    if size > MAX_BODY_BYTES:
        raise RefusalError(answers.TOO_LARGE, "the body is too large")
    return b"".join(chunks)


def parsed(body: bytes) -> JsonObject:
    """Return the body as an object; any other JSON counts as an object without fields."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RefusalError(answers.NOT_JSON, f"not JSON: {error}") from error
    return document if isinstance(document, dict) else {}
