"""Jobs whose templates are JavaScript and Handlebars, up to the request that goes out."""

import pytest

from gatepost.model.jsonvalue import JsonObject
from gatepost.operations import audiences, jobs, templates
from gatepost.operations.audiences import AudienceDraft
from gatepost.operations.jobs import JobDraft
from gatepost.operations.templates import TemplateDraft
from gatepost.operations.verification import Step, verify_job
from tests.unit.operations.desk import SHOP, Desk
from tests.unit.outbound.receivers import Line, receiving, response

PROFILE: JsonObject = {"card": "4711", "spend": 500}


async def sent(desk: Desk, body: tuple[str, str], address: tuple[str, str]) -> tuple[list[Step], list[bytes]]:
    """Verify a job with these two templates, each a type and a source where URL stands for the receiver's."""
    heard: list[bytes] = []

    async def converse(line: Line) -> None:
        heard.append(await line.request())
        await line.say(response(b"{}"))

    async def stored(name: str, type_: str, source: str) -> str:
        draft = TemplateDraft(name, type_, source)
        return (await templates.create_template(desk.context, SHOP, draft)).id

    async with receiving(converse) as receiver:
        url = receiver.url("/hook")
        config: JsonObject = {
            "segment_ids": ["rich"],
            "template_id": await stored("body", body[0], body[1].replace("URL", url)),
            "webhook_url": await stored("address", address[0], address[1].replace("URL", url)),
        }
        await audiences.create_audience(desk.context, SHOP, AudienceDraft("Rich", "spend > 100"))
        job = await jobs.create_job(desk.context, SHOP, JobDraft("Tell", "webhook_triggers", config))
        return await verify_job(desk.context, SHOP, job.id, profile=PROFILE, event="enter"), heard


@pytest.mark.parametrize(
    "body",
    [
        ("js1", "function template(data) { return { card: data.card, enter: isEnter(data) } }"),
        ("handlebars", '{"card":{{json card}},"enter":{{isEnter}} }'),
    ],
)
@pytest.mark.parametrize(
    "address",
    [("js1", "const template = (data) => `URL?card=${data.card}`"), ("handlebars", "URL?card={{card}}\n")],
)
def test_body_and_address_come_from_templates(
    shop: Desk, body: tuple[str, str], address: tuple[str, str]
) -> None:
    steps, heard = shop.run(sent(shop, body, address))

    assert all(step.ok for step in steps)
    assert heard[0].startswith(b"POST /hook?card=4711 ")
    assert heard[0].replace(b" }", b"}").endswith(b'{"card":"4711","enter":true}')


def test_a_script_can_make_the_whole_request(shop: Desk) -> None:
    source = """
        function template(data) {
          return {
            ly_template_url: "URL/other", ly_template_headers: "X-Card: " + data.card, ly_template_body: [data.card],
          };
        }"""

    _, heard = shop.run(sent(shop, ("js1", source), ("js1", "function template() { return 'URL' }")))

    assert heard[0].startswith(b"POST /hook/other ")
    assert b"X-Card: 4711" in heard[0]
    assert heard[0].endswith(b'\r\n\r\n["4711"]')


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (("js1", "function template(data) { return null }"), "the template gave null"),
        (("js1", "function template(data) { if (isExit(data)) return 1 }"), "the template gave null"),
        (("js1", "function template(data) { throw new Error('not her') }"), "Error: not her"),
        (("handlebars", "{{#if (isExit)}}1{{/if}}\n"), "the template gave nothing"),
        (("handlebars", '{{assert nickname "not her"}}'), "Error: not her"),
    ],
)
def test_a_template_may_leave_somebody_out(shop: Desk, body: tuple[str, str], reason: str) -> None:
    steps, heard = shop.run(sent(shop, body, ("handlebars", "URL")))

    assert reason in " ".join(step.text for step in steps)
    assert heard == []
