"""Every text of a template stays readable for as long as somebody may want it back."""

import contextlib
import sqlite3
from functools import partial
from pathlib import Path

import msgspec
import pytest

from gatepost.backends.sqlite.store import SqliteStore
from gatepost.model.catalog import Author, Template, TemplateType
from gatepost.model.errors import NotFound
from gatepost.model.jsonvalue import JsonObject
from gatepost.operations import jobs, templates, templateversions
from gatepost.operations.templates import TemplateDraft
from gatepost.operations.templateversions import KEPT_VERSIONS, KeptVersion, line_changes
from gatepost.ports.store import Transaction
from gatepost.stages.orders import OrderBook
from tests.unit.operations.desk import SHOP, Desk

WATCHING: JsonObject = {
    "audiences": {"everybody": {"filter": "*"}},
    "templates": {"greeting": {"source": "{ number: 0 }"}},
    "jobs": {
        "greet": {"audiences": ["everybody"], "url": "https://example.com/hook", "template": "greeting"}
    },
}


def saved(desk: Desk, source: str, id_: str = "") -> str:
    draft = TemplateDraft("greeting", "jsonnet", source)
    if id_:
        return desk.run(templates.update_template(desk.context, SHOP, id_, draft)).id
    return desk.run(templates.create_template(desk.context, SHOP, draft)).id


def versions(desk: Desk, id_: str) -> list[KeptVersion]:
    return desk.run(templateversions.list_versions(desk.context, SHOP, id_))


def pinned(desk: Desk, version: int | None) -> None:
    """Let the one job stay at a version, or follow the newest."""
    (job,) = desk.run(jobs.list_jobs(desk.context, SHOP))
    config = {key: value for key, value in job.config.items() if key != "template_version"}
    if version:
        config["template_version"] = version
    draft = jobs.JobDraft(job.name, job.workflow, config, job.auth_ids, job.description)
    desk.run(jobs.update_job(desk.context, SHOP, job.id, draft))


def put(template: Template, tx: Transaction) -> None:
    tx.catalog.put(SHOP, template.id, template)


def rendered(desk: Desk) -> str:
    """Return the text that the one job renders."""
    book = OrderBook(desk.context.secrets)
    desk.read(book.refresh)
    (order,) = book.orders.values()
    return "" if order.template is None else order.template.source


def test_the_newest_hundred_texts_are_kept(desk: Desk) -> None:
    id_ = saved(desk, "{ number: 0 }")

    for number in range(1, KEPT_VERSIONS + 3):
        saved(desk, f"{{ number: {number} }}", id_)

    kept = versions(desk, id_)
    assert len(kept) == KEPT_VERSIONS
    assert (kept[0].template.version, kept[-1].template.version) == (KEPT_VERSIONS + 3, 4)
    assert kept[1].template.source == f"{{ number: {KEPT_VERSIONS + 1} }}"
    with pytest.raises(NotFound, match="version '3'"):
        desk.run(templateversions.get_version(desk.context, SHOP, id_, 3))


def test_a_version_that_a_job_stays_at_is_kept_however_old(shop: Desk) -> None:
    shop.configure(WATCHING)
    (template,) = shop.run(templates.list_templates(shop.context, SHOP))
    saved(shop, "{ number: 1 }", template.id)
    pinned(shop, 1)

    for number in range(2, KEPT_VERSIONS + 5):
        saved(shop, f"{{ number: {number} }}", template.id)

    oldest = versions(shop, template.id)[-1]
    assert (oldest.template.version, oldest.jobs) == (1, ("greet",))
    assert rendered(shop) == "{ number: 0 }"


def test_a_job_that_is_let_go_renders_the_newest_again(shop: Desk) -> None:
    shop.configure(WATCHING)
    (template,) = shop.run(templates.list_templates(shop.context, SHOP))
    saved(shop, "{ number: 1 }", template.id)

    seen = []
    for version in (1, 2, None):
        pinned(shop, version)
        seen.append(rendered(shop))

    assert seen == ["{ number: 0 }", "{ number: 1 }", "{ number: 1 }"]


def test_applying_a_document_again_leaves_a_rolled_back_job_where_it_is_and_says_so(shop: Desk) -> None:
    shop.configure(WATCHING)
    mended: JsonObject = {**WATCHING, "templates": {"greeting": {"source": "{ number: 1 }"}}}
    shop.configure(mended)
    pinned(shop, 1)

    report = shop.configure(mended)

    assert not report.changed
    assert report.warnings == [
        "the job greet stays at version 1 of the template greeting; "
        "`gatepost job rollback greet --newest` lets it follow"
    ]
    assert rendered(shop) == "{ number: 0 }"


def test_another_template_ends_the_stay_at_a_version(shop: Desk) -> None:
    shop.configure(WATCHING)
    pinned(shop, 1)
    other: JsonObject = {
        "templates": {"other": {"source": "{ other: 1 }"}},
        "jobs": {
            "greet": {"audiences": ["everybody"], "url": "https://example.com/hook", "template": "other"}
        },
    }

    shop.configure(other)

    assert rendered(shop) == "{ other: 1 }"


def test_a_new_description_makes_no_version(desk: Desk) -> None:
    id_ = saved(desk, "{}")
    described = TemplateDraft("greeting", "jsonnet", "{}", description="Says hello")

    desk.run(templates.update_template(desk.context, SHOP, id_, described))

    assert [kept.template.version for kept in versions(desk, id_)] == [1]


def test_a_version_says_who_saved_it(desk: Desk) -> None:
    id_ = saved(desk, "{}")
    ada = msgspec.structs.replace(desk.context, asker=Author("7", "ada"))

    desk.run(templates.update_template(ada, SHOP, id_, TemplateDraft("greeting", "jsonnet", "{ a: 1 }")))

    assert [kept.template.author.label for kept in versions(desk, id_)] == ["ada", ""]


def test_the_versions_go_with_the_template(desk: Desk) -> None:
    id_ = saved(desk, "{}")
    saved(desk, "{ a: 1 }", id_)

    desk.run(templates.delete_template(desk.context, SHOP, id_))

    with pytest.raises(NotFound):
        versions(desk, id_)


def test_a_line_that_only_moved_is_no_change() -> None:
    assert line_changes("a\nb\nc\n", "c\na\nb\n") == (0, 0)
    assert line_changes("a\na\n", "a\nb\nc\n") == (2, 1)


def test_versions_that_an_older_gatepost_kept_are_still_there(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state")
    template = Template(
        id="a" * 32, account=SHOP, name="t", type=TemplateType.JSONNET, source="{}", version=2
    )
    earlier = msgspec.structs.replace(template, id=f"{template.id}@1", version=1, source="{ a: 1 }")
    for one in (template, earlier):
        store.write_blocking(partial(put, one))
    store.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "state")) as older:
        older.execute("PRAGMA user_version = 7")

    store = SqliteStore(tmp_path / "state")
    current = store.write_blocking(lambda tx: tx.catalog.list(Template, SHOP))
    kept = store.write_blocking(lambda tx: templateversions.version_at(tx, template, 1))
    store.close()

    assert current == [template]
    assert kept is not None
    assert kept.source == "{ a: 1 }"
