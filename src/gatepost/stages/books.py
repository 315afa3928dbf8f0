"""The one transaction of a deliver turn: settle what ended, keep what was composed, claim what is due."""

from collections.abc import Collection, Sequence

import msgspec

from gatepost.model.catalog import Authorization, Destination
from gatepost.model.delivery import Delivery, DeliveryState
from gatepost.model.times import Instant, Milliseconds
from gatepost.ports.catalog import LogEntry
from gatepost.ports.outbox import Claim, Settlement
from gatepost.ports.store import Transaction

_LOGGED = frozenset({DeliveryState.REFUSED, DeliveryState.OMITTED, DeliveryState.DEAD, DeliveryState.PARKED})
_AGAIN = frozenset({DeliveryState.WAITING, DeliveryState.RETRYING})
_LEVELS = {DeliveryState.OMITTED: "warn", DeliveryState.PARKED: "warn"}


class Entries(msgspec.Struct, kw_only=True):
    """What a turn has to write."""

    settlements: list[Settlement] = []
    bodies: dict[int, bytes] = {}
    claims: Sequence[Claim] = ()
    stops: dict[int, "Stop"] = {}
    """Destinations to stop."""
    paused: Collection[str] = ()
    """Jobs that are paused as of this transaction."""


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """A destination said that the credentials are wrong."""

    reason: str
    authorization: str
    as_of: Instant
    """When the credentials that were refused had last been changed."""


class Turned(msgspec.Struct, kw_only=True):
    """What a turn brought."""

    claimed: list[Delivery] = []
    snapshots: dict[int, bytes] = {}
    due: dict[int, Instant | None] = {}
    """For each destination claimed from, when it next has something due."""
    lost: list[int] = []


def keep(tx: Transaction, worker: str, entries: Entries, now: Instant, lease: Milliseconds) -> Turned:
    """Write a turn's entries and claim."""
    turned = Turned()
    stopped = {number for number, stop in entries.stops.items() if _stop(tx, number, stop)}
    if entries.settlements:
        settlements = [_placed(s, stopped, entries.paused, now) for s in entries.settlements]
        turned.lost = tx.outbox.settle(worker, settlements, now)
        _log(tx, settlements, now)
    for number in stopped:
        _hold(tx, number)
    tx.outbox.store_bodies(entries.bodies)
    open_claims = [claim for claim in entries.claims if claim.destination not in stopped]
    if open_claims:
        turned.claimed = tx.outbox.claim(worker, open_claims, now, now + lease)
        fresh = [d.snapshot for d in turned.claimed]
        turned.snapshots = tx.outbox.snapshots(fresh)
        turned.due = tx.outbox.wakeups([claim.destination for claim in open_claims], now)
    return turned


def _placed(
    settlement: Settlement, stopped: Collection[int], paused: Collection[str], now: Instant
) -> Settlement:
    """Let a settlement follow what the configuration says now: a paused job tries nothing again."""
    delivery = settlement.delivery
    if settlement.state in _AGAIN and delivery.job in paused:
        return msgspec.structs.replace(settlement, state=DeliveryState.PARKED, due=0)
    if settlement.state is DeliveryState.PARKED and delivery.destination not in stopped:
        # The refused credentials have been changed meanwhile, so the new ones get their try.
        return msgspec.structs.replace(settlement, state=DeliveryState.RETRYING, due=now)
    return settlement


def _stop(tx: Transaction, number: int, stop: Stop) -> bool:
    """Stop a destination whose credentials are refused; say whether it is stopped, for they may be mended already."""
    for destination in tx.catalog.list(Destination):
        if destination.number != number:
            continue
        authorization = tx.catalog.get(Authorization, destination.account, stop.authorization)
        if authorization is not None and authorization.updated != stop.as_of:
            return False
        if not destination.stopped:
            stopped = msgspec.structs.replace(destination, stopped=stop.reason)
            tx.catalog.put(destination.account, str(number), stopped)
        return True
    return False


def _hold(tx: Transaction, number: int) -> None:
    """Hold everything for a stopped destination, until somebody mends it."""
    for destination in tx.catalog.list(Destination):
        if destination.number == number:
            tx.outbox.hold(destination.account, destination=number, held=True)


def _log(tx: Transaction, settlements: Sequence[Settlement], now: Instant) -> None:
    by_account: dict[int, list[LogEntry]] = {}
    for settlement in settlements:
        if settlement.state not in _LOGGED or not settlement.reason:
            continue
        delivery = settlement.delivery
        entry = LogEntry(
            job=delivery.job,
            at=now,
            level=_LEVELS.get(settlement.state, "error"),
            message=f"{settlement.state.value}: {settlement.reason}",
            code="" if settlement.state is DeliveryState.OMITTED else "JOB-FAULT-022",
            context={
                "delivery": delivery.id,
                "event": delivery.crossing.value,
                "attempts": delivery.attempts,
            },
        )
        by_account.setdefault(delivery.account, []).append(entry)
    for account, entries in by_account.items():
        tx.ledger.write_log(account, entries)
