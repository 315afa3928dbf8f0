"""Erasing a person: what would go, the request, and how far it is."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from gatepost.core.erasing import leading_to
from gatepost.model.audience import ExclusionCommand
from gatepost.model.erasure import EraseStep, Erasure
from gatepost.model.errors import InvalidInput, NotFound, Unavailable
from gatepost.model.event import RecordKind
from gatepost.model.profile import EVERYWHERE, Identifier, Profile
from gatepost.operations.commands import command
from gatepost.operations.context import Context, new_id
from gatepost.operations.persons import deliveries_of, person
from gatepost.operations.profiles import identifier_kind
from gatepost.operations.records import current_schema
from gatepost.ports.store import Transaction
from gatepost.stages.excluding import command_body, identifier_hash

MOST_AT_ONCE = 1_000
"""People whose erasure can be asked for together."""
_LISTED = 100
_REMEMBERED = 100_000
"""Requests among which an earlier one for the same identifier is looked for."""
_RECORDS = 1_000
"""Records of the log read at once."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an erasure would mean and what would go."""

    identifier: Identifier
    """One that leads to her, to ask with."""
    profile: str
    """`_id`."""
    counts: dict[str, int]


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a wish to erase many."""

    successes: dict[str, str]
    """Each value's request."""
    errors: dict[str, str]
    """Why there is no request for a value."""


async def preview_erasure(context: Context, account: int, identifier: str) -> Preview:
    """Return what an erasure would take away; nothing is changed."""
    who = await person(context, account, identifier)
    profile = who.profile
    counts: Counter[str] = Counter(
        profiles=1,
        identifiers=sum(map(len, profile.identifiers.values())) + 1 + len(profile.aliases),
        memberships=sum(one.inside for one in profile.memberships.values()),
        timers=int(bool(profile.timer)),
        events=len(who.trail),
        merges=len(who.merges),
    )
    async for sent in deliveries_of(context, who):
        counts["deliveries"] += 1
        counts["attempts"] += len(sent.attempts)
    return Preview(
        identifier=_meant(profile, identifier),
        profile=profile.id,
        counts={kind: n for kind, n in counts.items() if n},
    )


def _meant(profile: Profile, text: str) -> Identifier:
    """Return the identifier of a profile that a text names, its `_id` where that is what was named."""
    return next((one for one in leading_to(profile) if text in (one[1], "=".join(one))), ("_id", profile.id))


async def request_erasure(context: Context, account: int, field: str, value: str) -> str:
    """Ask for the erasure of whomever an identifier leads to; return the request's id.

    It is asked for even when nobody has the identifier now: what is older than the request stays out.
    """
    kind = await context.store.read(lambda tx: identifier_kind(current_schema(tx, account), field))
    (request,) = await _ask(context, account, kind, [value])
    return request


async def request_erasures(context: Context, account: int, field: str, values: Sequence[str]) -> Queued:
    """Ask for the erasure of many people at once; who was asked for before and is gone keeps that request."""
    if not 0 < len(values) <= MOST_AT_ONCE:
        msg = f"{len(values)} values are named; name 1 to {MOST_AT_ONCE:,}"
        raise InvalidInput(msg, path="values")
    wanted = list(dict.fromkeys(values))
    kind, found = await context.store.read(lambda tx: _found(tx, account, field, wanted))
    known = await context.store.read(lambda tx: _asked(context, tx, account, kind, wanted))
    there = [value for value in wanted if (kind, value) in found]
    ids = await _ask(context, account, kind, there) if there else []
    successes = {value: known[value] for value in wanted if value in known} | dict(
        zip(there, ids, strict=True)
    )
    errors = {value: f"nobody has this {kind}" for value in wanted if value not in successes}
    return Queued(successes=successes, errors=errors)


async def _ask(context: Context, account: int, kind: str, values: Sequence[str]) -> list[str]:
    ids = [new_id() for _ in values]
    asked = zip(ids, values, strict=True)
    bodies = [command_body(context.secrets, id_, (kind, value)) for id_, value in asked]
    with suppress(Unavailable):
        # They are in the log, so they will be done, however long what came before takes.
        await command(context, account, RecordKind.ERASE, *bodies)
    return ids


def _found(
    tx: Transaction, account: int, field: str, values: Sequence[str]
) -> tuple[str, dict[Identifier, int]]:
    kind = identifier_kind(current_schema(tx, account), field)
    return kind, tx.profiles.find(account, [(kind, value) for value in values])


def _asked(
    context: Context, tx: Transaction, account: int, kind: str, values: Sequence[str]
) -> dict[str, str]:
    """Return the latest request for each value that somebody asked for before."""
    by_subject = {one.subject: one.id for one in reversed(tx.erasures.newest(account, _REMEMBERED))}
    hashes = {value: identifier_hash(context.secrets, (kind, value)) for value in values}
    return {value: by_subject[hash_] for value, hash_ in hashes.items() if hash_ in by_subject}


async def hide(context: Context, account: int, field: str, value: str) -> bool:
    """Hide a profile for good: shown as an entity no more, in no audience; say whether there was one.

    Jobs are told of its exits. All of it stays stored until it is erased.
    """

    def work(tx: Transaction) -> str | None:
        _, found = _found(tx, account, field, [value])
        profiles = tx.profiles.load(account, found.values())
        return next((profile.id for profile in profiles.values() if not profile.hidden), None)

    id_ = await context.store.read(work)
    if id_ is None:
        return False
    await command(context, account, RecordKind.EXCLUDE, ExclusionCommand(audience=EVERYWHERE, profile=id_))
    return True


async def resolves(context: Context, account: int, field: str, value: str) -> bool:
    """Say whether an identifier leads to somebody."""

    def work(tx: Transaction) -> bool:
        key = (identifier_kind(current_schema(tx, account), field), value)
        return bool(tx.profiles.find(account, [key]))

    return await context.store.read(work)


async def get_erasure(context: Context, account: int, request: str) -> Erasure:
    """Return an erasure, finished or not."""

    def work(tx: Transaction) -> tuple[Erasure | None, int]:
        return tx.erasures.get(account, request), tx.ledger.position()[0]

    erasure, position = await context.store.read(work)
    if erasure is None:
        erasure = await asyncio.to_thread(_in_log, context, account, request, position)
    if erasure is None:
        raise NotFound("erasure", request)
    return erasure


async def list_erasures(context: Context, account: int) -> list[Erasure]:
    """Return the latest erasures, newest first."""
    return await context.store.read(lambda tx: tx.erasures.newest(account, _LISTED))


async def count_erasures(context: Context, account: int) -> Counter[EraseStep]:
    """Count erasures by how far they are."""
    found = await context.store.read(lambda tx: tx.erasures.newest(account, _REMEMBERED))
    return Counter(one.step for one in found)


def _in_log(context: Context, account: int, request: str, after: int) -> Erasure | None:
    """Return a request that is in the log beyond a position, so that it is not applied yet."""
    while records := context.log.read(after, _RECORDS):
        after = records[-1].id
        for one in records:
            if one.account == account and one.kind == RecordKind.ERASE and request.encode() in one.body:
                return Erasure(
                    id=request,
                    account=account,
                    subject="",
                    asked=one.received,
                    record=one.id,
                    step=EraseStep.ASKED,
                )
    return None
