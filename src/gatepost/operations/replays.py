"""What a delivery says when it is sent again: whom it tells of may have become one with others, or two, or be gone."""

import orjson

from gatepost.core.entities import entity_of
from gatepost.core.plans import AccountPlan
from gatepost.model.delivery import Delivery
from gatepost.model.jsonvalue import JsonObject
from gatepost.model.profile import Identifier
from gatepost.operations.records import current_schema, live_audiences
from gatepost.ports.outbox import Replay
from gatepost.ports.secrets import Secrets
from gatepost.ports.store import Transaction
from gatepost.stages.excluding import identifier_hash


def replay_of(tx: Transaction, secrets: Secrets, delivery: Delivery) -> Replay | None:
    """Return how a finished delivery is sent again, None when what it said is not kept, or its profile is gone.

    It is ordered with the profile that its `_id` leads to today. It says what it said, but of somebody who was erased
    since and was one with that profile then: it tells of the profile as it is now in that case.
    """
    account = delivery.account
    snapshot = tx.deliveries.snapshot(account, delivery.id)
    if snapshot is None:
        return None
    entity: JsonObject = orjson.loads(snapshot)
    named = _texts(entity)
    holders = tx.profiles.find(account, named)
    number = holders.get(("_id", str(entity.get("_id", ""))))
    if number is None:
        return None
    hashes = [identifier_hash(secrets, one) for one in named]
    # What was made in the very millisecond of the request was made before it as well.
    if tx.erasures.excluded(account, hashes, delivery.at - 1):
        return Replay(number, _present(tx, account, number))
    return Replay(number, snapshot, frozenset(holders.values()) - {number})


def _texts(entity: JsonObject) -> list[Identifier]:
    """Return every value of an entity that may identify somebody, with the name of its field."""
    values = [(name, value if isinstance(value, list) else [value]) for name, value in entity.items()]
    return [(name, text) for name, texts in values for text in texts if isinstance(text, str)]


def _present(tx: Transaction, account: int, number: int) -> bytes:
    plan = AccountPlan(current_schema(tx, account), live_audiences(tx, account), (), set())
    return orjson.dumps(entity_of(tx.profiles.load(account, [number])[number], plan))
