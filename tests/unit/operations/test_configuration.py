"""A whole account as one document: what applying it does, and does not do."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gatepost.model.catalog import Account, JobStatus
from gatepost.model.errors import Conflict
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.schema import MergeOperator, Schema
from gatepost.operations import audiences, authorizations, jobs, members, profiles, templates
from gatepost.operations.audiences import AudienceDraft
from gatepost.operations.configuration import Report, apply_configuration, read_declaration
from tests.unit.operations.desk import NEIGHBOUR, SCHEMA, SHOP, Desk

SECRET = "hunter2-hunter2"
SHOP_DOCUMENT: JsonObject = {
    **SCHEMA,
    "account": {"name": "Corner Grocer"},
    "audiences": {
        "rich_locals": {"filter": 'AND (INCLUDE rich, town = "Bruges")'},
        "rich": {"name": "Rich", "filter": "spend > 100"},
    },
    "templates": {"enter": {"type": "jsonnet", "source": "{}"}},
    "authorizations": {"insider": {"headers": {"X-REQUEST-TOKEN": SECRET}}},
    "jobs": {
        "tell": {
            "authorization": "insider",
            "audiences": ["rich", "rich_locals"],
            "template": "enter",
            "url": "https://example.com/hook",
            "events": "enter",
            "backfill": True,
        }
    },
}


def with_part(section: str, key: str, value: JsonValue) -> JsonObject:
    """Return the shop's document with one entry put in place of another."""
    part = SHOP_DOCUMENT[section]
    assert isinstance(part, dict)
    return {**SHOP_DOCUMENT, section: {**part, key: value}}


def without(section: str, key: str) -> JsonObject:
    """Return the shop's document without one entry."""
    part = SHOP_DOCUMENT[section]
    assert isinstance(part, dict)
    return {**SHOP_DOCUMENT, section: {name: value for name, value in part.items() if name != key}}


def actions(report: Report) -> dict[str, str]:
    return {f"{change.kind} {change.name}": change.action for change in report.changes}


def schemas(desk: Desk) -> list[Schema]:
    found: list[Schema] = desk.read(lambda tx: tx.catalog.list(Schema, SHOP))
    return found


def test_the_first_apply_makes_everything_whatever_the_order(desk: Desk) -> None:
    report = desk.configure(SHOP_DOCUMENT)
    desk.collect("baskets", {"card": "a", "total": 500, "town": "Bruges"})

    assert actions(report) == {
        "account Corner Grocer": "update",
        "schema user": "create",
        "audience rich_locals": "create",
        "audience rich": "create",
        "template enter": "create",
        "authorization insider": "create",
        "job tell": "create",
    }
    counted = desk.run(members.sizes(desk.context, SHOP))
    assert [size.size for size in counted.values()] == [1, 1]
    assert desk.read(lambda tx: tx.deliveries.counts(SHOP))["waiting"] == 2
    assert desk.read(lambda tx: tx.catalog.list(Account, SHOP))[0].name == "Corner Grocer"
    assert desk.run(audiences.list_audiences(desk.context, NEIGHBOUR)) == []


def test_the_same_document_again_changes_nothing(desk: Desk) -> None:
    desk.configure(SHOP_DOCUMENT)
    before = desk.read(lambda tx: tx.catalog.version())

    report = desk.configure(SHOP_DOCUMENT)

    assert set(actions(report).values()) == {"unchanged"}
    assert not report.changed
    assert desk.read(lambda tx: tx.catalog.version()) == before
    assert len(schemas(desk)) == 1


def test_a_dry_run_tells_everything_and_does_nothing(desk: Desk) -> None:
    report = desk.configure(SHOP_DOCUMENT, dry_run=True)

    assert actions(report)["job tell"] == "create"
    assert schemas(desk) == []
    assert desk.run(jobs.list_jobs(desk.context, SHOP)) == []


def test_a_report_never_holds_a_secret(desk: Desk) -> None:
    desk.configure(SHOP_DOCUMENT)

    report = desk.configure(
        with_part("authorizations", "insider", {"headers": {"X-REQUEST-TOKEN": f"new-{SECRET}"}})
    )

    (change,) = [one for one in report.changes if one.kind == "authorization"]
    assert (change.action, change.details) == ("update", ["headers or parameters changed"])
    assert SECRET not in repr(report)


def test_header_and_parameter_values_arrive_as_they_were_written(desk: Desk) -> None:
    declared: JsonObject = {"headers": {"X-Key": "a: b"}, "parameters": {"k&y": "v=1&2 %"}}
    desk.configure({"authorizations": {"odd": declared}})

    (stored,) = desk.run(authorizations.list_authorizations(desk.context, SHOP))

    plain = desk.context.secrets.open(stored.config)
    assert b"X-Key: a: b" in plain
    assert b"k%26y=v%3D1%262%20%25" in plain


@pytest.mark.parametrize(
    ("section", "key", "value", "changed", "details"),
    [
        (
            "audiences",
            "rich",
            {"name": "Rich", "filter": "spend > 50"},
            "audience rich",
            ["filter changed"],
        ),
        ("audiences", "rich", {"filter": "spend > 100"}, "audience rich", ["name changed"]),
        ("templates", "enter", {"source": "{ a: 1 }"}, "template enter", ["source changed"]),
        (
            "jobs",
            "tell",
            {
                "authorization": "insider",
                "audiences": ["rich"],
                "template": "enter",
                "url": "https://example.com/other",
                "events": "exit",
                "backfill": True,
            },
            "job tell",
            ["audiences changed", "url changed", "events changed"],
        ),
    ],
)
def test_only_what_differs_is_changed(
    desk: Desk, section: str, key: str, value: JsonObject, changed: str, details: list[str]
) -> None:
    desk.configure(SHOP_DOCUMENT)

    report = desk.configure(with_part(section, key, value))

    assert [f"{one.kind} {one.name}" for one in report.changes if one.action == "update"] == [changed]
    assert next(one.details for one in report.changes if one.action == "update") == details
    assert not desk.configure(with_part(section, key, value)).changed


def test_a_changed_filter_moves_the_members_of_all_it_touches(desk: Desk) -> None:
    desk.configure(SHOP_DOCUMENT)
    desk.collect("baskets", {"card": "a", "total": 60, "town": "Bruges"})

    desk.configure(with_part("audiences", "rich", {"name": "Rich", "filter": "spend > 50"}))
    desk.fold()

    counted = desk.run(members.sizes(desk.context, SHOP))
    assert [size.size for size in counted.values()] == [1, 1]


def test_what_people_made_by_hand_is_left_alone(shop: Desk) -> None:
    by_hand = shop.run(audiences.create_audience(shop.context, SHOP, AudienceDraft("By hand", "spend > 1")))

    shop.configure(SHOP_DOCUMENT)
    report = shop.configure({}, prune=True, confirm=True)

    left = shop.run(audiences.list_audiences(shop.context, SHOP))
    assert [audience.id for audience in left] == [by_hand.id]
    assert actions(report) == {
        "audience rich_locals": "delete",
        "audience rich": "delete",
        "template enter": "delete",
        "authorization insider": "delete",
        "job tell": "delete",
    }
    assert shop.run(templates.list_templates(shop.context, SHOP)) == []
    (killed,) = shop.run(jobs.list_jobs(shop.context, SHOP, show_deleted=True))
    assert killed.status is JobStatus.DELETED


def test_nothing_goes_away_without_prune_nor_without_a_confirmation(desk: Desk) -> None:
    desk.configure(SHOP_DOCUMENT)

    kept = desk.configure(without("jobs", "tell"))
    with pytest.raises(Conflict, match="job tell is killed"):
        desk.configure(without("jobs", "tell"), prune=True)
    warned = desk.configure(without("jobs", "tell"), prune=True, dry_run=True)

    assert not kept.changed
    assert len(desk.run(jobs.list_jobs(desk.context, SHOP))) == 1
    assert ["killed" in warning for warning in warned.warnings] == [True]


@pytest.mark.parametrize(
    ("filter_", "said"),
    [
        ('count("basket", "7d") > 2', "did you mean baskets?"),
        ('count("baskets", "7d") > 2', None),
        ('count("purchase", "7d") > 2', None),
        ('count("baskets", "7d", spend > "a lot") > 2', None),
        ('sequence("basket", "purchase", "1d", "7d")', "did you mean baskets?"),
        ('spend > "a lot"', "never true; compare it with a number"),
        ('"a lot" < spend', "never true; compare it with a number"),
        ('spend > "100"', None),
        ('spend > "now-7d"', "never true; compare it with a number"),
        ('town > "now-7d"', "only where the text is one"),
        ('town = "Ghent"', None),
    ],
)
def test_a_rule_that_is_hardly_meant_is_warned_of_once(desk: Desk, filter_: str, said: str | None) -> None:
    document: JsonObject = {**SCHEMA, "audiences": {"some": {"filter": filter_}}}

    planned = desk.configure(document, dry_run=True)
    applied = desk.configure(document)
    again = desk.configure(document)

    assert planned.warnings == applied.warnings
    assert again.warnings == []
    if said is None:
        assert applied.warnings == []
    else:
        assert len(applied.warnings) == 1
        assert applied.warnings[0].startswith("audience some: ")
        assert said in applied.warnings[0]


def test_a_job_that_lets_go_of_an_audience_says_whose_exits_it_will_not_tell(desk: Desk) -> None:
    def telling(*slugs: str) -> JsonObject:
        job: JsonObject = {"audiences": list(slugs), "url": "https://example.com/hook", "events": "exit"}
        return {**SHOP_DOCUMENT, "jobs": {"tell": job}}

    desk.configure(telling("rich", "rich_locals"))
    desk.collect("baskets", {"card": "a", "total": 500}, {"card": "b", "total": 500})

    without_members = desk.configure(telling("rich"), dry_run=True)
    with_members = desk.configure(telling("rich_locals"), dry_run=True)

    assert without_members.warnings == []
    assert with_members.warnings == [
        "the job tell lets go of rich and will not tell when they leave: members now 2"
    ]


def test_an_audience_that_goes_away_still_sends_its_exits_to_the_job_that_watched_it(desk: Desk) -> None:
    both: JsonObject = {
        **SHOP_DOCUMENT,
        "jobs": {"tell": {"audiences": ["rich", "rich_locals"], "url": "https://example.com/hook"}},
    }
    desk.configure(both)
    desk.collect("baskets", {"card": "a", "total": 500, "town": "Bruges"})
    one: JsonObject = {
        **without("audiences", "rich_locals"),
        "jobs": {"tell": {"audiences": ["rich"], "url": "https://example.com/hook"}},
    }

    desk.configure(one, prune=True, confirm=True)
    desk.fold()

    assert desk.read(lambda tx: tx.deliveries.counts(SHOP))["waiting"] == 3
    assert not desk.configure(one).changed


def test_a_schema_gets_a_new_version_only_when_it_differs(desk: Desk) -> None:
    desk.configure(SCHEMA)
    wider = _with_field({"type": "int", "merge": "count", "description": "how often"})

    report = desk.configure(wider)
    desk.configure(wider)

    (change,) = report.changes
    assert change.details == ["field visits added"]
    assert [schema.version for schema in schemas(desk)] == [1, 2]


def test_a_field_without_an_operator_gets_its_types_own(desk: Desk) -> None:
    desk.configure(_with_field({"type": "map[string]intsum"}))

    (schema,) = schemas(desk)

    assert schema.fields[-1].merge is MergeOperator.MERGE


def test_a_field_that_leaves_the_document_stays_until_pruned(desk: Desk) -> None:
    desk.configure(_with_field({"type": "int"}))

    kept = desk.configure(SCHEMA)
    with pytest.raises(Conflict, match="visits disappears"):
        desk.configure(SCHEMA, prune=True)
    desk.configure(SCHEMA, prune=True, confirm=True)

    assert kept.warnings == ["kept, though the document does not have it: field visits"]
    assert "visits" not in {field.name for field in schemas(desk)[-1].fields}


def test_a_new_type_needs_a_confirmation_and_readers_are_evaluated_again(desk: Desk) -> None:
    desk.configure(_with_field({"type": "string"}), {"audiences": {"often": {"filter": "visits > 5"}}})
    desk.fold()

    with pytest.raises(Conflict, match="from string to int"):
        desk.configure(_with_field({"type": "int"}))
    desk.configure(_with_field({"type": "int"}), confirm=True)

    assert [duty.kind for duty in desk.read(lambda tx: tx.ledger.duties())] == ["evaluate"]


def test_things_made_by_hand_can_be_used_and_taken_over(shop: Desk) -> None:
    by_hand = shop.run(audiences.create_audience(shop.context, SHOP, AudienceDraft("Rich", "spend > 1000")))

    shop.configure(SHOP_DOCUMENT)

    (same,) = [one for one in shop.run(audiences.list_audiences(shop.context, SHOP)) if one.slug == "rich"]
    assert (same.id, same.filter, same.origin) == (by_hand.id, "spend > 100", "")


def test_two_documents_at_once_are_both_applied(desk: Desk) -> None:
    desk.configure(SCHEMA)
    one = read_declaration({"audiences": {"rich": {"filter": "spend > 100"}}})
    other = read_declaration({"audiences": {"poor": {"filter": "spend < 1"}}})

    async def story() -> None:
        await asyncio.gather(
            apply_configuration(desk.context, SHOP, one), apply_configuration(desk.context, SHOP, other)
        )

    desk.run(story())

    slugs = {audience.slug for audience in desk.run(audiences.list_audiences(desk.context, SHOP))}
    assert slugs == {"rich", "poor"}


def test_the_example_of_the_repository_applies_and_applies_again(desk: Desk, repository: Path) -> None:
    document = _example(repository / "examples" / "insider")

    first = desk.configure(document)
    second = desk.configure(document)

    assert {change.action for change in first.changes} == {"create", "update"}
    assert {change.action for change in second.changes} == {"unchanged"}
    names = [job.name for job in desk.run(jobs.list_jobs(desk.context, SHOP))]
    assert names == ["insider_enter", "insider_exit"]


def test_a_changed_time_to_keep_is_walked_through_what_is_stored(desk: Desk) -> None:
    desk.configure(_with_field({"type": "string"}))
    before = desk.read(lambda tx: tx.ledger.duties())

    with pytest.raises(Conflict, match="what is older than 7 days goes from every profile"):
        desk.configure(_with_field({"type": "string", "keep_days": 7}))
    desk.configure(_with_field({"type": "string", "keep_days": 7}), confirm=True)

    assert (before, ["lapse"]) == ([], [duty.kind for duty in desk.read(lambda tx: tx.ledger.duties())])


def test_the_default_attributes_are_filled_from_whatever_stream_there_is(
    desk: Desk, repository: Path
) -> None:
    desk.configure(SCHEMA)
    desk.configure(yaml.safe_load((repository / "examples" / "attributes.yaml").read_text()))
    page: JsonObject = {
        "_uid": "c1",
        "_e": "pv",
        "_sesstart": "1",
        "url": "https://www.shop.example/a?utm_campaign=May",
        "consent": {"mail": True},
        "visit_city": "Ghent",
    }

    desk.collect(
        "a_stream_nobody_declared", page, {"_uid": "c1", "_e": "pv", "url": "https://shop.example/b"}
    )

    found = desk.run(profiles.find_entity(desk.context, SHOP, "_uid", "c1"))
    assert found is not None
    entity = found["data"]
    assert isinstance(entity, dict)
    wanted = {
        "_uids": ["c1"],
        "pageviewct": 2,
        "visitct": 1,
        "domains": ["shop.example"],
        "utm_campaigns": ["may"],
        "consent": {"mail": True},
        "visit_city": "Ghent",
    }
    assert {name: entity[name] for name in wanted} == wanted
    assert list(entity["hourly"].values()) == [2]
    assert list(entity["event_first_seen"]) == ["pv"]
    assert len(entity["active_days"]) == 1


def _with_field(field: JsonObject) -> JsonObject:
    """Return the schema with one more field, `visits`."""
    schema = SCHEMA["schema"]
    assert isinstance(schema, dict)
    fields = schema["fields"]
    assert isinstance(fields, dict)
    return {**SCHEMA, "schema": {**schema, "fields": {**fields, "visits": field}}}


def _example(folder: Path) -> JsonObject:
    """Read an example as the command line does: files for paths, defaults for variables."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (folder / "gatepost.yaml").read_text())
    document: dict[str, Any] = yaml.safe_load(text)
    for template in document["templates"].values():
        template["source"] = (folder / template.pop("path")).read_text()
    return document
