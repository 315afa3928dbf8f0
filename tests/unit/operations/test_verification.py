import pytest

from gatepost.model.errors import Conflict, InvalidInput
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.operations import audiences, authorizations, jobs, templates
from gatepost.operations.audiences import AudienceDraft
from gatepost.operations.authorizations import AuthorizationDraft
from gatepost.operations.jobs import JobDraft
from gatepost.operations.templates import TemplateDraft
from gatepost.operations.verification import Step, verify_job
from tests.unit.operations.desk import SCHEMA, SHOP, Desk
from tests.unit.outbound.receivers import Line, answering, receiving, response

SECRET = "hunter2-hunter2"
SOURCE = "local p = import 'lytemplates.libsonnet'; { card: p.get('card'), enter: p.isEnter() }"
CREDENTIALS: JsonObject = {
    "webhook_request_headers": f"X-Token: {SECRET}",
    "webhook_request_params": f"key={SECRET}",
}


async def job_for(desk: Desk, url: str, source: str = SOURCE, stream: str = "") -> str:
    """Set up a job with a template and a credential; return its id."""
    auth = await authorizations.create_authorization(
        desk.context, SHOP, AuthorizationDraft("Key", config=CREDENTIALS)
    )
    template = await templates.create_template(desk.context, SHOP, TemplateDraft("t", "jsonnet", source))
    await audiences.create_audience(desk.context, SHOP, AudienceDraft("Rich", "spend > 100"))
    config: JsonObject = {
        "segment_ids": ["rich"],
        "webhook_url": url,
        "template_id": template.id,
        "stream": stream,
    }
    draft = JobDraft("Tell", "webhook_triggers", config, auth_ids=(auth.id,))
    return (await jobs.create_job(desk.context, SHOP, draft)).id


def verified(desk: Desk, answer: bytes, source: str = SOURCE, stream: str = "") -> dict[str, Step]:
    """Verify a job against a receiver that gives this answer; return the steps by name."""

    async def story() -> list[Step]:
        async with receiving(answering(answer)) as receiver:
            id_ = await job_for(desk, receiver.url("/hook"), source, stream)
            return await verify_job(desk.context, SHOP, id_)

    return {step.name: step for step in desk.run(story())}


def test_a_job_that_works_shows_every_step_of_its_real_path(shop: Desk) -> None:
    heard: list[bytes] = []

    async def converse(line: Line) -> None:
        heard.append(await line.request())
        await line.say(response(b'{"ok":true}'))

    async def story() -> list[Step]:
        async with receiving(converse) as receiver:
            id_ = await job_for(shop, receiver.url("/hook"))
            profile: JsonObject = {"card": "4711", "spend": 500}
            return await verify_job(shop.context, SHOP, id_, profile=profile, event="exit")

    steps = shop.run(story())

    assert [step.name for step in steps] == ["warning", "render", "request", "answer", "judgement", "mapped"]
    assert all(step.ok for step in steps)
    assert "card 4711" in steps[0].text
    assert b'"card": "4711"' in heard[0]
    assert b'"enter": false' in heard[0]
    assert f"X-Token: {SECRET}".encode() in heard[0]
    assert f"key={SECRET}".encode() in heard[0]


def test_credentials_are_masked_in_every_step(shop: Desk) -> None:
    steps = verified(shop, response(f'{{"you sent": "{SECRET}"}}'.encode()))

    assert SECRET not in repr(steps)
    headers = steps["request"].detail["headers"]
    assert isinstance(headers, list)
    assert "X-Token: ***" in headers
    assert str(steps["request"].detail["url"]).endswith("?key=***")


def test_recording_sends_nothing(shop: Desk) -> None:
    async def story() -> tuple[int, list[Step]]:
        async with receiving(answering(response(b"{}"))) as receiver:
            id_ = await job_for(shop, receiver.url("/hook"))
            steps = await verify_job(shop.context, SHOP, id_, record=True)
            return receiver.connections, steps

    connections, steps = shop.run(story())

    assert connections == 0
    assert [step.name for step in steps] == ["warning", "render", "request"]
    assert "Nothing is sent" in steps[0].text


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("404 Not Found", "refused for good"),
        ("401 Unauthorized", "the destination would be stopped"),
        ("500 Internal Server Error", "would be tried again"),
    ],
)
def test_a_bad_answer_is_judged_as_deliver_would(shop: Desk, status: str, meaning: str) -> None:
    steps = verified(shop, response(b"{}", status=status))

    assert not steps["judgement"].ok
    assert meaning in steps["judgement"].text
    places = shop.run(jobs.list_destinations(shop.context, SHOP))
    assert [place.stopped for place in places.values()] == [""]


def test_a_template_that_fails_ends_the_story_at_the_render(shop: Desk) -> None:
    steps = verified(shop, response(b"{}"), source="error 'no such town'")

    assert list(steps) == ["render"]
    assert "no such town" in steps["render"].text


def test_a_forbidden_final_address_ends_the_story_before_sending(shop: Desk) -> None:
    source = "{ ly_template_url: 'https://x.example/api/user/v1/delete', ly_template_body: {} }"

    steps = verified(shop, response(b"{}"), source=source)

    assert not steps["request"].ok
    assert "erases people" in steps["request"].text
    assert "answer" not in steps


def test_the_answer_is_shown_as_the_stream_would_map_it_back(desk: Desk) -> None:
    schema = SCHEMA["schema"]
    assert isinstance(schema, dict)
    mappings: JsonValue = [
        {"stream": "answers", "field": "card", "expression": "`origin.card`"},
        {"stream": "answers", "field": "town", "expression": "`response.town`"},
    ]
    desk.configure({**SCHEMA, "schema": {**schema, "mappings": mappings}})

    steps = verified(desk, response(b'{"town": "Ghent"}'), stream="answers")

    assert steps["mapped"].ok
    assert steps["mapped"].detail == {
        "stream": "answers",
        "fields": {"town": "Ghent"},
        "identifiers": {"card": "sample_value"},
    }


def test_an_answer_that_leads_to_nobody_is_pointed_out(shop: Desk) -> None:
    steps = verified(shop, response(b'{"town": "Ghent"}'), stream="answers")

    assert not steps["mapped"].ok
    assert "no identifier" in steps["mapped"].text


def test_a_killed_job_and_an_unknown_event_are_refused(shop: Desk) -> None:
    id_ = shop.run(job_for(shop, "https://example.com/hook"))

    with pytest.raises(InvalidInput, match="enter and exit"):
        shop.run(verify_job(shop.context, SHOP, id_, event="change"))
    shop.run(jobs.command_job(shop.context, SHOP, id_, "kill"))
    with pytest.raises(Conflict, match="killed"):
        shop.run(verify_job(shop.context, SHOP, id_))
