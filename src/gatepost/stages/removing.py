"""Taking away what makes somebody a profile: the beginning of an erasure, inside the batch that meets its record.

The record in the log is applied in its order, so that events before it are folded and go with the profile. That
transaction takes away everything that could be shown or sent; `erasing` does the rest.
"""

import base64
from collections.abc import Collection, Iterable

import msgspec
import orjson

from gatepost.core.entities import entity_of
from gatepost.core.erasing import SHORTEST, family, leading_to
from gatepost.core.plans import AccountPlan
from gatepost.model.delivery import Delivery
from gatepost.model.erasure import EraseCommand, EraseStep, Erasure, Search, Withdrawn
from gatepost.model.event import Event
from gatepost.model.profile import Identifier, Profile
from gatepost.ports.catalog import Duty
from gatepost.ports.profiles import ProfileChanges
from gatepost.ports.secrets import Secrets
from gatepost.ports.store import Transaction
from gatepost.stages.excluding import KIND, identifier_hash, value_hash

_ENCODE = msgspec.json.Encoder().encode


def erase_profile(tx: Transaction, secrets: Secrets, plan: AccountPlan, event: Event) -> Withdrawn:
    """Take away what makes somebody a profile, and begin the erasure of the rest; nobody is told of exits.

    Return what must not be sent any more. What is under way for others who were one with her once is told anew, with
    them as they are now.
    """
    command = msgspec.json.decode(event.body, type=EraseCommand)
    known = tx.erasures.get(event.account, command.request)
    if not command.sealed or (known is not None and known.step is not EraseStep.ASKED):
        return Withdrawn()
    asked = msgspec.json.decode(secrets.open(base64.b64decode(command.sealed)), type=Identifier)
    account = event.account
    number = tx.profiles.find(account, [asked]).get(asked)
    profile = tx.profiles.load(account, [number]).get(number) if number is not None else None
    people = family(profile, lambda one: tx.merges.of(account, one)) if profile is not None else []
    identifiers = _own(tx, account, number, [asked, *(i for one in people for i in leading_to(one))])
    erasure = Erasure(
        id=command.request,
        account=account,
        subject=identifier_hash(secrets, asked),
        asked=event.received,
        record=event.id,
        numbers=[one.number for one in people],
        hashes=[identifier_hash(secrets, one) for one in identifiers],
        values=[value_hash(secrets, value) for _, value in identifiers if len(value) >= SHORTEST],
    )
    told_of_her: frozenset[tuple[int, int]] = frozenset()
    if profile is not None:
        told_of_her = _retell(tx, plan, erasure)
        _remove(tx, erasure, profile, identifiers)
    tx.erasures.exclude(account, erasure.hashes, event.received)
    tx.erasures.put(erasure, secrets.seal(_ENCODE(Search(identifiers=identifiers))))
    if known is None:
        tx.ledger.add_duty(Duty(account=account, kind=KIND, subject=erasure.id, audience=0))
    return Withdrawn(frozenset(erasure.numbers), told_of_her)


def put_off(tx: Transaction, event: Event) -> None:
    """Remember a request that cannot be begun now, such as for want of a key, so that it is tried again."""
    request = msgspec.json.decode(event.body, type=EraseCommand).request
    if tx.erasures.get(event.account, request) is None:
        asked = Erasure(
            id=request,
            account=event.account,
            subject="",
            asked=event.received,
            record=event.id,
            step=EraseStep.ASKED,
        )
        tx.erasures.put(asked)
        tx.ledger.add_duty(Duty(account=event.account, kind=KIND, subject=request, audience=0))


def _own(
    tx: Transaction, account: int, number: int | None, identifiers: Iterable[Identifier]
) -> list[Identifier]:
    """Return the identifiers that lead to her or to nobody: one that was let go may be somebody else's by now."""
    wanted = list(dict.fromkeys(identifiers))
    holders = tx.profiles.find(account, wanted)
    return [one for one in wanted if holders.get(one, number) == number]


def _retell(tx: Transaction, plan: AccountPlan, erasure: Erasure) -> frozenset[tuple[int, int]]:
    """Give what others are still to be sent from the time they were one with her a snapshot of them alone."""
    account = erasure.account
    by_profile: dict[int, list[Delivery]] = {}
    for delivery in tx.outbox.shared(account, erasure.numbers):
        by_profile.setdefault(delivery.profile, []).append(delivery)
    for number, profile in tx.profiles.load(account, by_profile).items():
        tx.outbox.retell(by_profile[number], orjson.dumps(entity_of(profile, plan)))
    told = [one for deliveries in by_profile.values() for one in deliveries]
    erasure.note("snapshots", len(told))
    return frozenset((one.seq, one.snapshot) for one in told)


def _remove(tx: Transaction, erasure: Erasure, profile: Profile, identifiers: Collection[Identifier]) -> None:
    account = erasure.account
    trail = [*tx.profiles.trail(account, profile.number), *profile.trail]
    tx.erasures.doom(erasure.id, "event", [str(id_) for id_ in trail])
    for what, amount in tx.erasures.remove_profile(account, profile.number, identifiers).items():
        erasure.note(what, amount)
    if profile.timer:
        tx.profiles.save(account, ProfileChanges(timers={profile.number: (profile.timer, 0)}))
        erasure.note("timers", 1)
    for what, amount in tx.erasures.remove_unfinished(erasure).items():
        erasure.note(what, amount)
