"""Which event and which mapping gave a field its value, operator by operator."""

import pytest

from gatepost.core.plans import AccountPlan
from gatepost.core.provenance import FieldSource, field_sources
from gatepost.core.refolding import refolded
from gatepost.core.versions import Versions
from gatepost.model.event import Event, RecordKind
from gatepost.model.profile import Profile
from gatepost.model.schema import Field, FieldType, Mapping, MergeOperator, Schema

FIELDS = (
    Field(name="user", identifier=True),
    Field(name="mails", type=FieldType.STRINGS, identifier=True, merge=MergeOperator.MERGE),
    Field(name="latest", type=FieldType.INT),
    Field(name="oldest", type=FieldType.INT, merge=MergeOperator.OLDEST),
    Field(name="min", type=FieldType.INT, merge=MergeOperator.MIN),
    Field(name="max", type=FieldType.INT, merge=MergeOperator.MAX),
    Field(name="sum", type=FieldType.INT, merge=MergeOperator.SUM),
    Field(name="count", type=FieldType.INT, merge=MergeOperator.COUNT),
    Field(name="set", type=FieldType.STRINGS, merge=MergeOperator.MERGE),
)
NUMBERS = ("latest", "oldest", "min", "max", "sum", "count")
SCHEMA = Schema(
    ranks=("user", "mails"),
    fields=FIELDS,
    mappings=(
        Mapping(stream="web", field="user", expression="user"),
        Mapping(stream="web", field="mails", expression="mail"),
        *(Mapping(stream="*", field=name, expression="toint(n)", guard="n != 99") for name in NUMBERS),
        Mapping(stream="web", field="set", expression="n"),
    ),
)
PLAN = AccountPlan(SCHEMA, (), (), set())


def sources(*events: tuple[int, str]) -> dict[str, FieldSource]:
    """Fold events, each a time and a body, in the order they came; their ids count from 1."""
    history = [
        Event(id_, RecordKind.EVENT, 1, "web", 1_000, at, body.encode())
        for id_, (at, body) in enumerate(events, start=1)
    ]
    held = {"user": {"ada": 0}, "mails": {"a@x.co": 0, "b@x.co": 0}}
    steps = [*refolded(Versions(PLAN), held, history)]
    stored: Profile = steps[-1].profile
    return field_sources(Versions(PLAN), stored, refolded(Versions(PLAN), held, history))


@pytest.mark.parametrize(
    ("field", "decided"),
    [
        ("latest", [2]),
        ("oldest", [3]),
        ("min", [1]),
        ("max", [3]),
        ("sum", [4, 3, 2, 1]),
        ("count", [4, 3, 2, 1]),
        ("set", [5, 4, 3, 2, 1]),
        ("user", [1]),
        ("mails", [4, 2]),
    ],
)
def test_each_operator_names_the_events_that_count(field: str, decided: list[int]) -> None:
    found = sources(
        (20, '{"user": "ada", "n": 1}'),
        (50, '{"user": "ada", "mail": "a@x.co", "n": 7}'),
        (10, '{"user": "ada", "n": 9}'),
        (40, '{"user": "ada", "mail": "b@x.co", "n": 3}'),
        (60, '{"user": "ada", "n": 99}'),
    )

    assert decided == [one.event.id for one in found[field].origins]
    assert len(decided) == found[field].events


def test_of_many_the_latest_are_named_and_all_are_counted() -> None:
    found = sources(*((at, '{"user": "ada", "n": 2}') for at in range(8)))["sum"]

    assert (16, 8, [8, 7, 6, 5, 4]) == (found.value, found.events, [one.event.id for one in found.origins])
    assert ("toint(n)", "n != 99", "*") == (
        found.origins[0].mapping.expression,
        found.origins[0].mapping.guard,
        found.origins[0].mapping.stream,
    )
