from gatepost.core.templates.context import generated_entity, segment_event
from gatepost.model.audience import Crossing
from gatepost.model.schema import Field, FieldType
from gatepost.model.times import parse_duration

AT = parse_duration("20000d")
ENTERED = segment_event("0badcafe" * 4, "tea_drinkers", Crossing.ENTER, AT)


def test_an_entrance_carries_its_time_under_enter_and_an_exit_under_exit() -> None:
    left = segment_event("0badcafe" * 4, "tea_drinkers", Crossing.EXIT, AT)

    assert ENTERED["enter"] == "2024-10-04T00:00:00Z"
    assert left == {
        "id": "0badcafe" * 4,
        "slug": "tea_drinkers",
        "event": "exit",
        "exit": "2024-10-04T00:00:00Z",
    }


def test_a_generated_entity_has_a_value_for_every_field_and_one_entrance() -> None:
    fields = [
        Field(name="work_email"),
        Field(name="phone"),
        Field(name="consent_email_status"),
        Field(name="visits", type=FieldType.INT),
        Field(name="score", type=FieldType.NUMBER),
        Field(name="newsletter", type=FieldType.BOOL),
        Field(name="born", type=FieldType.DATE),
        Field(name="tags", type=FieldType.STRINGS),
        Field(name="pages", type=FieldType.COUNTERS),
    ]

    entity = generated_entity(fields, AT)

    events = entity.pop("segment_events")
    assert entity == {
        "work_email": "test@example.com",
        "phone": "+15555550100",
        "consent_email_status": "sample_value",
        "visits": 1,
        "score": 1,
        "newsletter": False,
        "born": "2024-10-04T00:00:00Z",
        "tags": ["sample"],
        "pages": {"sample": 1},
        "_id": "sample-id",
        "_uid": "sample-id",
        "_segments": ["test_segment"],
    }
    assert events == [segment_event("5eed" * 8, "test_segment", Crossing.ENTER, AT)]
