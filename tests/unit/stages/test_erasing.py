"""Somebody asks to be forgotten, and nothing of her is left."""

from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from gatepost.backends.clock import HandClock
from gatepost.backends.sqlite.connection import connect
from gatepost.model.audience import ExclusionCommand
from gatepost.model.delivery import Delivery, DeliveryState
from gatepost.model.erasure import EraseStep, Erasure
from gatepost.model.event import RecordKind, Submission
from gatepost.model.merge import MergeCommand
from gatepost.model.profile import EVERYWHERE
from gatepost.model.schema import Field, Mapping
from gatepost.model.times import DAY, HOUR, Instant
from gatepost.ports.outbox import Claim, DeliveryFilter, Settlement
from gatepost.ports.store import Transaction
from gatepost.stages.excluding import command_body
from tests.factories import ACCOUNT
from tests.pipeline import START, Pipeline, shop_with

REQUEST = "e" * 32
MAIL, NAME = "ada.lovelace@example.com", "Augusta Ada Byron"
NAMED = shop_with(Field(name="name", pii=True), "name")


def ask(pipeline: Pipeline, value: str = MAIL, field: str = "email", request: str = REQUEST) -> None:
    """Append the request to erase somebody."""
    body = command_body(pipeline.keys, request, (field, value))
    pipeline.log.append(ACCOUNT, [Submission("", 0, body, kind=RecordKind.ERASE)]).result()


def receipt(pipeline: Pipeline, request: str = REQUEST) -> Erasure:
    found = pipeline.store.write_blocking(lambda tx: tx.erasures.get(ACCOUNT, request))
    assert found is not None
    return found


def raw_bytes(folder: Path) -> bytes:
    """Every byte of both files, with their write-ahead logs."""
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if not path.name.endswith("-shm"))


def tell(pipeline: Pipeline, **more: Any) -> None:
    pipeline.send(email=MAIL, name=NAME, **more)


@pytest.fixture
def shop(pipeline: Pipeline) -> Pipeline:
    """Ada and Bob have bought, and both are in an audience."""
    pipeline.configure("spend > 10", 'last_visit > "now-30d"', schema=NAMED)
    tell(pipeline, user="ada", total=20)
    pipeline.send(user="bob", email="bob@example.com", total=20)
    pipeline.settle()
    return pipeline


def test_nothing_of_her_is_left_in_any_byte_of_the_files(shop: Pipeline) -> None:
    shop.send(cookie="cookie-of-hers", name=NAME, total=1)
    tell(shop, cookie="cookie-of-hers", total=5)
    shop.settle()
    assert MAIL.encode() in raw_bytes(shop.folder)

    ask(shop)
    shop.settle()

    left = raw_bytes(shop.folder).lower()
    assert EraseStep.DONE == receipt(shop).step
    assert [word for word in (MAIL, NAME, "cookie-of-hers") if word.lower().encode() in left] == []
    assert b"bob@example.com" in left


def test_nobody_is_told_of_exits_and_the_audiences_are_one_smaller(shop: Pipeline) -> None:
    before = shop.triggers()

    ask(shop)
    shop.settle()

    assert [("enter", 1), ("enter", 2)] == [(crossing, number) for crossing, number, _ in shop.triggers()]
    assert 4 == len(before)
    assert ["bob"] == shop.inside(1) == shop.inside(2)
    sizes = shop.store.write_blocking(lambda tx: tx.memberships.sizes(ACCOUNT))
    assert [(1, 2, 0), (1, 2, 0)] == [(one.size, one.entered, one.left) for _, one in sorted(sizes.items())]


def test_the_receipt_counts_what_went(shop: Pipeline) -> None:
    ask(shop)
    shop.settle()

    counts = receipt(shop).counts
    assert {"profiles": 1, "identifiers": 3, "memberships": 2, "timers": 1, "deliveries": 2, "events": 1} == {
        kind: counts[kind]
        for kind in ("profiles", "identifiers", "memberships", "timers", "deliveries", "events")
    }


def test_events_older_than_the_request_stay_out_and_a_newer_one_begins_anew(shop: Pipeline) -> None:
    shop.after(HOUR)
    ask(shop)
    shop.settle()
    shop.after(HOUR)

    tell(shop, at=START, total=50)
    shop.settle()
    late = len(shop.profiles()), MAIL.encode() in raw_bytes(shop.folder)
    tell(shop, total=7)
    shop.settle()

    assert (1, False) == late
    assert [20, 7] == [one.fields["spend"] for one in shop.profiles()]
    assert 1 == shop.counters()["events_excluded"]


def test_what_is_in_the_log_but_not_applied_yet_goes_too(shop: Pipeline) -> None:
    tell(shop, total=30)
    ask(shop)
    shop.settle()

    assert 2 == receipt(shop).counts["events"]
    assert MAIL.encode() not in raw_bytes(shop.folder)


def test_an_event_of_somebody_else_loses_just_what_names_her(shop: Pipeline) -> None:
    shop.send(user="bob", email=MAIL, total=5, note=f"bought for {MAIL}")
    shop.settle()

    ask(shop)
    shop.settle()

    assert MAIL.encode() not in raw_bytes(shop.folder)
    assert [25] == [one.fields["spend"] for one in shop.profiles()]


def test_copies_that_merges_keep_go_too_and_so_does_what_a_poison_event_says(shop: Pipeline) -> None:
    shop.log.append(ACCOUNT, [Submission("web", 0, f'{{"email": "{MAIL}", '.encode())]).result()
    shop.send(cookie="c1", name=NAME)
    tell(shop, cookie="c1")
    shop.settle()

    ask(shop)
    shop.settle()

    counts = receipt(shop).counts
    assert (1, 1) == (counts["merges"], counts["mentions"])
    assert MAIL.encode() not in raw_bytes(shop.folder)


def test_asking_for_somebody_unknown_keeps_her_past_out(shop: Pipeline) -> None:
    shop.after(DAY)
    ask(shop, "eve@example.com")
    shop.settle()

    shop.send(email="eve@example.com", at=START)
    shop.settle()

    assert 2 == len(shop.profiles())
    assert {} == {kind: n for kind, n in receipt(shop).counts.items() if kind != "files_rewritten"}


def test_asking_twice_does_no_harm(shop: Pipeline) -> None:
    ask(shop)
    ask(shop)
    ask(shop, request="f" * 32)
    shop.settle()

    assert 1 == receipt(shop).counts["profiles"]
    assert 0 == receipt(shop, "f" * 32).counts.get("profiles", 0)
    assert 1 == len(shop.profiles())


def test_an_order_that_kept_her_out_of_an_audience_goes_too(shop: Pipeline) -> None:
    id_ = next(one.id for one in shop.profiles() if one.fields["user"] == "ada")
    order = msgspec.json.encode(ExclusionCommand(audience=1, profile=id_))
    shop.log.append(ACCOUNT, [Submission("", 0, order, kind=RecordKind.EXCLUDE)]).result()

    ask(shop)
    shop.settle()

    assert id_.encode() not in raw_bytes(shop.folder)


def test_two_who_go_together_have_each_a_receipt_of_their_own(shop: Pipeline) -> None:
    tell(shop, total=1)
    ask(shop)
    ask(shop, "bob", "user", "b" * 32)
    shop.settle()

    assert [] == shop.profiles()
    assert (2, 1) == (receipt(shop).counts["events"], receipt(shop, "b" * 32).counts["events"])
    assert b"bob@example.com" not in raw_bytes(shop.folder)


def test_two_who_were_parted_are_erased_apart_and_no_copy_of_the_one_stays_with_the_other(
    shop: Pipeline,
) -> None:
    shop.send(cookie="cookie-of-bob", total=3)
    tell(shop, cookie="cookie-of-bob")
    shop.settle()
    undo = msgspec.json.encode(MergeCommand(merge=1))
    shop.log.append(ACCOUNT, [Submission("", 0, undo, kind=RecordKind.UNMERGE)]).result()

    ask(shop)
    shop.settle()

    assert [None, ["cookie-of-bob"]] == [one.fields.get("cookie") for one in shop.profiles()]
    assert 1 == receipt(shop).counts["merges"]
    assert MAIL.encode() not in raw_bytes(shop.folder)


def collect_answer(shop: Pipeline, delivery: str) -> None:
    """Append what a receiver said to a delivery, as deliver forwards it."""
    body = orjson.dumps({"origin": {"email": MAIL}, "response": {"name": NAME}, "delivery": delivery})
    answer = Submission("answers", 0, body, f"answer:{delivery}", hops=1)
    shop.log.append(ACCOUNT, [answer]).result()


def deliveries(shop: Pipeline, number: int) -> list[Delivery]:
    wanted = DeliveryFilter(account=ACCOUNT, profile=number, limit=100)
    return [one.delivery for one in shop.store.write_blocking(lambda tx: tx.deliveries.listed(wanted))]


@pytest.fixture
def answered(pipeline: Pipeline) -> Pipeline:
    """Ada has bought; the answers of receivers lead back to her."""
    mappings = [
        Mapping(stream="answers", field="email", expression="`origin.email`"),
        Mapping(stream="answers", field="name", expression="`response.name`"),
    ]
    schema = msgspec.structs.replace(NAMED, mappings=(*NAMED.mappings, *mappings))
    pipeline.configure("spend > 10", schema=schema)
    tell(pipeline, total=20)
    pipeline.settle()
    return pipeline


@pytest.mark.parametrize("later", [0, HOUR])
def test_an_answer_that_arrives_after_the_request_brings_nobody_back(answered: Pipeline, later: int) -> None:
    (sent,) = deliveries(answered, 1)

    ask(answered)
    answered.clock.move(START + later)
    collect_answer(answered, sent.id)
    answered.settle()

    assert [] == answered.profiles()
    assert MAIL.encode() not in raw_bytes(answered.folder)


def test_an_answer_to_what_was_settled_before_the_request_is_applied_brings_nobody_back(
    answered: Pipeline,
) -> None:
    (sent,) = deliveries(answered, 1)
    answered.clock.move(START + HOUR)
    ask(answered)
    collect_answer(answered, sent.id)

    def settle(tx: Transaction) -> None:
        (claimed,) = tx.outbox.claim("test", [Claim(destination=1, limit=1)], START, START + HOUR)
        tx.outbox.settle("test", [Settlement(delivery=claimed, state=DeliveryState.DELIVERED)], START)

    answered.store.write_blocking(settle)
    answered.settle()

    assert [] == answered.profiles()
    assert MAIL.encode() not in raw_bytes(answered.folder)


def test_who_comes_back_hears_the_answers_to_what_she_was_sent_since(answered: Pipeline) -> None:
    ask(answered)
    answered.after(HOUR)
    answered.send(email=MAIL, total=30)
    answered.settle()
    new = answered.profile()

    collect_answer(answered, deliveries(answered, new.number)[0].id)
    answered.settle()

    assert [(NAME, 30)] == [(one.fields["name"], one.fields["spend"]) for one in answered.profiles()]


def test_an_event_collected_while_she_is_being_erased_makes_a_new_profile_without_a_past(
    shop: Pipeline,
) -> None:
    shop.after(HOUR)
    ask(shop)
    steps = 0
    while shop.apply.run_once().more:
        steps += 1
        if steps in (1, 4, 9):
            shop.send(email=MAIL, total=1)

    (_, ada) = shop.profiles()
    assert (3, 3, START + HOUR) == (ada.fields["spend"], ada.events, ada.created)
    assert ("user" in ada.fields, "name" in ada.fields) == (False, False)
    assert EraseStep.DONE == receipt(shop).step
    assert NAME.encode() not in raw_bytes(shop.folder)


def test_a_short_identifier_is_taken_out_of_an_event_of_others_only_where_it_means_her(
    shop: Pipeline,
) -> None:
    shop.send(user="42", email="deep.thought@example.com")
    shop.send(user="bob", total=42, note="42")
    shop.send(user="42", email="bob@example.com", note="42")
    shop.settle()

    ask(shop, "42", "user")
    shop.settle()

    left = [orjson.loads(event.body) for event in shop.log.read(0, 100) if event.stream == "web"]
    assert {"user": "bob", "total": 42, "note": "42"} in left
    assert not any(event.get("user") == "42" for event in left)


def test_letters_beyond_ascii_are_one_in_either_case(shop: Pipeline) -> None:
    shop.send(user="Jürgen-07")
    shop.send(user="bob", note="JÜRGEN-07", total=1)
    shop.settle()

    ask(shop, "Jürgen-07", "user")
    shop.settle()

    assert not any(b"rgen-07" in event.body.lower() for event in shop.log.read(0, 100))


class StillClock(HandClock):
    """Wall time stands still too."""

    now = START

    def wall(self) -> Instant:
        return self.now


def test_a_step_that_fails_is_tried_again_after_a_while_for_as_long_as_it_takes(tmp_path: Path) -> None:
    clock = StillClock(START)
    shop = Pipeline(tmp_path, clock)
    shop.configure("spend > 10", schema=NAMED)
    tell(shop, total=20)
    ask(shop)
    shop.apply.run_once()
    work = shop.store.write_blocking(lambda tx: tx.erasures.work(ACCOUNT, REQUEST))
    # As a file would hold it whose key is missing from the ring.
    shop.store.write_blocking(lambda tx: tx.erasures.put(receipt_of(tx), b"sealed under another key"))

    waits = []
    for _ in range(3):
        shop.settle()
        failed = receipt(shop)
        waits.append((failed.failures, failed.again - clock.now))
        clock.now = failed.again
    shop.store.write_blocking(lambda tx: tx.erasures.put(receipt_of(tx), work))
    shop.settle()

    done = receipt(shop)
    assert [(1, 1_000), (2, 5_000), (3, 30_000)] == waits
    assert "fits none of the" in failed.trouble
    assert (EraseStep.DONE, 0, 0, "") == (done.step, done.failures, done.again, done.trouble)
    assert 0 == shop.counters().get("duties_set_aside", 0)
    shop.close()


def test_while_something_else_reads_the_file_the_erasure_waits_and_says_why(shop: Pipeline) -> None:
    with closing(connect(shop.folder / "state")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM profiles").fetchone()
        ask(shop)
        shop.settle()
        waiting = receipt(shop)

    assert (EraseStep.LOOK, 1) == (waiting.step, waiting.failures)
    assert "while something else reads the file" in waiting.trouble


def receipt_of(tx: Transaction) -> Erasure:
    found = tx.erasures.get(ACCOUNT, REQUEST)
    assert found is not None
    return found


def test_a_hidden_profile_leaves_every_audience_with_exits_and_enters_none_again(shop: Pipeline) -> None:
    id_ = next(one.id for one in shop.profiles() if one.fields["user"] == "ada")
    order = msgspec.json.encode(ExclusionCommand(audience=EVERYWHERE, profile=id_))
    shop.log.append(ACCOUNT, [Submission("", 0, order, kind=RecordKind.EXCLUDE)]).result()
    shop.settle()
    inside = shop.inside(1), shop.inside(2)

    tell(shop, total=50)
    shop.settle()

    assert (["bob"], ["bob"]) == inside == (shop.inside(1), shop.inside(2))
    assert ["exit", "exit"] == [crossing for crossing, _, _ in shop.triggers() if crossing == "exit"]
    assert [70, 20] == [one.fields["spend"] for one in shop.profiles()]
