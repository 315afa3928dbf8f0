"""The deliveries this process holds, and what became of them until that is on disk."""

from collections.abc import Callable, Iterable

from gatepost.core.deliveries import after_attempt
from gatepost.core.retry import RetryOptions
from gatepost.model.delivery import Attempt, Delivery, DeliveryState, Outcome, Verdict
from gatepost.model.times import Instant
from gatepost.ports.clock import Clock
from gatepost.ports.outbox import Settlement
from gatepost.stages.books import Entries
from gatepost.stages.lanes import Lanes


class Settlements:
    """What is under way, and the entries that wait for the next turn."""

    def __init__(
        self,
        lanes: Lanes,
        clock: Clock,
        roll: Callable[[], float],
        retry: RetryOptions,
        signal: Callable[[], None],
    ) -> None:
        """Begin with nothing held; `signal` is called when there is something to write."""
        self._lanes = lanes
        self._clock = clock
        self._roll = roll
        self._retry = retry
        self._signal = signal
        self._held: set[int] = set()
        self.entries = Entries()

    def __len__(self) -> int:
        """Count the deliveries between claim and settlement."""
        return len(self._held)

    def hold(self, deliveries: Iterable[Delivery]) -> None:
        """Note that deliveries were claimed."""
        for delivery in deliveries:
            self._held.add(delivery.seq)
            self._lanes.lane(delivery.destination).under_way += 1

    def attempted(self, delivery: Delivery, outcome: Outcome, attempt: Attempt) -> None:
        """Settle a delivery after an attempt."""
        now, roll = self._clock.wall(), self._roll()
        state, due, reason = after_attempt(delivery, outcome, now, roll, self._retry)
        self._add(Settlement(delivery=delivery, state=state, due=due, reason=reason, attempt=attempt))

    def unsent(self, delivery: Delivery, reason: str, *, retry_after: int | None = None) -> None:
        """Settle a delivery that could not be sent this time; that counts as an attempt."""
        outcome = Outcome(verdict=Verdict.RETRY, reason=reason, retry_after=retry_after)
        self.attempted(delivery, outcome, self._attempt(delivery, "retry", reason))

    def end(self, delivery: Delivery, state: DeliveryState, reason: str) -> None:
        """Finish a delivery of which nothing was sent; why stays among its attempts."""
        attempt = self._attempt(delivery, state.value, reason)
        self._add(Settlement(delivery=delivery, state=state, reason=reason, attempt=attempt))

    def settle(self, delivery: Delivery, state: DeliveryState, reason: str, *, due: Instant = 0) -> None:
        """Settle a delivery without an attempt."""
        self._add(Settlement(delivery=delivery, state=state, due=due, reason=reason))

    def take(self) -> Entries:
        """Return what there is to write, and begin anew."""
        entries, self.entries = self.entries, Entries()
        return entries

    def put_back(self, entries: Entries) -> None:
        """Take back what could not be written."""
        self.entries.settlements[:0] = entries.settlements
        self.entries.bodies.update(entries.bodies)
        self.entries.stops.update(entries.stops)

    def _attempt(self, delivery: Delivery, verdict: str, reason: str) -> Attempt:
        return Attempt(
            delivery=delivery.id,
            number=delivery.attempts,
            started=self._clock.wall(),
            duration=0,
            verdict=verdict,
            reason=reason,
        )

    def _add(self, settlement: Settlement) -> None:
        """Queue a settlement and free its slot; its destination is looked at again in the same turn."""
        if settlement.delivery.seq not in self._held:
            return
        self._held.remove(settlement.delivery.seq)
        lane = self._lanes.lane(settlement.delivery.destination)
        lane.under_way -= 1
        lane.due = 0
        self.entries.settlements.append(settlement)
        self._signal()
