"""Erasing a person, step by step: what is kept of her anywhere once `removing` has taken her profile away.

Every step may be repeated: the log is changed before the store notes that it was, so a crash in between only does the
same again. A step that fails is tried again after a while, for as long as it takes.
"""

from collections.abc import Callable, Collection

import msgspec
import structlog

from gatepost.core.applying import read_event
from gatepost.core.erasing import Traces
from gatepost.core.plans import EMPTY_PLAN
from gatepost.core.retry import RetryOptions, next_due
from gatepost.model.erasure import EraseCommand, EraseStep, Erasure, Search, Withdrawn
from gatepost.model.event import Event, RecordKind
from gatepost.model.profile import Identifier
from gatepost.model.times import Instant
from gatepost.ports.catalog import Duty
from gatepost.ports.clock import Clock
from gatepost.ports.contents import Key
from gatepost.ports.erasures import Slice
from gatepost.ports.log import EventLog
from gatepost.ports.remains import Remains
from gatepost.ports.secrets import Secrets
from gatepost.ports.store import Store, Transaction
from gatepost.stages.excluding import TOO_LATE, sealed_receipt
from gatepost.stages.plans import PlanBook
from gatepost.stages.quoting import READ, holds, is_of, quoting, row_key, told_of_her
from gatepost.stages.removing import erase_profile

_LOG = structlog.get_logger("gatepost.erase")

_EVENTS = 1_000
"""Events a step takes: some ten milliseconds."""
_FOLDED = frozenset({RecordKind.EVENT, RecordKind.HISTORY, RecordKind.ATTRIBUTES})
_NAMING = _FOLDED | {RecordKind.EXCLUDE}
"""Records that may name somebody."""
_PATIENCE = RetryOptions()
_NO_MORE = "~"
"""Comes after the name of every table."""
_ENCODE = msgspec.json.Encoder().encode


class Eraser:
    """Does what is left of an erasure, a step at a time, on the thread of apply."""

    def __init__(
        self,
        log: EventLog,
        store: Store,
        secrets: Secrets,
        clock: Clock,
        on_erased: Callable[[Withdrawn], None] = lambda _: None,
    ) -> None:
        self._log = log
        self._store = store
        self._clock = clock
        self._plans = PlanBook()
        self._tries: dict[int, int] = {}
        self.secrets = secrets
        self.on_erased = on_erased
        """Called with what may not be sent any more."""

    def step(self, duty: Duty) -> None:
        """Do one step."""
        if not duty.subject:
            self._left_out(duty)
            return
        erasure = self._store.write_blocking(lambda tx: tx.erasures.get(duty.account, duty.subject))
        if erasure is None or erasure.step is EraseStep.DONE:
            self._store.write_blocking(lambda tx: tx.ledger.step_duty(duty, None))
            return
        if erasure.step is EraseStep.ASKED:
            self._begin(duty, erasure)
            return
        # What the step stores when it is done says that nothing is wrong any more.
        erasure.failures, erasure.again, erasure.trouble = 0, 0, ""
        getattr(self, f"_{erasure.step.value}")(duty, erasure, self._traces(erasure))

    def _begin(self, duty: Duty, erasure: Erasure) -> None:
        """Begin what could not be begun when its record was met; what came since goes with the rest."""
        found = self._log.fetch([erasure.record])

        def work(tx: Transaction) -> Withdrawn:
            if found:
                plan = self._plans.current(tx).get(duty.account, EMPTY_PLAN)
                return erase_profile(tx, self.secrets, plan, found[0])
            tx.ledger.step_duty(duty, None)
            return Withdrawn()

        self.on_erased(self._store.write_blocking(work))

    def postpone(self, tx: Transaction, duty: Duty, why: str) -> Instant:
        """Note that a step failed; return when to try it again, in wall time: it is never given up."""
        erasure = tx.erasures.get(duty.account, duty.subject) if duty.subject else None
        known = erasure.failures if erasure is not None else self._tries.get(duty.id, 0)
        failures = self._tries[duty.id] = known + 1
        now = self._clock.wall()
        again = next_due(failures, now, now, 0.0, _PATIENCE) or now
        if erasure is not None:
            erasure.failures, erasure.again, erasure.trouble = failures, again, why
            tx.erasures.put(erasure)
        return again

    def _traces(self, erasure: Erasure) -> Traces:
        work = self._store.write_blocking(lambda tx: tx.erasures.work(erasure.account, erasure.id))
        return Traces(msgspec.json.decode(self.secrets.open(work), type=Search).identifiers)

    def _left_out(self, duty: Duty) -> None:
        """Remove events from the log that came too late to be folded."""
        if not self._remove_events():
            remains = self._log.remains
            if remains.small():
                remains.rewrite()
            else:
                remains.look((), 0)
            self._store.write_blocking(lambda tx: tx.ledger.step_duty(duty, None))

    def _remove_events(self) -> int:
        doomed = self._store.write_blocking(lambda tx: tx.erasures.doomed(TOO_LATE, "event", _EVENTS))
        if doomed:
            self._log.rewrite({int(id_): None for id_ in doomed}).result()
            self._store.write_blocking(lambda tx: tx.erasures.spare(TOO_LATE, "event", doomed))
        return len(doomed)

    def _events(self, _duty: Duty, erasure: Erasure, _traces: Traces) -> None:
        doomed = self._store.write_blocking(lambda tx: tx.erasures.doomed(erasure.id, "event", _EVENTS))
        if doomed:
            self._log.rewrite({int(id_): None for id_ in doomed}).result()
            erasure.note("events", len(doomed))
        else:
            erasure.step = EraseStep.MENTIONS

        def work(tx: Transaction) -> None:
            tx.erasures.spare(erasure.id, "event", doomed)
            tx.erasures.put(erasure)

        self._store.write_blocking(work)

    def _mentions(self, _duty: Duty, erasure: Erasure, traces: Traces) -> None:
        events = [one for one in self._log.read(erasure.cursor, _EVENTS) if one.id < erasure.record]
        bodies: dict[int, bytes | None] = {}
        for event in events:
            if event.account == erasure.account and event.kind in _NAMING:
                kept = traces.without(event, self._identified)
                if kept is not event.body:
                    bodies[event.id] = kept if event.kind in _FOLDED else None
        erasure.note("mentions", len(bodies))
        if events:
            erasure.cursor = events[-1].id
        else:
            # The request itself named her, if only in a sealed way.
            bodies[erasure.record] = _ENCODE(EraseCommand(request=erasure.id))
            erasure.note("event_ids", self._log.forget_keys(erasure.account, traces.texts).result())
            erasure.step, erasure.cursor = EraseStep.DELIVERIES, 0
        if bodies:
            self._log.rewrite(bodies).result()
        self._store.write_blocking(lambda tx: tx.erasures.put(erasure))

    def _identified(self, event: Event) -> Collection[Identifier]:
        """Return what identifies anybody in an event, by the version of the schema that folded it."""
        versions = self._store.write_blocking(lambda tx: self._plans.versions(tx, event.account))
        try:
            return read_event(versions.folding(event.id), event).identifiers
        except (ArithmeticError, TypeError, ValueError):
            return ()

    def _deliveries(self, _duty: Duty, erasure: Erasure, _traces: Traces) -> None:
        def work(tx: Transaction) -> None:
            done = tx.erasures.remove_finished(erasure)
            # A finished one that somebody put back into the queue meanwhile goes too.
            again = tx.erasures.remove_unfinished(erasure)
            erasure.note("deliveries", again["deliveries"])
            erasure.table = done.table
            _moved(tx, erasure, "deliveries", done, EraseStep.MERGES)

        self._store.write_blocking(work)

    def _merges(self, _duty: Duty, erasure: Erasure, traces: Traces) -> None:
        def work(tx: Transaction) -> None:
            done = tx.erasures.remove_merges(erasure, traces.identifiers)
            _moved(tx, erasure, "merges", done, EraseStep.LINES)

        self._store.write_blocking(work)

    def _lines(self, _duty: Duty, erasure: Erasure, traces: Traces) -> None:
        def work(tx: Transaction) -> None:
            done = tx.erasures.remove_lines(erasure, traces.texts)
            if done.cursor is None:
                erasure.note("poisons", tx.erasures.remove_poisons(erasure.account, traces.texts))
            _moved(tx, erasure, "log_lines", done, EraseStep.QUOTES)

        self._store.write_blocking(work)

    def _quotes(self, _duty: Duty, erasure: Erasure, traces: Traces) -> None:
        contents = self._store.contents
        tables = [name for name in contents.tables() if name.startswith(READ) and name >= erasure.table]
        if not tables:
            self._sweep_next(erasure)
            return
        after = tuple(erasure.place) if tables[0] == erasure.table else ()
        piece = contents.rows(tables[0], after)
        naming = [
            row
            for row in piece.rows
            if is_of(row, erasure.account) and holds(row, traces.in_text, traces.may_be_in)
        ]
        erasure.table, erasure.place = tables[0], _place(piece.next or ())
        if piece.next is None:
            erasure.table = tables[1] if len(tables) > 1 else _NO_MORE

        def work(tx: Transaction) -> None:
            told = told_of_her(tx, erasure, naming)
            tx.erasures.silence(tables[0], [row_key(row) for row in told])
            erasure.note("snapshots", len(told))
            others = [row for row in naming if row not in told]
            back = {*tx.profiles.find(erasure.account, traces.identifiers).values()}
            for row in quoting(tx, erasure.account, others, back):
                erasure.quoted[row.kind] = erasure.quoted.get(row.kind, 0) + 1
            tx.erasures.put(erasure)

        self._store.write_blocking(work)

    def _sweep_next(self, erasure: Erasure) -> None:
        erasure.step, erasure.table, erasure.place = EraseStep.SWEEP, "", []
        self._store.write_blocking(lambda tx: tx.erasures.put(erasure))

    def _sweep(self, _duty: Duty, erasure: Erasure, _traces: Traces) -> None:
        if self._log.remains.sweep() or self._store.remains.sweep():
            return
        erasure.step, erasure.table = EraseStep.LOOK, "0"

        def work(tx: Transaction) -> None:
            # Ids of deliveries are hashes, but nobody needs them from here on.
            while ids := tx.erasures.doomed(erasure.id, "delivery", _EVENTS):
                tx.erasures.spare(erasure.id, "delivery", ids)
            tx.erasures.put(erasure)

        self._store.write_blocking(work)

    def _look(self, duty: Duty, erasure: Erasure, traces: Traces) -> None:
        """Read one piece of a file; `table` holds which file it is, 0 or 1."""
        files = self._files()
        index = int(erasure.table)
        if index == len(files):
            self._finish(duty, erasure)
            return
        remains = files[index]
        piece = None if remains.small() else remains.look(traces.raw, erasure.cursor)
        if piece is None or piece.found:
            remains.rewrite()
            erasure.note("files_rewritten", 1)
        if piece is None or piece.found or piece.next is None:
            erasure.table, erasure.cursor = str(index + 1), 0
        else:
            erasure.cursor = piece.next
        self._store.write_blocking(lambda tx: tx.erasures.put(erasure))

    def _finish(self, duty: Duty, erasure: Erasure) -> None:
        erasure.step, erasure.table, erasure.cursor = EraseStep.DONE, "", 0
        erasure.completed = self._clock.wall()
        erasure.digest = sealed_receipt(self.secrets, erasure)

        def work(tx: Transaction) -> None:
            tx.erasures.put(erasure, b"")
            tx.ledger.count(erasure.account, {"erasures": 1})
            tx.ledger.step_duty(duty, None)

        self._store.write_blocking(work)
        _LOG.info("erase.done", request=erasure.id)

    def _files(self) -> list[Remains]:
        return [self._log.remains, self._store.remains]


def _moved(tx: Transaction, erasure: Erasure, what: str, done: Slice, then: EraseStep) -> None:
    """Note what a look at stored rows did, and where the next begins."""
    erasure.note(what, done.removed)
    if done.cursor is None:
        erasure.step, erasure.table, erasure.cursor = then, "", 0
    else:
        erasure.cursor = done.cursor
    tx.erasures.put(erasure)


def _place(key: Key) -> list[int | str]:
    return [part for part in key if isinstance(part, int | str)]
