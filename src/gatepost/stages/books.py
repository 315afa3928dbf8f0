"""The one transaction of a deliver turn: settle what ended, keep what was composed, claim what is due."""

from collections.abc import Sequence

import msgspec

from gatepost.model.catalog import Destination
from gatepost.model.delivery import Delivery, DeliveryState
from gatepost.model.times import Instant, Milliseconds
from gatepost.ports.catalog import LogEntry
from gatepost.ports.outbox import Claim, Settlement
from gatepost.ports.store import Transaction

_LOGGED = frozenset({DeliveryState.REFUSED, DeliveryState.OMITTED, DeliveryState.DEAD, DeliveryState.PARKED})
_LEVELS = {DeliveryState.OMITTED: "warn", DeliveryState.PARKED: "warn"}


class Entries(msgspec.Struct, kw_only=True):
    """What a turn has to write."""

    settlements: list[Settlement] = []
    bodies: dict[int, bytes] = {}
    claims: Sequence[Claim] = ()
    stops: dict[int, str] = {}
    """Destinations to stop, and why."""


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
    if entries.settlements:
        turned.lost = tx.outbox.settle(worker, entries.settlements, now)
        _log(tx, entries.settlements, now)
    for number, reason in entries.stops.items():
        _stop(tx, number, reason)
    tx.outbox.store_bodies(entries.bodies)
    open_claims = [claim for claim in entries.claims if claim.destination not in entries.stops]
    if open_claims:
        turned.claimed = tx.outbox.claim(worker, open_claims, now, now + lease)
        fresh = [d.snapshot for d in turned.claimed]
        turned.snapshots = tx.outbox.snapshots(fresh)
        turned.due = tx.outbox.wakeups([claim.destination for claim in open_claims], now)
    return turned


def _stop(tx: Transaction, number: int, reason: str) -> None:
    """Hold everything for a destination whose credentials are refused, until somebody mends them."""
    for destination in tx.catalog.list(Destination):
        if destination.number == number and not destination.stopped:
            stopped = msgspec.structs.replace(destination, stopped=reason)
            tx.catalog.put(destination.account, str(number), stopped)
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
