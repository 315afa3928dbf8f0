"""Erasing a person: at once what makes her a profile, then step by step what is kept of her anywhere.

The record in the log is applied in its order, so that events before it are folded and go with the profile. That
transaction takes away everything that could be shown or sent. The rest is a duty whose every step may be repeated:
the log is changed before the store notes that it was, so a crash in between only does the same again.
"""

import base64
from collections.abc import Callable, Collection, Iterable

import msgspec
import structlog

from gatepost.core.erasing import Traces, family, leading_to
from gatepost.model.erasure import EraseCommand, EraseStep, Erasure, Search
from gatepost.model.event import Event, RecordKind
from gatepost.model.profile import Identifier, Profile
from gatepost.model.times import Instant
from gatepost.ports.catalog import Duty
from gatepost.ports.clock import Clock
from gatepost.ports.erasures import Slice
from gatepost.ports.log import EventLog
from gatepost.ports.profiles import ProfileChanges
from gatepost.ports.remains import Remains
from gatepost.ports.secrets import Secrets
from gatepost.ports.store import Store, Transaction

_LOG = structlog.get_logger("gatepost.erase")

KIND = "erase"
"""The duty's kind."""
_TOO_LATE = ""
"""Stands for the request where events that were left out have to go."""
_EVENTS = 1_000
"""Events a step takes: some ten milliseconds."""
_FOLDED = frozenset({RecordKind.EVENT, RecordKind.HISTORY})
_NAMING = _FOLDED | {RecordKind.EXCLUDE}
"""Records that may name somebody."""
_ENCODE = msgspec.json.Encoder().encode


def command_body(secrets: Secrets, request: str, identifier: Identifier) -> bytes:
    """Return the body of a record that asks for an erasure."""
    sealed = secrets.seal(_ENCODE(identifier))
    return _ENCODE(EraseCommand(request=request, sealed=base64.b64encode(sealed).decode()))


def identifier_hash(secrets: Secrets, identifier: Identifier) -> str:
    """Return the keyed hash under which an identifier is remembered."""
    return secrets.fingerprint("\0".join(identifier).encode())


def value_hash(secrets: Secrets, value: str) -> str:
    """Return the keyed hash by which an audit recognises an identifier's value."""
    return secrets.fingerprint(value.casefold().encode())


def sealed_receipt(secrets: Secrets, erasure: Erasure) -> str:
    """Return the keyed hash over a receipt."""
    return secrets.fingerprint(_ENCODE(msgspec.structs.replace(erasure, digest="")))


class Exclusions:
    """Keeps the past of erased people out; while nobody was erased, one comparison of numbers an event."""

    def __init__(self, tx: Transaction, secrets: Secrets | None) -> None:
        self._tx = tx
        self._secrets = secrets
        self.until: Instant = tx.erasures.latest_exclusion() if secrets is not None else 0
        self._left: list[int] = []
        self.owing = False
        """Whether a step of the eraser is due after this batch."""

    def leave_out(self, event: Event, identifiers: Iterable[Identifier]) -> bool:
        """Say whether an event stays out; its record goes from the log then."""
        secrets = self._secrets
        if secrets is None:
            return False
        hashes = [identifier_hash(secrets, one) for one in identifiers]
        if not self._tx.erasures.excluded(event.account, hashes, event.at):
            return False
        self._left.append(event.id)
        self.owing = True
        return True

    def save(self, accounts: Iterable[int]) -> None:
        """See to it that what was left out goes from the log."""
        if self._left:
            self._tx.erasures.doom(_TOO_LATE, "event", [str(id_) for id_ in self._left])
            self._left = []
            if not any(duty.kind == KIND and not duty.subject for duty in self._tx.ledger.duties()):
                self._tx.ledger.add_duty(Duty(account=min(accounts), kind=KIND, subject="", audience=0))


def erase_profile(tx: Transaction, secrets: Secrets, event: Event) -> frozenset[int]:
    """Take away what makes somebody a profile, and begin the erasure of the rest; nobody is told of exits.

    Return the row keys of the profile and of those merged into it.
    """
    command = msgspec.json.decode(event.body, type=EraseCommand)
    if not command.sealed or tx.erasures.get(event.account, command.request) is not None:
        return frozenset()
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
        values=[value_hash(secrets, value) for _, value in identifiers],
    )
    if profile is not None:
        _remove(tx, erasure, profile, identifiers)
    tx.erasures.exclude(account, erasure.hashes, event.received)
    tx.erasures.put(erasure, secrets.seal(_ENCODE(Search(identifiers=identifiers))))
    tx.ledger.add_duty(Duty(account=account, kind=KIND, subject=erasure.id, audience=0))
    return frozenset(erasure.numbers)


def _own(
    tx: Transaction, account: int, number: int | None, identifiers: Iterable[Identifier]
) -> list[Identifier]:
    """Return the identifiers that lead to her or to nobody: one that was let go may be somebody else's by now."""
    wanted = list(dict.fromkeys(identifiers))
    holders = tx.profiles.find(account, wanted)
    return [one for one in wanted if holders.get(one, number) == number]


def _remove(tx: Transaction, erasure: Erasure, profile: Profile, identifiers: Collection[Identifier]) -> None:
    account = erasure.account
    trail = [*tx.profiles.trail(account, profile.number), *profile.trail]
    tx.erasures.doom(erasure.id, "event", [str(id_) for id_ in trail])
    for what, amount in tx.erasures.remove_profile(account, profile.number, identifiers).items():
        _counted(erasure, what, amount)
    if profile.timer:
        tx.profiles.save(account, ProfileChanges(timers={profile.number: (profile.timer, 0)}))
        _counted(erasure, "timers", 1)
    for what, amount in tx.erasures.remove_unfinished(erasure).items():
        _counted(erasure, what, amount)


class Eraser:
    """Does what is left of an erasure, a step at a time, on the thread of apply."""

    def __init__(
        self,
        log: EventLog,
        store: Store,
        secrets: Secrets,
        clock: Clock,
        on_erased: Callable[[frozenset[int]], None] = lambda _: None,
    ) -> None:
        self._log = log
        self._store = store
        self._clock = clock
        self.secrets = secrets
        self.on_erased = on_erased
        """Called with the profiles that nothing may be sent for any more."""

    def step(self, duty: Duty) -> None:
        """Do one step."""
        if not duty.subject:
            self._left_out(duty)
            return
        erasure = self._store.write_blocking(lambda tx: tx.erasures.get(duty.account, duty.subject))
        if erasure is None or erasure.step is EraseStep.DONE:
            self._store.write_blocking(lambda tx: tx.ledger.step_duty(duty, None))
            return
        getattr(self, f"_{erasure.step.value}")(duty, erasure, self._traces(erasure))

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
        doomed = self._store.write_blocking(lambda tx: tx.erasures.doomed(_TOO_LATE, "event", _EVENTS))
        if doomed:
            self._log.rewrite({int(id_): None for id_ in doomed}).result()
            self._store.write_blocking(lambda tx: tx.erasures.spare(_TOO_LATE, "event", doomed))
        return len(doomed)

    def _events(self, _duty: Duty, erasure: Erasure, _traces: Traces) -> None:
        doomed = self._store.write_blocking(lambda tx: tx.erasures.doomed(erasure.id, "event", _EVENTS))
        if doomed:
            self._log.rewrite({int(id_): None for id_ in doomed}).result()
            _counted(erasure, "events", len(doomed))
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
                kept = traces.without(event)
                if kept is not event.body:
                    bodies[event.id] = kept if event.kind in _FOLDED else None
        _counted(erasure, "mentions", len(bodies))
        if events:
            erasure.cursor = events[-1].id
        else:
            # The request itself named her, if only in a sealed way.
            bodies[erasure.record] = _ENCODE(EraseCommand(request=erasure.id))
            _counted(erasure, "event_ids", self._log.forget_keys(erasure.account, traces.texts).result())
            erasure.step, erasure.cursor = EraseStep.DELIVERIES, 0
        if bodies:
            self._log.rewrite(bodies).result()
        self._store.write_blocking(lambda tx: tx.erasures.put(erasure))

    def _deliveries(self, _duty: Duty, erasure: Erasure, _traces: Traces) -> None:
        def work(tx: Transaction) -> None:
            done = tx.erasures.remove_finished(erasure)
            # A finished one that somebody put back into the queue meanwhile goes too.
            again = tx.erasures.remove_unfinished(erasure)
            _counted(erasure, "deliveries", again["deliveries"])
            erasure.table = done.table
            _moved(tx, erasure, "deliveries", done, EraseStep.MERGES)

        self._store.write_blocking(work)

    def _merges(self, _duty: Duty, erasure: Erasure, _traces: Traces) -> None:
        def work(tx: Transaction) -> None:
            done = tx.erasures.remove_merges(erasure)
            _moved(tx, erasure, "merges", done, EraseStep.LINES)

        self._store.write_blocking(work)

    def _lines(self, _duty: Duty, erasure: Erasure, traces: Traces) -> None:
        def work(tx: Transaction) -> None:
            done = tx.erasures.remove_lines(erasure, traces.texts)
            if done.cursor is None:
                _counted(erasure, "poisons", tx.erasures.remove_poisons(erasure.account, traces.texts))
            _moved(tx, erasure, "log_lines", done, EraseStep.SWEEP)

        self._store.write_blocking(work)

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
            _counted(erasure, "files_rewritten", 1)
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
    _counted(erasure, what, done.removed)
    if done.cursor is None:
        erasure.step, erasure.table, erasure.cursor = then, "", 0
    else:
        erasure.cursor = done.cursor
    tx.erasures.put(erasure)


def _counted(erasure: Erasure, what: str, amount: int) -> None:
    if amount:
        erasure.counts[what] = erasure.counts.get(what, 0) + amount
