"""All that is held on one person: where each field comes from, and everything at once to hand out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from gatepost.core.applying import read_event
from gatepost.core.entities import entity_of
from gatepost.core.erasing import family
from gatepost.core.plans import AccountPlan
from gatepost.core.provenance import FieldSource, field_sources
from gatepost.core.refolding import refolded
from gatepost.core.versions import Versions
from gatepost.model.audience import Audience, Membership
from gatepost.model.delivery import Attempt
from gatepost.model.errors import NotFound
from gatepost.model.event import Event
from gatepost.model.jsonvalue import JsonObject
from gatepost.model.merge import Merge
from gatepost.model.profile import Identifier, Profile
from gatepost.operations.context import Context
from gatepost.operations.profiles import found_by, identifier_kind
from gatepost.operations.records import current_schema, live_audiences, versions_of
from gatepost.ports.outbox import DeliveryFilter, Listed
from gatepost.ports.store import Transaction

_MOST_EVENTS = 20_000
"""Events of one person that are folded again; of more, the latest."""
_AT_ONCE = 500
"""Events or deliveries read at once, so that no read holds back the stores' upkeep."""

Find = Callable[[Transaction], Profile | None]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A profile with what it takes to show it."""

    account: int
    profile: Profile
    entity: JsonObject
    versions: Versions
    audiences: dict[int, Audience]
    trail: list[int]
    """Ids of all its events, in order."""
    numbers: list[int]
    """Its row key and those of profiles merged into it."""
    merges: list[Merge]

    @property
    def memberships(self) -> list[tuple[Audience, Membership]]:
        """The audiences it ever crossed the border of."""
        held = sorted(self.profile.memberships.items())
        return [(self.audiences[number], one) for number, one in held if number in self.audiences]


class Traced(msgspec.Struct, frozen=True, kw_only=True):
    """A person and where each of her fields comes from."""

    person: Person
    sources: dict[str, FieldSource]
    missing: int
    """Events that are not kept any more, so that nothing is said of them."""
    conflicts: list[Identifier] = []
    """Identifiers its events brought that lead to somebody else, to whom they stay."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery with its attempts."""

    listed: Listed
    attempts: list[Attempt]


async def person(context: Context, account: int, identifier: str) -> Person:
    """Return the person whom `field=value`, or a value alone, leads to; raise NotFound."""
    found = await context.store.read(
        lambda tx: _person(tx, account, found_by(tx, account, current_schema(tx, account), identifier))
    )
    if found is None:
        raise NotFound("profile", identifier)
    return found


async def person_by(context: Context, account: int, field: str, value: str) -> Person | None:
    """Return the person whom an identifier leads to, None when there is nobody, or she is hidden."""

    def work(tx: Transaction) -> Person | None:
        key: Identifier = (identifier_kind(current_schema(tx, account), field), value)
        number = tx.profiles.find(account, [key]).get(key)
        loaded = tx.profiles.load(account, [number]).get(number) if number is not None else None
        return _person(tx, account, loaded if loaded is None or not loaded.hidden else None)

    return await context.store.read(work)


async def traced(context: Context, who: Person) -> Traced:
    """Return where each field of a person comes from."""
    found = await asyncio.to_thread(_traced, context, who)
    if not who.profile.conflicts:
        return found
    strange = await asyncio.to_thread(_strange, context, who)
    holders = await context.store.read(lambda tx: tx.profiles.find(who.account, strange))
    conflicts = [one for one in strange if holders.get(one, who.profile.number) != who.profile.number]
    return msgspec.structs.replace(found, conflicts=conflicts)


async def events_of(context: Context, who: Person) -> AsyncIterator[Event]:
    """Yield all kept events of a person, in the order in which they were applied."""
    for start in range(0, len(who.trail), _AT_ONCE):
        for event in await asyncio.to_thread(context.log.fetch, who.trail[start : start + _AT_ONCE]):
            yield event


async def deliveries_of(context: Context, who: Person) -> AsyncIterator[Sent]:
    """Yield all deliveries of a person with their attempts, newest first."""
    for number in who.numbers:
        before = 0
        while found := await context.store.read(_page(who.account, number, before)):
            for sent in found:
                yield sent
            before = found[-1].listed.delivery.seq


def _page(account: int, number: int, before: int) -> Callable[[Transaction], Sequence[Sent]]:
    wanted = DeliveryFilter(account=account, profile=number, before=before, limit=_AT_ONCE)

    def work(tx: Transaction) -> list[Sent]:
        return [
            Sent(listed=one, attempts=tx.deliveries.attempts(account, one.delivery.id))
            for one in tx.deliveries.listed(wanted)
        ]

    return work


def _person(tx: Transaction, account: int, profile: Profile | None) -> Person | None:
    if profile is None:
        return None
    schema, audiences = current_schema(tx, account), live_audiences(tx, account)
    plan = AccountPlan(schema, (), (), set())
    plan.slugs = {one.number: one.slug for one in audiences}
    people = family(profile, lambda number: tx.merges.of(account, number))
    return Person(
        account=account,
        profile=profile,
        entity=entity_of(profile, plan),
        versions=versions_of(tx, account, plan),
        audiences={one.number: one for one in audiences},
        trail=sorted([*tx.profiles.trail(account, profile.number), *profile.trail]),
        numbers=[one.number for one in people],
        merges=[merge for one in people for merge in tx.merges.of(account, one.number)],
    )


def _traced(context: Context, who: Person) -> Traced:
    events = context.log.fetch(who.trail[-_MOST_EVENTS:])
    history = refolded(who.versions, who.profile.identifiers, events)
    sources = field_sources(who.versions, who.profile, history)
    return Traced(person=who, sources=sources, missing=len(who.trail) - len(events))


def _strange(context: Context, who: Person) -> list[Identifier]:
    """Return the identifiers that a person's events brought and her profile has not."""
    own = {(field, value) for field, held in who.profile.identifiers.items() for value in held}
    events = context.log.fetch(who.trail[-_MOST_EVENTS:])
    brought = (
        one for event in events for one in read_event(who.versions.folding(event.id), event).identifiers
    )
    return [one for one in dict.fromkeys(brought) if one not in own]
