"""Apply: reads the log in order and folds it, batch by batch, each in one transaction with its position.

Runs on a thread of its own. A batch that fails is halved until the poison event is alone; that one is set
aside with its error, and the rest goes on.
"""

import threading
from collections.abc import Callable

import msgspec
import structlog

from gatepost.model.erasure import Withdrawn
from gatepost.model.errors import GatepostError, OperatorError, Unavailable
from gatepost.model.event import Event, RecordKind
from gatepost.model.times import Instant
from gatepost.ports.catalog import Duty, Poison
from gatepost.ports.clock import Clock
from gatepost.ports.log import EventLog
from gatepost.ports.store import Store, Transaction
from gatepost.ports.survey import Found, SurveyLost, Surveyor, SurveyOutdated
from gatepost.stages import duties, excluding
from gatepost.stages.batch import Batch
from gatepost.stages.endings import end_expired, next_ending
from gatepost.stages.erasing import Eraser
from gatepost.stages.lookout import Lookout
from gatepost.stages.plans import PlanBook
from gatepost.stages.removing import put_off

_LOG = structlog.get_logger("gatepost.apply")

BATCH = 512
"""Records a turn takes: about 30 ms, so that deliveries waiting for the same writer hardly notice."""

_SHARE = 8
"""While records wait in the log, a duty gets one of so many turns."""

_LONGEST_NAP_S = 0.25
"""Bounds how late a wake-up can be when a signal is lost or the wall clock jumps."""


class Turn(msgspec.Struct, kw_only=True):
    """What one turn did."""

    position: int
    records: int = 0
    more: bool = False
    destinations: frozenset[int] = frozenset()
    next_due: Instant | None = None
    duty: Duty | None = None
    """What is to be done besides."""
    surveyed: bool = False
    """Somebody looks ahead for it."""
    behind: bool = False
    """More records wait in the log."""
    erased: Withdrawn | None = None
    """What may not be sent any more."""


class ApplyStage:
    """The loop between the log and the outbox."""

    def __init__(
        self,
        log: EventLog,
        store: Store,
        clock: Clock,
        on_deliveries: Callable[[frozenset[int]], None],
        eraser: Eraser,
        surveyor: Surveyor | None = None,
    ) -> None:
        self._log = log
        self._lookout = Lookout(surveyor)
        self._passed = 0
        """Turns since a duty had one, while records wait."""
        self._store = store
        self._clock = clock
        self._on_deliveries = on_deliveries
        self._eraser = eraser
        self._plans = PlanBook()
        self._stuck: dict[int, Instant] = {}
        """When erasures that could not go on are tried again, in wall time."""
        self._limit = BATCH
        self._signal = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._position = store.write_blocking(lambda tx: tx.ledger.position()[0])

    @property
    def position(self) -> int:
        """The id of the last applied record."""
        return self._position

    def wake(self) -> None:
        """Say that there may be something to do."""
        self._signal.set()

    def start(self) -> None:
        """Run turns on a thread until stopped."""
        self._thread = threading.Thread(target=self._run, name="gatepost-apply", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the current turn and end the thread."""
        self._stopping.set()
        self._signal.set()
        if self._thread is not None:
            self._thread.join()
        self._lookout.end()

    def run_once(self) -> Turn:
        """Do one turn: the next records, else what is due, else a step of a duty."""
        # Asked before reading: what is appended meanwhile was received no earlier, so no wake-up overtakes it.
        reached = self._clock.audience()
        events = self._log.read(self._position, self._limit)
        try:
            turn = self._store.write_blocking(lambda tx: self._fold(tx, events, reached))
        except Unavailable:
            self._plans = PlanBook()
            raise
        except Exception as error:  # noqa: BLE001 - a poison event may raise anything; it must not stop the others
            return self._recover(events, error)
        self._position = turn.position
        if events:
            self._limit = min(BATCH, self._limit * 2)
        if turn.erased is not None:
            self._eraser.on_erased(turn.erased)
        if turn.destinations:
            self._on_deliveries(turn.destinations)
        if turn.duty is None:
            self._lookout.end()
        elif not self._gives_way(turn):
            turn.more |= self._do_duty(
                turn.duty, duties.most_at_once(turn.duty, beside=bool(events)) if turn.surveyed else 0
            )
        return turn

    def _fold(self, tx: Transaction, events: list[Event], reached: Instant) -> Turn:
        plans = self._plans.current(tx, events[0].id if events else 0)
        wall = self._clock.wall()
        batch = Batch(tx, plans, wall, self._log.fetch, self._eraser.secrets)
        drained = len(events) < self._limit
        if self._plans.until is not None and events and events[-1].id > self._plans.until:
            # The rest is of a newer version of somebody's schema.
            events = [event for event in events if event.id <= self._plans.until]
            drained = False
        # A clock that was set back must not hold up what is in the log already.
        read = max(batch.now, events[-1].received) if events else batch.now
        until = max(reached, read) if drained else read
        batch.fold(events, until)
        duty = next((one for one in tx.ledger.duties() if self._may_do(one, wall)), None)
        if duty is not None and drained:
            # A walk looks at profiles as of now, not as of the last event.
            batch.now = max(batch.now, batch.horizon)
        batch.save()
        self._lookout.note(batch.changed)
        # What waited for a version to begin is done at once.
        more = batch.owing or batch.horizon < until or batch.position == self._plans.until
        if not more:
            # Those who leave by themselves have left, each at that very instant.
            more = end_expired(tx, plans.values(), batch.horizon)
        return Turn(
            position=batch.position,
            records=len(events),
            more=more or not drained,
            behind=not drained,
            destinations=frozenset(batch.destinations),
            next_due=_earlier(tx.profiles.next_due(), next_ending(plans.values())),
            duty=duty,
            surveyed=duty is not None and (self._lookout.watches(duty) or duties.is_surveyed(tx, duty)),
            erased=batch.erased,
        )

    def _may_do(self, duty: Duty, wall: Instant) -> bool:
        """Say whether a duty can be done now: how long values are kept counts from a version's first event on."""
        waits = duty.kind == "lapse" and self._plans.waits(duty.account)
        return not waits and self._stuck.get(duty.id, 0) <= wall

    def _gives_way(self, turn: Turn) -> bool:
        """Say whether a duty lets the next records go first: they are many, and it had its share lately."""
        self._passed = self._passed + 1 if turn.behind else _SHARE
        if self._passed < _SHARE:
            return True
        self._passed = 0
        return False

    def _do_duty(self, duty: Duty, surveyed: int) -> bool:
        """Do a step of a duty, of so many profiles if they are `surveyed`; say whether it can go on at once."""
        if not surveyed:
            self._lookout.end()
            self._do_step(duty, None)
            return True
        try:
            found = self._lookout.found(duty, surveyed)
            if found is not None:
                self._do_step(duty, found)
        except SurveyOutdated:
            self._lookout.end()
        except SurveyLost:
            self._lookout.end()
            self._do_step(duty, None)
        else:
            return found is not None
        return True

    def _do_step(self, duty: Duty, found: Found | None) -> None:
        """Do a step of a long walk; one that fails is set aside, for it would fail again and must hold up nobody."""
        try:
            destinations = self._one_step(duty, found)
        except (Unavailable, SurveyOutdated):
            raise
        except Exception as error:  # noqa: BLE001 - a walk meets stored values of any kind
            self._plans = PlanBook()
            _LOG.error(
                "duty.set_aside",
                kind=duty.kind,
                audience=duty.audience,
                job=duty.subject,
                error=_described(error),
            )
            # What an error says may name somebody, unless it is one of ours.
            why = error.message if isinstance(error, GatepostError) else type(error).__name__
            self._store.write_blocking(lambda tx: self._give_up(tx, duty, why))
        else:
            if found is not None:
                self._lookout.pass_by(duty, found)
            if destinations:
                self._on_deliveries(destinations)

    def _one_step(self, duty: Duty, found: Found | None) -> frozenset[int]:
        if duty.kind == excluding.KIND:
            # It changes the log too, so it cannot be one transaction.
            self._eraser.step(duty)
            return frozenset()
        return self._store.write_blocking(lambda tx: self._step(tx, duty, found))

    def _step(self, tx: Transaction, duty: Duty, found: Found | None) -> frozenset[int]:
        plans = self._plans.current(tx)
        wall = self._clock.wall()
        batch = Batch(tx, plans, wall, self._log.fetch, self._eraser.secrets)
        if found is None:
            duties.step(tx, batch, plans, duty, wall)
        else:
            duties.step_found(tx, batch, duty, found, self._lookout.outdated(duty, found))
        batch.save()
        self._lookout.note(batch.changed)
        return frozenset(batch.destinations)

    def _give_up(self, tx: Transaction, duty: Duty, why: str) -> None:
        if duty.kind == excluding.KIND:
            # A person must not stay half erased, so it is put off and never given up.
            self._stuck[duty.id] = self._eraser.postpone(tx, duty, why)
            return
        tx.ledger.step_duty(duty, None)
        tx.ledger.count(duty.account, {"duties_set_aside": 1})

    def _recover(self, events: list[Event], error: Exception) -> Turn:
        """Halve the batch, or set its one event aside; what fails without any event waits for a mend."""
        # A rolled-back change of the catalog must not linger under a version number that comes again.
        self._plans = PlanBook()
        if len(events) > 1:
            self._limit = max(1, len(events) // 2)
            return Turn(position=self._position, more=True)
        if not events or self._fails_without(events[0]):
            msg = f"apply cannot go on: {_described(error)}"
            raise OperatorError(msg) from error
        poison = events[0]
        _LOG.warning(
            "apply.set_aside", event_id=str(poison.id), stream=poison.stream, error=_described(error)
        )
        self._store.write_blocking(lambda tx: self._set_aside(tx, poison, error))
        self._position = poison.id
        return Turn(position=poison.id, records=1, more=True)

    def _fails_without(self, event: Event) -> bool:
        """Say whether configuration or wake-ups are to blame rather than the event."""
        try:
            self._store.write_blocking(lambda tx: self._fold(tx, [], event.received))
        except Exception:  # noqa: BLE001 - the question is only whether anything fails
            self._plans = PlanBook()
            return True
        return False

    def _set_aside(self, tx: Transaction, event: Event, error: Exception) -> None:
        tx.ledger.set_aside(
            Poison(
                event=event.id,
                account=event.account,
                stream=event.stream,
                error=_described(error),
                at=self._clock.wall(),
            )
        )
        if event.kind == RecordKind.ERASE:
            put_off(tx, event)
        tx.ledger.count(event.account, {"events_applied": 1, "events_set_aside": 1})
        _, now = tx.ledger.position()
        tx.ledger.advance(event.id, max(now, event.received))

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._signal.clear()
            try:
                turn = self.run_once()
            except Exception as error:  # noqa: BLE001 - one turn's failure must never end the stage
                # A full disk: collect answers 503 meanwhile, and everything accepted stays in the log.
                _LOG.error("apply.waiting", error=_described(error))
                self._stopping.wait(1.0)
                continue
            if not turn.more:
                self._signal.wait(self._nap(turn))

    def _nap(self, turn: Turn) -> float:
        """Return the seconds until the next wake-up is due."""
        if self._log.head() > self._position:
            return 0.0
        if turn.next_due is None:
            return _LONGEST_NAP_S
        return max(0.0, min(_LONGEST_NAP_S, (turn.next_due - self._clock.audience()) / 1000))


def _earlier(one: Instant | None, other: Instant | None) -> Instant | None:
    return min((instant for instant in (one, other) if instant is not None), default=None)


def _described(error: Exception) -> str:
    return error.message if isinstance(error, GatepostError) else f"{type(error).__name__}: {error}"
