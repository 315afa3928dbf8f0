"""The one transaction of a deliver turn: settle what ended, keep what was composed, claim what is due."""

from collections.abc import Collection, Sequence

import msgspec

from gatepost.model.catalog import Authorization, Destination
from gatepost.model.delivery import FINISHED, Delivery, DeliveryState
from gatepost.model.times import Instant, Milliseconds
from gatepost.ports.catalog import LogEntry
from gatepost.ports.outbox import Claim, Settlement
from gatepost.ports.store import Transaction

_LOGGED = frozenset({DeliveryState.REFUSED, DeliveryState.OMITTED, DeliveryState.DEAD, DeliveryState.PARKED})
_LEVELS = {DeliveryState.OMITTED: "warn", DeliveryState.PARKED: "warn"}


class Entries(msgspec.Struct, kw_only=True):
    """What a turn has to write."""

    settlements: list[Settlement] = []
    bodies: dict[tuple[int, int], bytes] = {}
    """Rendered requests by the `seq` and the snapshot of their deliveries."""
    claims: Sequence[Claim] = ()
    stops: dict[int, "Stop"] = {}
    """Destinations to stop."""
    paused: Collection[str] = ()
    """Jobs that are paused as of this transaction."""
    homes: dict[str, int] = {}
    """Each job's destination as of this transaction."""


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
    moved: list[int] = []
    """Destinations that got deliveries which were under way when their job moved there."""
    lost: list[int] = []


def keep(tx: Transaction, worker: str, entries: Entries, now: Instant, lease: Milliseconds) -> Turned:
    """Write a turn's entries and claim."""
    turned = Turned()
    stopped = {number for number, stop in entries.stops.items() if _stop(tx, number, stop)}
    if entries.settlements:
        settlements = [_placed(s, stopped, entries, now) for s in entries.settlements]
        turned.lost = tx.outbox.settle(worker, settlements, now)
        turned.moved = _follow(tx, settlements, entries)
        lost = {*turned.lost}
        _log(tx, [s for s in settlements if s.delivery.seq not in lost], now)
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


def _placed(settlement: Settlement, stopped: Collection[int], entries: Entries, now: Instant) -> Settlement:
    """Let a settlement follow what the configuration says now: a paused job tries nothing again."""
    delivery = settlement.delivery
    if settlement.state not in FINISHED and delivery.job in entries.paused:
        return msgspec.structs.replace(settlement, state=DeliveryState.PARKED, due=0)
    if settlement.state is DeliveryState.PARKED and (
        delivery.destination not in stopped or _home(delivery, entries) not in stopped
    ):
        # The refused credentials have been changed or left behind meanwhile, so what is there now gets its try.
        return msgspec.structs.replace(settlement, state=DeliveryState.RETRYING, due=now)
    return settlement


def _home(delivery: Delivery, entries: Entries) -> int:
    """Return where a delivery's job sends today."""
    return entries.homes.get(delivery.job, delivery.destination)


def _follow(tx: Transaction, settlements: Sequence[Settlement], entries: Entries) -> list[int]:
    """Send what was under way when its job moved, and has to be tried again, after the job; return where to."""
    strays = {
        (s.delivery.account, s.delivery.job, _home(s.delivery, entries))
        for s in settlements
        if s.state not in FINISHED and _home(s.delivery, entries) != s.delivery.destination
    }
    for account, job, home in strays:
        tx.outbox.redirect(account, job, home)
    return [home for _, _, home in strays]


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
