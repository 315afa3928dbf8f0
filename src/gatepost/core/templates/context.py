"""What a template gets to read: the profile as an entity, and the event that triggered it."""

from collections.abc import Sequence

from gatepost.model.audience import Crossing
from gatepost.model.errors import InvalidInput
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.schema import Field, FieldType
from gatepost.model.times import DAY, Instant, to_rfc3339

SAMPLE_AUDIENCE = "test_segment"
"""The audience of triggers that name none, in trials."""
SAMPLE_EVENTS = ("enter", "exit", "change")
"""The triggers a template can be tried on."""
_SAMPLE_ID = "5eed" * 8


def segment_event(audience_id: str, slug: str, crossing: Crossing, at: Instant) -> JsonObject:
    """One entry of `segment_events`: which audience was crossed, how and when."""
    name = crossing.value
    return {"id": audience_id, "slug": slug, "event": name, name: to_rfc3339(at)}


def sample_event(audience: str, event: str, at: Instant) -> JsonObject:
    """One entry of `segment_events` for a trial, of an audience that need not be there; a change has no time."""
    if event not in SAMPLE_EVENTS:
        msg = f"there is no event {event!r}; there are {', '.join(SAMPLE_EVENTS)}"
        raise InvalidInput(msg, path="event")
    timed: JsonObject = {} if event == "change" else {event: to_rfc3339(at)}
    return {"id": _SAMPLE_ID, "slug": audience, "event": event, **timed}


def generated_entity(
    fields: Sequence[Field],
    now: Instant,
    event: str = "enter",
    audience: str = SAMPLE_AUDIENCE,
) -> JsonObject:
    """Return an entity with a fixture value for every field and a trigger; `now` fills the dates."""
    entity: JsonObject = {field.name: _fixture(field, now) for field in fields}
    held: list[JsonValue] = [] if event == "exit" else [audience]
    identity: JsonObject = {"_id": "sample-id", "_uid": "sample-id", "_segments": held}
    return {**entity, **identity, "segment_events": [sample_event(audience, event, now)]}


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
