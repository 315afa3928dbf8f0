import json
from pathlib import Path

import pytest

from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.providers.contract import Advice, AdviceLevel
from gatepost.providers.insider.advice import advice, pair_advice
from gatepost.providers.insider.exits import corrected_exit
from gatepost.providers.insider.provider import InsiderProvider

UPSERT = "https://unification.useinsider.com/api/user/v1/upsert"
DELETE = "https://unification.useinsider.com/api/user/v1/attribute/delete"

GUIDE_ENTER: JsonObject = {
    "users": [
        {
            "insider_id": "",
            "identifiers": {
                "email": "ada@example.com",
                "custom": {"lytics_id": "9f0c", "lytics_last_uid": ""},
            },
            "attributes": {
                "email": "ada@example.com",
                "phone_number": "",
                "name": "Ada",
                "age": "",
                "email_optin": "subscribed",
                "custom": {
                    "status": "",
                    "lytics_computed_attr": ["high_value"],
                    "lytics_content": {"tea": 0.4},
                },
            },
            "not_append": True,
            "events": [
                {
                    "event_name": "lytics_trigger",
                    "timestamp": "2026-11-05T11:02:09.123Z",
                    "event_params": {"custom": {"id": "aud", "audience": "high_value", "trigger": "enter"}},
                }
            ],
        }
    ]
}
"""What the guide's entrance template prints for somebody of whom little is known."""

GUIDE_EXIT: JsonObject = {
    "users": [
        {
            "identifiers": {"email": "ada@example.com", "custom": {"lytics_id": "u-17"}},
            "attributes": {"custom": {"partial": {"lytics_computed_attr": ["newsletter", "recent"]}}},
            "events": [
                {
                    "event_name": "lytics_trigger",
                    "timestamp": "2026-11-06T08:00:00Z",
                    "event_params": {"custom": {"id": "aud", "audience": "high_value", "trigger": "exit"}},
                }
            ],
        }
    ]
}
"""What the guide's exit template prints, once its text is repaired."""

GOOD_EXIT: JsonObject = {
    "users": [
        {
            "identifiers": {"email": "ada@example.com", "custom": {"lytics_id": "u-17"}},
            "custom": {"partial": {"lytics_computed_attr": ["high_value"]}},
        }
    ]
}


def by_path(url: str, body: JsonValue) -> dict[str, Advice]:
    return {one.path: one for one in advice(url, body)}


def user(**members: JsonValue) -> JsonObject:
    return {"users": [{"identifiers": {"uuid": "1"}, **members}]}


def test_the_guides_entrance_is_accepted_but_its_empty_texts_are_pointed_out() -> None:
    found = by_path(UPSERT, GUIDE_ENTER)

    assert {one.level for one in found.values()} == {AdviceLevel.WARNING}
    assert sorted(found) == [
        "users.0.attributes.age",
        "users.0.attributes.custom.lytics_content",
        "users.0.attributes.custom.status",
        "users.0.attributes.email",
        "users.0.attributes.email_optin",
        "users.0.attributes.phone_number",
        "users.0.identifiers.custom.lytics_last_uid",
        "users.0.insider_id",
    ]
    assert "leave the field out" in found["users.0.insider_id"].message


def test_the_guides_exit_would_delete_nothing_and_lose_its_event() -> None:
    found = advice(DELETE, GUIDE_EXIT)

    errors = {one.path: one.message for one in found if one.level is AdviceLevel.ERROR}
    assert "write users.0.custom.partial" in errors["users.0.attributes.custom.partial"]
    assert "/api/user/v1/upsert" in errors["users.0.events"]
    assert "['high_value']" in errors["users.0.attributes.custom.partial.lytics_computed_attr"]


def test_the_guides_exit_is_corrected_to_delete_just_the_audience_that_was_left() -> None:
    assert corrected_exit(GUIDE_EXIT) == GOOD_EXIT
    assert corrected_exit(GOOD_EXIT) is None
    assert advice(DELETE, GOOD_EXIT) == []


@pytest.mark.parametrize("body", [None, [], {"users": "x"}, {"users": [7]}, GUIDE_ENTER])
def test_a_body_without_a_misplaced_deletion_has_no_correction(body: JsonValue) -> None:
    assert corrected_exit(body) is None


def test_the_same_exit_sent_to_upsert_is_pointed_to_the_right_call() -> None:
    found = by_path(UPSERT, GUIDE_EXIT)

    assert "/api/user/v1/attribute/delete" in found["users.0.attributes.custom.partial"].message


def test_two_templates_that_address_different_people_are_told() -> None:
    [found] = pair_advice(GUIDE_ENTER, GUIDE_EXIT)

    assert found.path == "users.0.identifiers.custom.lytics_id"
    assert "different people" in found.message
    assert pair_advice(GUIDE_ENTER, GUIDE_ENTER) == []
    assert pair_advice(None, {"users": []}) == []


def test_errors_come_before_warnings() -> None:
    levels = [one.level for one in advice(DELETE, user(not_append=True, events=[]))]

    assert levels == [AdviceLevel.ERROR, AdviceLevel.ERROR, AdviceLevel.WARNING]


CASES: list[tuple[str, JsonValue, str, str]] = json.loads(
    (Path(__file__).parents[2] / "cases" / "insider" / "advice.json").read_text()
)


@pytest.mark.parametrize(("url", "body", "path", "hint"), CASES)
def test_each_slip_is_found_at_its_place_with_what_would_be_right(
    url: str, body: JsonValue, path: str, hint: str
) -> None:
    found = by_path(f"https://sandbox.example.com/api/user/v1/{url}", body)

    assert path in found
    assert hint in found[path].message


@pytest.mark.shared
def test_payloads_seen_in_public_clients_are_judged_as_insider_would(shared: Path) -> None:
    cases = json.loads((shared / "reference" / "insider_payloads_examples.json").read_text())

    for case in cases:
        url = case["endpoint"].split()[1]
        if not InsiderProvider().recognises(url):
            continue
        found = advice(url, case["body"])
        errors = [one for one in found if one.level is AdviceLevel.ERROR]
        assert bool(errors) == (case["verdict"] == "reject"), (case["name"], errors)
