"""What a template gets to read: the profile as an entity, and the event that triggered it."""

from collections.abc import Sequence

import msgspec

from gatepost.model.audience import Crossing
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.schema import Field, FieldType
from gatepost.model.times import DAY, Instant, to_rfc3339

_KEY = b'"segment_events"'


def segment_event(audience_id: str, slug: str, crossing: Crossing, at: Instant) -> JsonObject:
    """One entry of `segment_events`: which audience was crossed, how and when."""
    return {"id": audience_id, "slug": slug, "event": crossing.value, crossing.value: to_rfc3339(at)}


def entity_with_event(entity: bytes, event: JsonObject) -> bytes:
    """Return the entity, a JSON object, with `segment_events` holding this event; values stay as they are."""
    events = msgspec.json.encode([event])
    body = entity.strip()
    if not (body.startswith(b"{") and body.endswith(b"}")):
        raise ValueError("an entity is a JSON object")
    if _KEY in body or b"\\u" in body:
        # The key may be there already, perhaps in disguise; raw values keep their digits.
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        members["segment_events"] = msgspec.Raw(events)
        return msgspec.json.encode(members)
    head = body[:-1].rstrip()
    comma = b"" if head == b"{" else b","
    return b"".join((head, comma, _KEY, b":", events, b"}"))


def generated_entity(fields: Sequence[Field], now: Instant) -> JsonObject:
    """Return an entity with a fixture value for every field; `now` fills the dates."""
    entity: JsonObject = {field.name: _fixture(field, now) for field in fields}
    event = segment_event("5eed" * 8, "test_segment", Crossing.ENTER, now)
    identity: JsonObject = {"_id": "sample-id", "_uid": "sample-id", "_segments": ["test_segment"]}
    return {**entity, **identity, "segment_events": [event]}


def _fixture(field: Field, now: Instant) -> JsonValue:
    if field.type is FieldType.STRING:
        return _text_fixture(field.name)
    fixtures: dict[str, JsonValue] = {
        "string": "sample",
        "int": 1,
        "number": 1,
        "bool": False,
        "date": to_rfc3339(now),
        "time": to_rfc3339(now),
        "intsum": 1,
        "value": "sample",
    }
    type_ = field.type.value
    if field.type is FieldType.BUCKETS:
        return {str(now // DAY): 1}
    inner = fixtures[type_.rpartition("]")[2]]
    return {"sample": inner} if type_.startswith("map") else [inner] if "[]" in type_ else inner


def _text_fixture(name: str) -> str:
    if name.endswith("email"):
        return "test@example.com"
    if name.endswith(("phone", "phone_number")):
        return "+15555550100"
    return "sample_value"
