"""The schema changes, and what was folded before it did stays as it was folded."""

from typing import Any

import msgspec
import pytest

from gatepost.core.plans import AccountPlan
from gatepost.core.provenance import field_sources
from gatepost.core.refolding import refolded
from gatepost.core.versions import Versions
from gatepost.model.event import RecordKind, Submission
from gatepost.model.merge import MergeCommand
from gatepost.model.profile import Profile
from gatepost.model.schema import Field, FieldType, Mapping, MergeOperator, Schema
from gatepost.model.times import DAY, HOUR
from gatepost.operations.records import current_schema, versions_of
from gatepost.ports.catalog import Duty
from gatepost.ports.store import Transaction
from gatepost.stages.excluding import command_body
from tests.factories import ACCOUNT
from tests.pipeline import SHOP, Pipeline, make_audience, shop_with


def with_field(schema: Schema, name: str, expression: str = "", **changed: object) -> Schema:
    """A schema with another form of a field, which no expression or another one fills."""
    others = tuple(one for one in schema.mappings if one.field != name)
    filling = (Mapping(stream="web", field=name, expression=expression),) if expression else ()
    fields = (msgspec.structs.replace(f, **changed) if f.name == name else f for f in schema.fields)
    return msgspec.structs.replace(schema, fields=tuple(fields), mappings=(*others, *filling))


LARGEST = with_field(SHOP, "spend", "tonumber(total)", merge=MergeOperator.MAX)
"""The shop's schema, but `spend` is the largest amount from now on."""


def unmerge(pipeline: Pipeline) -> None:
    body = msgspec.json.encode(MergeCommand(merge=1))
    pipeline.log.append(ACCOUNT, [Submission("", 0, body, kind=RecordKind.UNMERGE)]).result()
    pipeline.settle()


def versions(pipeline: Pipeline) -> Versions:
    """The versions of the schema that were published."""

    def work(tx: Transaction) -> Versions:
        return versions_of(tx, ACCOUNT, AccountPlan(current_schema(tx, ACCOUNT), (), (), set()))

    return pipeline.store.write_blocking(work)


def again(pipeline: Pipeline, profile: Profile) -> Profile:
    """A profile folded again from its history until now."""
    events, now = pipeline.log.fetch(profile.trail), pipeline.clock.audience()
    *_, last = refolded(versions(pipeline), profile.identifiers, events, now)
    return last.profile


def test_a_version_folds_what_was_received_after_it_was_published(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 10")
    for amount in (6, 3):
        pipeline.send(user="ada", total=amount)
    pipeline.publish(LARGEST)
    pipeline.send(user="ada", total=4)

    pipeline.settle()

    assert 9 == pipeline.profile().fields["spend"]
    assert 9 == again(pipeline, pipeline.profile()).fields["spend"]


def test_versions_published_one_after_the_other_fold_each_its_own_part_of_one_batch(
    pipeline: Pipeline,
) -> None:
    pipeline.configure("spend > 10")
    pipeline.send(user="ada", total=6)
    pipeline.publish(LARGEST)
    pipeline.publish(with_field(SHOP, "spend"))
    pipeline.send(user="ada", total=100)
    pipeline.publish(SHOP)
    pipeline.send(user="ada", total=5)

    pipeline.settle()

    assert 11 == pipeline.profile().fields["spend"]
    assert ["ada"] == pipeline.inside()


def test_a_publication_that_finds_nothing_waiting_takes_no_turn_of_its_own(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 10")
    pipeline.send(user="ada", total=6)
    pipeline.settle()

    pipeline.publish(LARGEST)
    pipeline.send(user="ada", total=8)
    turn = pipeline.apply.run_once()

    assert (1, False) == (turn.records, turn.more)
    assert 8 == pipeline.profile().fields["spend"]


def test_two_who_are_parted_have_what_was_folded_by_the_version_of_its_time(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 10")
    pipeline.send(user="ada", total=5)
    pipeline.send(cookie="c1", total=7)
    pipeline.send(user="ada", cookie="c1", total=1)
    pipeline.send(cookie="c1", total=2)
    pipeline.settle()
    pipeline.publish(LARGEST)
    pipeline.send(cookie="c1", total=20)
    pipeline.send(user="ada", total=3)
    pipeline.settle()

    unmerge(pipeline)

    ada, browser = pipeline.profiles()
    assert (6, 20) == (ada.fields["spend"], browser.fields["spend"])
    pipeline.send(user="ada", total=50)
    pipeline.settle()
    assert 50 == pipeline.profiles()[0].fields["spend"]


def test_an_identifier_that_is_none_any_more_still_tells_whose_an_old_event_was(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 10")
    pipeline.send(user="ada", total=5)
    pipeline.send(cookie="c1", total=7)
    pipeline.send(user="ada", cookie="c1", total=1)
    pipeline.send(cookie="c1", total=2)
    pipeline.settle()
    pipeline.publish(with_field(SHOP, "cookie"))
    pipeline.send(user="ada", cookie="c1", total=100)
    pipeline.settle()

    unmerge(pipeline)

    ada, browser = pipeline.profiles()
    assert (106, 9) == (ada.fields["spend"], browser.fields["spend"])


def test_two_who_merge_after_a_field_became_a_map_are_one(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 10")
    pipeline.send(user="ada", event="purchase", product="tea")
    pipeline.send(cookie="c1", event="purchase", product="mug")
    pipeline.settle()
    pipeline.publish(with_field(SHOP, "products", 'match("hats.")', type=FieldType.INT_MAP))

    pipeline.send(user="ada", cookie="c1", hats={"red": 1})
    pipeline.settle()

    assert {"red": 1} == pipeline.profile().fields["products"]
    assert 0 == pipeline.counters().get("events_set_aside", 0)


def test_a_new_window_is_filled_with_what_old_mappings_gave(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 1000")
    pipeline.send(user="ada", total=6)
    pipeline.settle()
    pipeline.publish(with_field(SHOP, "spend", "tonumber(price)"))
    pipeline.send(user="ada", total=50, price=3)
    pipeline.settle()

    def create(tx: Transaction) -> None:
        audience = make_audience(2, 'sum("spend", "7d") = 9')
        tx.catalog.put(ACCOUNT, audience.id, audience)
        sources = ("sum:spend",)
        tx.ledger.add_duty(
            Duty(account=ACCOUNT, kind="fill", subject=audience.id, audience=2, sources=sources)
        )

    pipeline.store.write_blocking(create)
    pipeline.settle()

    assert ["ada"] == pipeline.inside(2)


def test_values_are_kept_for_as_long_as_the_version_of_the_time_says(pipeline: Pipeline) -> None:
    pages = Field(name="pages", type=FieldType.STRINGS, merge=MergeOperator.MERGE, keep_days=1)
    shop = shop_with(pages, "url")
    pipeline.configure("spend > 10", schema=shop)
    pipeline.send(user="ada", url="/shoes")
    pipeline.after(20 * HOUR)
    pipeline.send(user="ada", url="/hats")
    pipeline.after(6 * HOUR)

    pipeline.publish(with_field(shop, "pages", "url", keep_days=5))
    pipeline.settle()
    pipeline.after(2 * DAY)

    ada = pipeline.profile()
    assert ["/hats"] == ada.fields["pages"] == again(pipeline, ada).fields["pages"]
    pipeline.after(3 * DAY)
    assert "pages" not in pipeline.profile().fields


def test_what_is_received_before_is_kept_as_long_as_the_version_of_its_time_says(pipeline: Pipeline) -> None:
    pages = Field(name="pages", type=FieldType.STRINGS, merge=MergeOperator.MERGE)
    shop = shop_with(pages, "url")
    pipeline.configure("spend > 10", schema=shop)
    pipeline.send(user="ada", url="/shoes")
    pipeline.publish(with_field(shop, "pages", "url", keep_days=1))
    pipeline.settle()

    still = pipeline.profile().fields["pages"]
    pipeline.after(DAY)

    assert ["/shoes"] == still
    assert "pages" not in pipeline.profile().fields


def test_the_source_of_a_field_is_the_mapping_of_its_time(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 10")
    pipeline.send(user="ada", city="Rome", total=5)
    pipeline.settle()
    pipeline.publish(with_field(LARGEST, "city", "town"))
    pipeline.send(user="ada", city="Oslo", total=2)
    pipeline.settle()
    ada, events = pipeline.profile(), pipeline.log.fetch(pipeline.profile().trail)
    known = versions(pipeline)

    found = field_sources(known, ada, refolded(known, ada.identifiers, events))

    assert ("Rome", 5) == (ada.fields["city"], ada.fields["spend"])
    assert ["city"] == [one.mapping.expression for one in found["city"].origins]
    assert [events[0].id] == [one.event.id for one in found["spend"].origins]


@pytest.mark.parametrize("field", ["email", "cookie"])
def test_an_erasure_takes_what_an_earlier_version_told_and_leaves_others_as_they_were(
    pipeline: Pipeline, field: str
) -> None:
    pipeline.configure("spend > 10")
    for user, mail in (("ada", "ada.lovelace@example.com"), ("bob", "bob.builder@example.com")):
        told: dict[str, Any] = {"user": user, field: mail, "total": 5}
        pipeline.send(**told)
        pipeline.send(user=user, total=4)
    pipeline.settle()
    pipeline.publish(with_field(LARGEST, field))
    body = command_body(pipeline.keys, "e" * 32, (field, "ada.lovelace@example.com"))
    pipeline.log.append(ACCOUNT, [Submission("", 0, body, kind=RecordKind.ERASE)]).result()
    pipeline.settle()

    bob = pipeline.profile()

    assert 9 == bob.fields["spend"] == again(pipeline, bob).fields["spend"]
    files = b"".join(path.read_bytes() for path in pipeline.folder.iterdir() if path.suffix != "-shm")
    assert b"lovelace" not in files
    assert b"bob.builder" in files


def test_a_short_identifier_of_an_earlier_version_is_taken_out_of_what_others_said(
    pipeline: Pipeline,
) -> None:
    pipeline.configure("spend > 10")
    pipeline.send(user="ada", cookie="42", email="deep.thought@example.com")
    pipeline.send(user="bob", total=42)
    pipeline.send(user="bob", cookie="42")
    pipeline.settle()
    pipeline.publish(with_field(SHOP, "cookie"))
    body = command_body(pipeline.keys, "e" * 32, ("email", "deep.thought@example.com"))
    pipeline.log.append(ACCOUNT, [Submission("", 0, body, kind=RecordKind.ERASE)]).result()
    pipeline.settle()

    left = [
        msgspec.json.decode(one.body) for one in pipeline.log.read(0, 100) if one.kind == RecordKind.EVENT
    ]

    assert [{"user": "bob", "total": 42}, {"user": "bob"}] == left
