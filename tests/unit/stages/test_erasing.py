"""Somebody asks to be forgotten, and nothing of her is left."""

from contextlib import closing

import msgspec
import orjson
import pytest

from gatepost.backends.sqlite.connection import connect
from gatepost.model.audience import ExclusionCommand
from gatepost.model.erasure import EraseStep
from gatepost.model.event import RecordKind, Submission
from gatepost.model.merge import MergeCommand
from gatepost.model.profile import EVERYWHERE
from gatepost.model.times import DAY, HOUR
from gatepost.ports.outbox import Claim
from tests.factories import ACCOUNT
from tests.pipeline import START, Pipeline
from tests.unit.stages.erased import MAIL, NAME, NAMED, ask, raw_bytes, receipt, tell


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


def test_who_was_parted_from_her_goes_on_when_her_deliveries_are_gone(shop: Pipeline) -> None:
    tell(shop, cookie="c1")
    shop.send(cookie="c2", total=20)
    tell(shop, cookie="c2")
    shop.settle()
    body = msgspec.json.encode(MergeCommand(merge=1))
    shop.log.append(ACCOUNT, [Submission("", 0, body, kind=RecordKind.UNMERGE)]).result()
    shop.send(cookie="c2", total=-15)
    shop.settle()
    *_, parted = shop.profiles()

    ask(shop)
    shop.settle()
    claims = [Claim(destination=1, limit=100)]
    claimed = shop.store.write_blocking(lambda tx: tx.outbox.claim("w", claims, START, START + HOUR))

    assert [("exit", 1)] == [
        (one.crossing.value, one.audience) for one in claimed if one.profile == parted.number
    ]


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


def test_while_something_else_reads_the_file_the_erasure_waits_and_says_why(shop: Pipeline) -> None:
    with closing(connect(shop.folder / "state")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM profiles").fetchone()
        ask(shop)
        shop.settle()
        waiting = receipt(shop)

    assert (EraseStep.LOOK, 1) == (waiting.step, waiting.failures)
    assert "while something else reads the file" in waiting.trouble


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
