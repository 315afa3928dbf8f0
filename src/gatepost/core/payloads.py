"""What a delivery says: the payload of a job without a template, and answers on their way back.

Shapes as documented for Lytics' audience triggers.
"""

from collections.abc import Collection

import orjson

from gatepost.core.entities import exported, user_number
from gatepost.model.jsonvalue import JsonObject
from gatepost.model.times import Instant, to_rfc3339


def default_payload(entity: JsonObject, job: str, sent: Instant) -> JsonObject:
    """Return the message of a job without a template; `entity` holds `segment_events` already."""
    return {
        "id": user_number(str(entity.get("_id", ""))),
        "data": entity,
        "meta": {"object": "user", "subscription_id": job, "timestamp": to_rfc3339(sent)},
    }


def triggered_entity(snapshot: bytes, event: JsonObject, wanted: Collection[str]) -> JsonObject:
    """Return the profile as of the trigger, narrowed to export fields, with the trigger in it."""
    entity: JsonObject = orjson.loads(snapshot)
    entity["segment_events"] = [event]
    return exported(entity, wanted)


def answer_event(
    entity: JsonObject, identifier_fields: Collection[str], answer: bytes, delivery: str = ""
) -> bytes | None:
    """Return a JSON answer as an event that leads back to its profile; None when it is not JSON worth keeping.

    The shape is that of Lytics' webhook enrichment: `origin` with the identifiers, `response` with the answer; and
    `delivery`, the id of what was answered.
    """
    try:
        response = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(response, dict | list):
        return None
    origin = {name: entity[name] for name in identifier_fields if name in entity}
    named = {"delivery": delivery} if delivery else {}
    try:
        return orjson.dumps({"origin": origin, "response": _without_nested_lists(response), **named})
    except (orjson.JSONEncodeError, RecursionError):
        # Nested more deeply than any event may be.
        return None


def answered_delivery(body: bytes) -> str:
    """Return the id of the delivery whose answer an event is; empty when it does not tell."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    named = value.get("delivery") if isinstance(value, dict) else None
    return named if isinstance(named, str) else ""


def _without_nested_lists(value: object) -> object:
    """Leave out what an event cannot hold: arrays of objects or arrays, as the collect API has it."""
    if isinstance(value, dict):
        return {
            key: _without_nested_lists(inner)
            for key, inner in value.items()
            if not (isinstance(inner, list) and any(isinstance(item, dict | list) for item in inner))
        }
    return value
