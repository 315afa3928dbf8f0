"""The outbox in SQLite; see `ports.outbox`.

A row is a head when nothing earlier of its profile and destination is unfinished; only heads can be claimed, so
order holds across jobs without looking back at claim time.
"""

import sqlite3
import zlib
from collections import Counter
from collections.abc import Collection, Sequence

import msgspec
import orjson

from gatepost.backends.sqlite.days import DayTables
from gatepost.backends.sqlite.queries import load_queries
from gatepost.backends.sqlite.rows import delivery_of, row_of
from gatepost.model.delivery import FINISHED, Attempt, Delivery, DeliveryState
from gatepost.model.times import Instant
from gatepost.ports.outbox import Claim, Enqueued, Settlement

_SQL = load_queries("outbox.sql")


class SqliteOutbox:
    """The outbox inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._days = DayTables(connection)

    def enqueue(self, batches: Sequence[Enqueued]) -> int:
        """Store new deliveries with the snapshots they share."""
        execute = self._connection.execute
        stored = 0
        for batch in batches:
            fresh = [d for d in batch.deliveries if execute(_SQL["known"], (d.id,)).fetchone() is None]
            if not fresh:
                continue
            # Level 1 halves a profile at a twentieth of the default's time.
            body = zlib.compress(batch.snapshot, 1)
            snapshot = execute(_SQL["add_snapshot"], (len(fresh), body)).lastrowid
            self._connection.executemany(_SQL["enqueue"], [_new_row(d, snapshot or 0) for d in fresh])
            stored += len(fresh)
        return stored

    def claim(
        self, worker: str, claims: Sequence[Claim], now: Instant, lease_until: Instant
    ) -> list[Delivery]:
        """Lease due heads."""
        claimed = []
        for claim in claims:
            values = (worker, lease_until, now, claim.destination, now, claim.limit)
            claimed += [
                delivery_of(row) for row in self._connection.execute(_SQL["claim"], values).fetchall()
            ]
        return sorted(claimed, key=lambda delivery: delivery.seq)

    def store_bodies(self, bodies: dict[tuple[int, int], bytes]) -> None:
        """Keep rendered requests."""
        rows = [(body, seq, snapshot) for (seq, snapshot), body in bodies.items()]
        self._connection.executemany(_SQL["store_body"], rows)

    def settle(self, worker: str, settlements: Sequence[Settlement], now: Instant) -> list[int]:
        """Record attempts and next states of deliveries whose lease still holds."""
        claimed = orjson.dumps([settlement.delivery.seq for settlement in settlements])
        held = dict(self._connection.execute(_SQL["held_leases"], (worker, claimed)).fetchall())
        kept = [_as_stored(s, held[s.delivery.seq]) for s in settlements if s.delivery.seq in held]
        lost = [s.delivery.seq for s in settlements if s.delivery.seq not in held]
        self._record([s.attempt for s in kept if s.attempt is not None], now)
        self._postpone([s for s in kept if s.state not in FINISHED])
        self._finish([s for s in kept if s.state in FINISHED], now)
        return lost

    def rekey(self, account: int, absorbed: int, survivor: int) -> None:
        """Hand unfinished deliveries of a merged profile to its survivor."""
        execute = self._connection.execute
        destinations = execute(_SQL["destinations_of"], (account, absorbed)).fetchall()
        if not destinations:
            return
        execute(_SQL["rekey"], (survivor, account, absorbed))
        execute(_SQL["rekey_parted"], (survivor, absorbed))
        for (destination,) in destinations:
            execute(_SQL["demote"], (destination, survivor))
            execute(_SQL["promote"], (destination, survivor))

    def share(self, account: int, survivor: int, revived: int) -> None:
        """Let a revived profile's deliveries wait for all that is under way for the one it was part of."""
        self._connection.execute(_SQL["share"], (account, survivor, revived))

    def shared(self, account: int, profiles: Collection[int]) -> list[Delivery]:
        """Return the unfinished deliveries of others that hold the order of some profiles too."""
        found: dict[int, Delivery] = {}
        for profile in profiles:
            for row in self._connection.execute(_SQL["shared"], (account, profile)):
                found[row[0]] = delivery_of(row)
        return [one for one in found.values() if one.profile not in profiles]

    def retell(self, deliveries: Collection[Delivery], snapshot: bytes) -> None:
        """Give unfinished deliveries another snapshot."""
        if not deliveries:
            return
        many, body = self._connection.executemany, zlib.compress(snapshot, 1)
        id_ = self._connection.execute(_SQL["add_snapshot"], (len(deliveries), body)).lastrowid
        many(_SQL["retell"], [(id_, delivery.seq) for delivery in deliveries])
        told = [(delivery.snapshot,) for delivery in deliveries]
        many(_SQL["share_less"], told)
        many(_SQL["drop_snapshot"], told)

    def redirect(self, account: int, job: str, destination: int) -> int:
        """Send a job's unfinished deliveries elsewhere."""
        execute = self._connection.execute
        keys = execute(_SQL["keys_of_job"], (account, job, destination)).fetchall()
        moved = execute(_SQL["redirect"], (destination, account, job)).rowcount
        for old, profile in keys:
            execute(_SQL["promote"], (old, profile))
            execute(_SQL["demote"], (destination, profile))
            execute(_SQL["promote"], (destination, profile))
        return moved

    def rescue(self, now: Instant) -> int:
        """Free deliveries whose lease has ended."""
        freed = self._connection.execute(_SQL["rescue"], (now,)).fetchall()
        self._order(freed)
        return len(freed)

    def snapshots(self, ids: Collection[int]) -> dict[int, bytes]:
        """Return snapshots by id."""
        found = {}
        for id_ in set(ids):
            row = self._connection.execute(_SQL["snapshot"], (id_,)).fetchone()
            if row is not None:
                found[id_] = zlib.decompress(row[0])
        return found

    def destinations(self) -> list[int]:
        """Return the destinations with something unfinished."""
        return [number for (number,) in self._connection.execute(_SQL["destinations"])]

    def wakeups(self, destinations: Collection[int], now: Instant) -> dict[int, Instant | None]:
        """Return when each destination next has something due."""
        found: dict[int, Instant | None] = {}
        for destination in destinations:
            (due,) = self._connection.execute(_SQL["wakeup"], (destination,)).fetchone()
            found[destination] = None if due is None else max(due, now)
        return found

    def hold(self, account: int, *, job: str = "", destination: int = 0, held: bool) -> int:
        """Park or free waiting deliveries."""
        scope, key = ("job", job) if job else ("destination", destination)
        query = f"{'park' if held else 'free'}_{scope}"
        return self._connection.execute(_SQL[query], (account, key)).rowcount

    def cancel(self, account: int, *, job: str, reason: str, now: Instant) -> int:
        """Cancel unfinished deliveries of a job."""
        cancelled = 0
        while rows := self._connection.execute(_SQL["unfinished_of_job"], (account, job)).fetchall():
            deliveries = [delivery_of(row) for row in rows]
            state = DeliveryState.CANCELLED
            self._finish([Settlement(delivery=d, state=state, reason=reason) for d in deliveries], now)
            cancelled += len(deliveries)
        return cancelled

    def _record(self, attempts: list[Attempt], now: Instant) -> None:
        if attempts:
            table = self._days.table("attempts", now)
            rows = [msgspec.structs.astuple(attempt) for attempt in attempts]
            self._connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608 - our own table names

    def _postpone(self, settlements: list[Settlement]) -> None:
        for settlement in settlements:
            # Work that was given back unsent does not use up an attempt.
            query = "postpone" if settlement.attempt is not None else "give_back"
            row = (settlement.state.value, settlement.due, settlement.delivery.seq)
            self._order(self._connection.execute(_SQL[query], row).fetchall())

    def _order(self, keys: Collection[tuple[int, int]]) -> None:
        """See to it that one delivery goes at a time again where a merge brought two together that were under way."""
        execute = self._connection.execute
        for key in set(keys):
            if execute(_SQL["is_out_of_order"], key).fetchone()[0]:
                execute(_SQL["demote"], key)
                execute(_SQL["promote"], key)

    def _finish(self, settlements: list[Settlement], now: Instant) -> None:
        if not settlements:
            return
        many = self._connection.executemany
        table = self._days.table("finished", now)
        entities = self._kept_entities(settlements)
        rows = [
            (*row_of(s.delivery, s.state), s.reason, now, entities.get(s.delivery.snapshot))
            for s in settlements
        ]
        marks = ", ".join("?" * len(rows[0]))
        many(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", rows)  # noqa: S608 - our own table names
        seqs = orjson.dumps([s.delivery.seq for s in settlements])
        many(_SQL["promote"], self._removed(seqs))
        snapshots = [(s.delivery.snapshot,) for s in settlements]
        many(_SQL["share_less"], snapshots)
        many(_SQL["drop_snapshot"], snapshots)
        tally = Counter((s.delivery.account, s.delivery.job, s.state.value) for s in settlements)
        many(_SQL["tally"], [(*key, amount) for key, amount in tally.items()])

    def _removed(self, seqs: bytes) -> list[tuple[int, int]]:
        """Remove rows; return the destinations and profiles whose next one may go now."""
        # The stored keys, not the claimed ones: a merge may have moved a row meanwhile.
        rows = self._connection.execute(_SQL["remove"], (seqs,)).fetchall()
        keys = [(destination, profile) for destination, profile, _ in rows]
        waiting = self._connection.execute(_SQL["remove_parted"], (seqs,)).fetchall()
        if waiting:
            destinations = {seq: destination for destination, _, seq in rows}
            keys += [(destinations[seq], profile) for profile, seq in waiting]
        return keys

    def _kept_entities(self, settlements: list[Settlement]) -> dict[int, bytes]:
        """Return the compressed snapshots of deliveries that did not arrive: a replay renders them anew."""
        ids = {s.delivery.snapshot for s in settlements if s.state is not DeliveryState.DELIVERED}
        found = {}
        for id_ in ids:
            row = self._connection.execute(_SQL["snapshot"], (id_,)).fetchone()
            if row is not None:
                found[id_] = row[0]
        return found


def _as_stored(settlement: Settlement, snapshot: int) -> Settlement:
    """Return a settlement without what its delivery said when it has been told anew meanwhile."""
    delivery, attempt = settlement.delivery, settlement.attempt
    if delivery.snapshot == snapshot:
        return settlement
    delivery = msgspec.structs.replace(delivery, snapshot=snapshot, body=None)
    if attempt is not None:
        attempt = msgspec.structs.replace(attempt, reason="", answer=b"")
    return msgspec.structs.replace(settlement, delivery=delivery, attempt=attempt)


def _new_row(delivery: Delivery, snapshot: int) -> tuple[object, ...]:
    return (
        delivery.id,
        delivery.account,
        delivery.job,
        delivery.destination,
        delivery.profile,
        delivery.audience,
        delivery.crossing.value,
        delivery.at,
        delivery.transition,
        snapshot,
        delivery.hops,
        delivery.state.value,
        delivery.due,
        delivery.created,
    )
