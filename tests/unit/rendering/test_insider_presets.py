"""Our Insider presets: one entrance, and the two requests of an exit, all addressing the same person."""

from typing import Any

import msgspec
import pytest

from gatepost.core.templates.context import segment_event
from gatepost.core.templates.presets import PRESETS, preset
from gatepost.model.audience import Crossing
from gatepost.model.catalog import TemplateType
from gatepost.model.jsonvalue import JsonObject
from gatepost.model.times import parse_duration
from gatepost.ports.renderer import RenderContext, Rendered, RenderFailure
from tests.unit.rendering.conftest import Engine

AT = parse_duration("20000d")
ENTERED = segment_event("0badcafe" * 4, "tea_drinkers", Crossing.ENTER, AT)
LEFT = segment_event("0badcafe" * 4, "tea_drinkers", Crossing.EXIT, AT)
MIRELA: JsonObject = {
    "_id": "p-7",
    "_uid": "u-7",
    "_segments": ["tea_drinkers", "early_birds"],
    "email": "mirela@example.com",
    "first_name": "Mirela",
    "last_name": "Horvat",
    "phone": "+385 (1) 234-5678",
    "age": 0,
    "user_language": "hr",
    "visit_country": "HR",
    "consent_email_status": True,
    "consent_sms_status": False,
    "consent_whatsapp_status": "opted_out",
    "consent_gdpr_status": "to be asked",
    "score_frequency": 62,
    "score_momentum": 0.5,
    "lytics_content": {"tea": 0.9},
}
IDENTIFIERS = {"email": "mirela@example.com", "custom": {"lytics_id": "p-7"}}


def trigger(crossing: Crossing) -> dict[str, Any]:
    custom = {"id": "0badcafe" * 4, "audience": "tea_drinkers", "trigger": crossing.value, "origin": "Lytics"}
    return {
        "event_name": "lytics_trigger",
        "timestamp": "2024-10-04T00:00:00Z",
        "event_params": {"custom": custom},
    }


def printed(engine: Engine, name: str, entity: object) -> Any:
    [result] = engine.render(preset(name), entity)
    assert isinstance(result, Rendered), result
    return msgspec.json.decode(result.text)


def test_an_entrance_adds_the_one_audience_and_says_what_is_known(engine: Engine) -> None:
    body = printed(engine, "insider_enter", {**MIRELA, "insider_id": "iid-1", "segment_events": [ENTERED]})

    assert body == {
        "skip_hook": False,
        "users": [
            {
                "insider_id": "iid-1",
                "identifiers": IDENTIFIERS,
                "attributes": {
                    "name": "Mirela",
                    "surname": "Horvat",
                    "phone_number": "+38512345678",
                    "age": 0,
                    "language": "hr",
                    "country": "HR",
                    "email_optin": True,
                    "sms_optin": False,
                    "whatsapp_optin": False,
                    "custom": {
                        "lytics_computed_attr": ["tea_drinkers"],
                        "score_frequency": 62,
                        "score_momentum": 0.5,
                    },
                },
                "not_append": False,
                "events": [trigger(Crossing.ENTER)],
            }
        ],
    }


def test_what_a_profile_does_not_know_is_left_out(engine: Engine) -> None:
    blanks = {"email": "", "phone": "030 1234", "gender": None, "age": "", "consent_sms_status": ""}

    body = printed(engine, "insider_enter", {**blanks, "_id": "p-8", "segment_events": [ENTERED]})

    assert body["users"][0] == {
        "identifiers": {"custom": {"lytics_id": "p-8"}},
        "attributes": {"custom": {"lytics_computed_attr": ["tea_drinkers"]}},
        "not_append": False,
        "events": [trigger(Crossing.ENTER)],
    }


def test_an_exit_takes_off_only_the_audience_just_left(engine: Engine) -> None:
    body = printed(engine, "insider_exit", {**MIRELA, "_segments": ["early_birds"], "segment_events": [LEFT]})

    partial = {"lytics_computed_attr": ["tea_drinkers"]}
    assert body == {"users": [{"identifiers": IDENTIFIERS, "custom": {"partial": partial}}]}


def test_the_second_request_of_an_exit_records_the_crossing(engine: Engine) -> None:
    body = printed(engine, "insider_exit_event", {**MIRELA, "segment_events": [LEFT]})

    assert body == {"users": [{"identifiers": IDENTIFIERS, "events": [trigger(Crossing.EXIT)]}]}


def test_a_preset_of_the_other_direction_is_omitted(engine: Engine) -> None:
    pairs = (("insider_enter", LEFT), ("insider_exit", ENTERED), ("insider_exit_event", ENTERED))

    results = [engine.render(preset(name), {**MIRELA, "segment_events": [event]})[0] for name, event in pairs]

    assert all(isinstance(result, RenderFailure) and result.kind == "runtime" for result in results)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(
    "profile",
    [
        MIRELA,
        {},
        {"_id": "p-8", "email": "", "phone": "030 1234", "gender": None, "age": "", "consent_sms_status": ""},
        {
            "email": ["a@example.com", "b@example.com"],
            "phone": ["+1 (415) 555-2671"],
            "visit_city": [],
            "age": 0.5,
        },
        {
            "_id": "p-9",
            "consent_email_status": "Granted",
            "consent_gdpr_status": [True],
            "score_recency": -1,
            "status": 7,
        },
    ],
)
def test_the_presets_say_the_same_in_javascript(engine: Engine, name: str, profile: JsonObject) -> None:
    event = ENTERED if name == "insider_enter" else LEFT
    context = RenderContext(entity={**profile, "segment_events": [event]})

    [script] = engine.render_contexts(preset(name, TemplateType.JS1), [context], "js1")

    assert isinstance(script, Rendered), script
    assert msgspec.json.decode(script.text) == printed(engine, name, context.fields)


@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_in_javascript_know_their_direction_too(engine: Engine, name: str) -> None:
    other = LEFT if name == "insider_enter" else ENTERED
    context = RenderContext(entity={**MIRELA, "segment_events": [other]})

    [result] = engine.render_contexts(preset(name, TemplateType.JS1), [context], "js1")

    assert isinstance(result, RenderFailure)
    assert name in result.message
