"""Keeping the past of erased people out of what is folded: by keyed hashes of their identifiers."""

import base64
from collections.abc import Iterable

import msgspec

from gatepost.core.payloads import answered_delivery
from gatepost.model.erasure import EraseCommand, Erasure
from gatepost.model.event import Event
from gatepost.model.profile import Identifier
from gatepost.model.times import Instant
from gatepost.ports.catalog import Duty
from gatepost.ports.secrets import Secrets
from gatepost.ports.store import Transaction

KIND = "erase"
"""The kind of an erasure's duty."""
TOO_LATE = ""
"""Stands for the request where events that were left out have to go."""
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
        # An answer may come late to what was sent before.
        if secrets is None or (event.at >= self.until and not event.hops):
            return False
        hashes = [identifier_hash(secrets, one) for one in identifiers]
        at = min(event.at, self._caused(event)) if event.hops else event.at
        if not self._tx.erasures.excluded(event.account, hashes, at):
            return False
        self._left.append(event.id)
        self.owing = True
        return True

    def _caused(self, event: Event) -> Instant:
        """Return when the delivery was due that an answer belongs to: what was sent before must bring nobody back.

        It may be collected after the erasure. A delivery that is kept no more went with somebody, so it is older.
        """
        id_ = answered_delivery(event.body)
        if not id_:
            return event.at
        found = self._tx.deliveries.get(event.account, id_)
        if found is None:
            return 0
        number = found.delivery.profile
        stands = number in self._tx.profiles.load(event.account, [number])
        return found.delivery.at if stands else found.delivery.at - 1

    def save(self, accounts: Iterable[int]) -> None:
        """See to it that what was left out goes from the log."""
        if self._left:
            self._tx.erasures.doom(TOO_LATE, "event", [str(id_) for id_ in self._left])
            self._left = []
            if not any(duty.kind == KIND and not duty.subject for duty in self._tx.ledger.duties()):
                self._tx.ledger.add_duty(Duty(account=min(accounts), kind=KIND, subject="", audience=0))
