"""The end of audiences that end at an instant: the rule lets members leave then, and what is left is deleted."""

from collections.abc import Iterable

import msgspec

from gatepost.core.plans import AccountPlan
from gatepost.model.times import Instant
from gatepost.ports.catalog import Duty
from gatepost.ports.store import Transaction


def next_ending(plans: Iterable[AccountPlan]) -> Instant | None:
    """Return when the next audience ends."""
    return min((one.expires for plan in plans for one in plan.ending), default=None)


def end_expired(tx: Transaction, plans: Iterable[AccountPlan], now: Instant) -> bool:
    """Delete the audiences whose end has come, as a person would; say whether there was one."""
    expired = [one for plan in plans for one in plan.ending if one.expires <= now]
    for audience in expired:
        ended = msgspec.structs.replace(audience, deleted=audience.expires, updated=audience.expires)
        tx.catalog.put(audience.account, audience.id, ended)
        tx.ledger.add_duty(
            Duty(account=audience.account, kind="dissolve", subject=audience.id, audience=audience.number)
        )
    return bool(expired)
