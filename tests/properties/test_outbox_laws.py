"""Whatever is merged, parted, moved or given up: what was triggered first for somebody arrives there first."""

import tempfile
from itertools import chain
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.backends.sqlite.store import SqliteStore
from gatepost.model.delivery import Delivery, DeliveryState
from gatepost.ports.outbox import Claim, Enqueued, Settlement
from tests.factories import ACCOUNT, make_delivery

NOW = 1_700_000_000_000
PROFILES = st.integers(1, 3)
DESTINATIONS = st.integers(5, 6)
TOLD = st.tuples(st.just("enqueue"), st.tuples(PROFILES, st.just(5)))
PARTED = st.tuples(st.just("part"), st.tuples(PROFILES, PROFILES))
MERGED = st.tuples(st.just("merge"), st.tuples(PROFILES, PROFILES))
STEPS = st.one_of(
    TOLD,
    PARTED,
    MERGED,
    st.tuples(st.just("enqueue"), st.tuples(PROFILES, DESTINATIONS)),
    st.tuples(st.just("claim"), st.tuples(DESTINATIONS, st.integers(1, 3))),
    st.tuples(st.just("settle"), st.tuples(st.integers(0, 9), st.booleans())),
    st.tuples(st.just("redirect"), st.tuples(DESTINATIONS, DESTINATIONS)),
    st.tuples(st.just("cancel"), DESTINATIONS),
)
ROUNDS = st.lists(st.tuples(TOLD, TOLD, STEPS, PARTED, MERGED, STEPS).map(list), max_size=6)


class Row:
    """A delivery as a naive queue knows it: whose order it holds, and where."""

    def __init__(self, delivery: Delivery) -> None:
        self.place, self.id = delivery.seq, delivery.id
        self.job, self.destination = delivery.job, delivery.destination
        self.owner, self.holds = delivery.profile, {delivery.profile}
        self.leased = False


class Queue:
    """An outbox, and beside it all it has to hold by the plainest of means."""

    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore(folder / "state")
        self.rows: list[Row] = []
        self.leased: list[Delivery] = []
        self.made = 0

    def write(self, work: Any) -> Any:
        return self.store.write_blocking(work)

    def do_enqueue(self, value: tuple[int, int]) -> None:
        profile, destination = value
        self.made += 1
        made = make_delivery(
            id=f"{self.made:032x}", profile=profile, destination=destination, job=str(destination)
        )
        self.write(lambda tx: tx.outbox.enqueue([Enqueued(b"{}", (made,))]))
        self.rows.append(Row(made))

    def do_claim(self, value: tuple[int, int]) -> list[Delivery]:
        destination, limit = value
        claims = [Claim(destination=destination, limit=limit)]
        claimed: list[Delivery] = self.write(lambda tx: tx.outbox.claim("w", claims, NOW, NOW + 60_000))
        for delivery in claimed:
            (row,) = [row for row in self.rows if row.id == delivery.id]
            earlier = self.rows[: self.rows.index(row)]
            assert row.destination == destination
            assert not any(row.owner in e.holds for e in earlier if e.destination == destination)
            row.leased = True
        self.leased += claimed
        return claimed

    def do_settle(self, value: tuple[int, bool]) -> None:
        which, finished = value
        if self.leased:
            delivery = self.leased.pop(which % len(self.leased))
            state = DeliveryState.DELIVERED if finished else DeliveryState.RETRYING
            self.write(lambda tx: tx.outbox.settle("w", [Settlement(delivery=delivery, state=state)], NOW))
            for row in [row for row in self.rows if row.id == delivery.id]:
                row.leased = False
                if finished:
                    self.rows.remove(row)

    def do_merge(self, value: tuple[int, int]) -> None:
        absorbed, survivor = value
        if absorbed != survivor:
            self.write(lambda tx: tx.outbox.rekey(ACCOUNT, absorbed, survivor))
            for row in self.rows:
                row.owner = survivor if row.owner == absorbed else row.owner
                row.holds = {survivor if one == absorbed else one for one in row.holds}

    def do_part(self, value: tuple[int, int]) -> None:
        revived, survivor = value
        if not any(row.owner == revived for row in self.rows) and revived != survivor:
            self.write(lambda tx: tx.outbox.share(ACCOUNT, survivor, revived))
            for row in self.rows:
                if survivor in row.holds:
                    row.holds.add(revived)

    def do_redirect(self, value: tuple[int, int]) -> None:
        job, destination = value
        self.write(lambda tx: tx.outbox.redirect(ACCOUNT, str(job), destination))
        for row in self.rows:
            if row.job == str(job) and not row.leased:
                row.destination = destination

    def do_cancel(self, job: int) -> None:
        self.write(lambda tx: tx.outbox.cancel(ACCOUNT, job=str(job), reason="job killed", now=NOW))
        self.rows = [row for row in self.rows if row.job != str(job) or row.leased]

    def empty(self) -> None:
        """Deliver all that is left; nothing may be stuck behind something that is gone."""
        while self.leased:
            self.do_settle((0, True))
        while self.rows:
            assert self.do_claim((5, 3)) + self.do_claim((6, 3))
            while self.leased:
                self.do_settle((0, True))


@settings(max_examples=100)
@given(rounds=ROUNDS)
def test_triggers_of_one_profile_are_claimed_in_order_through_merges_and_partings(
    rounds: list[list[tuple[str, Any]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        queue = Queue(Path(folder))
        for what, value in chain.from_iterable(rounds):
            getattr(queue, f"do_{what}")(value)
        queue.empty()
        queue.store.close()
