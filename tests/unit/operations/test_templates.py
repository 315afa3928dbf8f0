import pytest

from gatepost.model.catalog import TemplateType
from gatepost.model.errors import Conflict, InvalidInput, NotFound, TemplateError
from gatepost.model.jsonvalue import JsonObject
from gatepost.operations import audiences, jobs, templates, templateversions
from gatepost.operations.templates import TemplateDraft, TemplateTest
from gatepost.ports.renderer import Rendered, RenderFailure
from tests.unit.operations.desk import NEIGHBOUR, SHOP, Desk

GREETING = "local person = (import 'lytemplates.libsonnet');\n{ hello: person.get('town', 'nowhere') }"


def made(desk: Desk, source: str = GREETING, name: str = "greeting") -> str:
    draft = TemplateDraft(name, "jsonnet", source)
    return desk.run(templates.create_template(desk.context, SHOP, draft)).id


def test_a_template_is_stored_and_an_exact_repeat_gives_the_same_one(desk: Desk) -> None:
    first = made(desk)

    again, other = made(desk), made(desk, source="{}")

    assert again == first
    assert other != first
    assert [one.id for one in desk.run(templates.list_templates(desk.context, SHOP))] == [first, other]


def test_a_source_that_does_not_parse_is_refused_with_its_place(desk: Desk) -> None:
    draft = TemplateDraft("broken", "jsonnet", "{\n  a: ]\n}")

    with pytest.raises(TemplateError) as refused:
        desk.run(templates.create_template(desk.context, SHOP, draft))

    assert (refused.value.line, refused.value.column) == (2, 6)
    assert desk.run(templates.list_templates(desk.context, SHOP)) == []


def test_damage_of_rendered_markdown_is_mended_on_request(desk: Desk) -> None:
    draft = TemplateDraft("copied", "jsonnet", '{ "users": \\[ "\\_uid" ] }')

    with pytest.raises(TemplateError) as refused:
        desk.run(templates.create_template(desk.context, SHOP, draft))
    mended = desk.run(templates.create_template(desk.context, SHOP, draft, repair=True))

    assert "left over from rendered Markdown" in refused.value.hint
    assert mended.source == '{ "users": [ "_uid" ] }'


def test_force_stores_what_does_not_parse(desk: Desk) -> None:
    draft = TemplateDraft("unfinished", "jsonnet", "{ a: ")

    stored = desk.run(templates.create_template(desk.context, SHOP, draft, force=True))

    assert stored.source == "{ a: "


@pytest.mark.parametrize("type_", ["js2", "mustache", ""])
def test_another_language_is_refused_by_name(desk: Desk, type_: str) -> None:
    draft = TemplateDraft("other", type_, "x")

    with pytest.raises(InvalidInput, match="jsonnet, js1, handlebars") as refused:
        desk.run(templates.create_template(desk.context, SHOP, draft))

    assert refused.value.path == "type"


@pytest.mark.parametrize("name", ["", "   ", "n" * 256])
def test_a_name_has_one_to_255_characters(desk: Desk, name: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 255 characters"):
        made(desk, name=name)


def test_an_earlier_version_is_no_template_of_its_own(desk: Desk) -> None:
    id_ = made(desk)
    desk.run(templates.update_template(desk.context, SHOP, id_, TemplateDraft("greeting", "jsonnet", "{}")))

    with pytest.raises(NotFound):
        desk.run(templates.get_template(desk.context, SHOP, f"{id_}@1"))


def test_a_template_in_use_stays_and_the_refusal_names_the_job(shop: Desk) -> None:
    id_ = made(shop)
    audience = shop.run(
        audiences.create_audience(shop.context, SHOP, audiences.AudienceDraft("Everybody", "*"))
    )
    config: JsonObject = {
        "segment_ids": [audience.id],
        "webhook_url": "https://example.com/hook",
        "template_id": id_,
    }
    job = shop.run(jobs.create_job(shop.context, SHOP, jobs.JobDraft("Greet", "webhook_triggers", config)))

    with pytest.raises(Conflict, match="Greet"):
        shop.run(templates.delete_template(shop.context, SHOP, id_))
    shop.run(jobs.command_job(shop.context, SHOP, job.id, "kill"))
    shop.run(templates.delete_template(shop.context, SHOP, id_))

    assert shop.run(templates.list_templates(shop.context, SHOP)) == []


def test_a_neighbour_finds_nothing(desk: Desk) -> None:
    id_ = made(desk)

    for work in (templates.get_template, templates.delete_template, templateversions.list_versions):
        with pytest.raises(NotFound):
            desk.run(work(desk.context, NEIGHBOUR, id_))

    assert desk.run(templates.list_templates(desk.context, NEIGHBOUR)) == []


def test_a_trial_prints_exactly_what_would_be_sent(desk: Desk) -> None:
    trial = TemplateTest(source=GREETING, entity={"town": "Bruges"})

    printed = desk.run(templates.test_template(desk.context, SHOP, trial))

    assert printed == Rendered(text='{\n   "hello": "Bruges"\n}\n')


def test_a_trial_without_an_entity_makes_one_up_from_the_schema(shop: Desk) -> None:
    source = "local p = import 'lytemplates.libsonnet'; [p.get('card'), p.get('spend'), p.isEnter()]"

    printed = shop.run(templates.test_template(shop.context, SHOP, TemplateTest(source=source)))

    assert printed == Rendered(text='[\n   "sample_value",\n   1,\n   true\n]\n')


def test_a_trial_that_fails_says_what_the_engine_says(desk: Desk) -> None:
    trial = TemplateTest(source="{ a: error 'no town' }", entity={})

    failure = desk.run(templates.test_template(desk.context, SHOP, trial))

    assert isinstance(failure, RenderFailure)
    assert failure.message.startswith("RUNTIME ERROR: no town")


def test_a_trial_can_show_memberships_by_their_names(desk: Desk) -> None:
    source = "(import 'lytemplates.libsonnet').inSeg('high_value')"
    sample: JsonObject = {"names": ["High value"], "as": "entity"}
    seen = TemplateTest(source=source, entity={}, sample_segments=sample)
    unseen = TemplateTest(source=source, entity={}, sample_segments={"names": ["High value"]})

    printed = [desk.run(templates.test_template(desk.context, SHOP, trial)) for trial in (seen, unseen)]

    assert printed == [Rendered(text="true\n"), Rendered(text="false\n")]


def test_types_are_told_in_any_case() -> None:
    assert templates.checked_type("Jsonnet") is TemplateType.JSONNET
