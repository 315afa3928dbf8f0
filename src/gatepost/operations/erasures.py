"""Erasing a person: what would go, the request, how far it is, and whether the receipt still holds."""

import asyncio
from collections import Counter

import msgspec
import orjson

from gatepost.core.erasing import leading_to, leaves
from gatepost.model.erasure import EraseStep, Erasure
from gatepost.model.errors import NotFound, Unavailable
from gatepost.model.event import Event, RecordKind
from gatepost.model.profile import Identifier, Profile
from gatepost.operations.commands import command
from gatepost.operations.context import Context, new_id
from gatepost.operations.persons import deliveries_of, person
from gatepost.operations.profiles import identifier_kind
from gatepost.operations.records import current_schema
from gatepost.ports.store import Transaction
from gatepost.stages.erasing import command_body, sealed_receipt, value_hash

_EVENTS = 1_000
"""Events an audit reads at once."""
_LISTED = 100


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an erasure would mean and what would go."""

    identifier: Identifier
    """One that leads to her, to ask with."""
    profile: str
    """`_id`."""
    counts: dict[str, int]


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a receipt still holds."""

    erasure: Erasure
    genuine: bool
    """The receipt is the one that was written."""
    found: dict[str, int]
    """Rows that hold what was erased, by kind; empty when none does."""
    returned: bool
    """A newer event has made a profile with one of the identifiers."""


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
    schema = await context.store.read(lambda tx: current_schema(tx, account))
    kind = identifier_kind(schema, field)
    request = new_id()
    body = command_body(context.secrets, request, (kind, value))
    try:
        await command(context, account, RecordKind.ERASE, body)
    except Unavailable:
        # It is in the log, so it will be done; only its progress cannot be told yet.
        return request
    return request


async def resolves(context: Context, account: int, field: str, value: str) -> bool:
    """Say whether an identifier leads to somebody."""

    def work(tx: Transaction) -> bool:
        key = (identifier_kind(current_schema(tx, account), field), value)
        return bool(tx.profiles.find(account, [key]))

    return await context.store.read(work)


async def get_erasure(context: Context, account: int, request: str) -> Erasure:
    """Return an erasure, finished or not."""
    erasure = await context.store.read(lambda tx: tx.erasures.get(account, request))
    if erasure is None:
        raise NotFound("erasure", request)
    return erasure


async def list_erasures(context: Context, account: int) -> list[Erasure]:
    """Return the latest erasures, newest first."""
    return await context.store.read(lambda tx: tx.erasures.newest(account, _LISTED))


async def audit(context: Context, account: int, request: str) -> Audit:
    """Look again for everything an erasure took away: rows of its profiles, and identifiers, by their hashes."""
    erasure = await get_erasure(context, account, request)
    done = erasure.step is EraseStep.DONE
    genuine = done and sealed_receipt(context.secrets, erasure) == erasure.digest
    found = Counter(await context.store.read(lambda tx: dict(tx.erasures.trace(erasure))))
    returned = await _identified(context, erasure, found)
    after: int | None = 0
    while after is not None:
        holding, after = await asyncio.to_thread(_mentions, context, erasure, after)
        found["events"] += holding
    held = {kind: amount for kind, amount in found.items() if amount}
    return Audit(erasure=erasure, genuine=genuine, found=held, returned=returned)


async def _identified(context: Context, erasure: Erasure, found: Counter[str]) -> bool:
    """Count profiles that hold an erased identifier; say whether one that came later does."""
    wanted, returned, after = {*erasure.values}, False, 0
    while profiles := await context.store.read(
        lambda tx, after=after: tx.profiles.scan(erasure.account, after, _EVENTS)  # type: ignore[misc] # a default binds it now
    ):
        after = profiles[-1].number
        for profile in profiles:
            values = [value for held in profile.identifiers.values() for value in held]
            if any(value_hash(context.secrets, value) in wanted for value in values):
                newer = profile.created >= erasure.asked
                returned |= newer
                found["identifiers"] += not newer
    return returned


def _mentions(context: Context, erasure: Erasure, after: int) -> tuple[int, int | None]:
    """Count the events of a piece of the log that hold an erased identifier; say where the next piece begins."""
    events = [one for one in context.log.read(after, _EVENTS) if one.id < erasure.record]
    return sum(_holds(context, erasure, one) for one in events), events[-1].id if events else None


def _holds(context: Context, erasure: Erasure, event: Event) -> bool:
    if event.account != erasure.account or event.kind not in (RecordKind.EVENT, RecordKind.HISTORY):
        return False
    try:
        texts = leaves(orjson.loads(event.body))
    except orjson.JSONDecodeError:
        return False
    return not {value_hash(context.secrets, text) for text in texts}.isdisjoint(erasure.values)
