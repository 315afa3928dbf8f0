import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.core.templates.context import entity_with_event, generated_entity, segment_event
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


@pytest.mark.parametrize(
    "entity",
    [
        b"{}",
        b' { "email" : "m@example.com" } \n',
        b'{"big":12345678901234567890123,"small":1.10}',
        b'{"segment_events":[{"slug":"old"}],"big":12345678901234567890123}',
        b'{"segment_event\\u0073":"disguised"}',
        b'{"note":"says \\"segment_events\\""}',
    ],
)
def test_the_event_joins_the_entity_and_no_number_changes(entity: bytes) -> None:
    joined = entity_with_event(entity, ENTERED)

    before = msgspec.json.decode(entity, type=dict[str, msgspec.Raw])
    after = msgspec.json.decode(joined, type=dict[str, msgspec.Raw])
    assert msgspec.json.decode(after.pop("segment_events")) == [ENTERED]
    before.pop("segment_events", None)
    assert {key: bytes(value) for key, value in after.items()} == {
        key: bytes(value) for key, value in before.items()
    }
    assert joined.count(b'"segment_events":') == 1


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.booleans() | st.text(), st.lists)))
def test_any_object_keeps_its_members(members: dict[str, object]) -> None:
    joined = msgspec.json.decode(entity_with_event(msgspec.json.encode(members), ENTERED))

    assert joined == {**members, "segment_events": [ENTERED]}


@pytest.mark.parametrize("entity", [b"", b"[]", b"null", b'{"cut": '])
def test_what_is_no_object_is_refused(entity: bytes) -> None:
    with pytest.raises(ValueError, match="an entity is a JSON object"):
        entity_with_event(entity, ENTERED)


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
