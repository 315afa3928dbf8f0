"""Somebody asks to be forgotten who was taken for another once: what tells of both tells of the other alone then."""

from functools import partial

import msgspec
import orjson
import pytest

from gatepost.model.delivery import Attempt, Delivery, DeliveryState
from gatepost.model.event import RecordKind, Submission
from gatepost.model.merge import MergeCommand
from gatepost.model.times import HOUR
from gatepost.operations.replays import replay_of
from gatepost.ports.outbox import Claim, DeliveryFilter, Replay, Settlement
from gatepost.ports.store import Transaction
from tests.factories import ACCOUNT
from tests.pipeline import START, Pipeline
from tests.unit.stages.erased import MAIL, NAME, NAMED, ask, raw_bytes, receipt, tell


def unmerge(pipeline: Pipeline, merge: int = 1) -> None:
    undo = msgspec.json.encode(MergeCommand(merge=merge))
    pipeline.log.append(ACCOUNT, [Submission("", 0, undo, kind=RecordKind.UNMERGE)]).result()
    pipeline.settle()


@pytest.fixture
def shop(pipeline: Pipeline) -> Pipeline:
    """Ada and Bob are taken for one, Bob's profile stays, and two enters are told of both."""
    pipeline.configure("spend > 10", "spend > 11", schema=NAMED)
    pipeline.send(user="bob", total=8)
    tell(pipeline, total=1)
    pipeline.send(user="bob", email=MAIL, total=20)
    pipeline.settle()
    return pipeline


def claimed(pipeline: Pipeline, worker: str = "w") -> list[Delivery]:
    claims = [Claim(destination=1, limit=100)]
    return pipeline.store.write_blocking(lambda tx: tx.outbox.claim(worker, claims, START, START + HOUR))


def settle(pipeline: Pipeline, delivery: Delivery, state: DeliveryState, worker: str = "w") -> None:
    attempt = Attempt(
        delivery=delivery.id, number=1, started=START, duration=5, reason=f"no {MAIL}", answer=MAIL.encode()
    )
    settlement = Settlement(delivery=delivery, state=state, attempt=attempt)
    pipeline.store.write_blocking(lambda tx: tx.outbox.settle(worker, [settlement], START))


def told(pipeline: Pipeline) -> list[tuple[str, str]]:
    """Whom each delivery tells of that leaves from now on, as it leaves: its id, and what it says."""
    found: list[tuple[str, str]] = []
    while deliveries := claimed(pipeline):
        said = pipeline.store.write_blocking(partial(_delivered, deliveries))
        found += [(one.id, said[one.snapshot].decode()) for one in deliveries]
    return found


def _delivered(deliveries: list[Delivery], tx: Transaction) -> dict[int, bytes]:
    """Let deliveries arrive; return what they said."""
    said = tx.outbox.snapshots([one.snapshot for one in deliveries])
    tx.outbox.settle(
        "w", [Settlement(delivery=one, state=DeliveryState.DELIVERED) for one in deliveries], START
    )
    return said


def ids(pipeline: Pipeline) -> list[str]:
    """The ids of all deliveries, in order."""
    wanted = DeliveryFilter(account=ACCOUNT, limit=1_000)
    listed = pipeline.store.write_blocking(lambda tx: tx.deliveries.listed(wanted))
    return [item.delivery.id for item in reversed(listed)]


def test_what_is_under_way_for_the_other_leaves_in_its_order_and_tells_of_him_alone(shop: Pipeline) -> None:
    unmerge(shop)
    before = ids(shop)

    ask(shop)
    shop.settle()

    assert MAIL.encode() not in raw_bytes(shop.folder)
    leaving = told(shop)
    assert [id_ for id_ in before if id_ in {id_ for id_, _ in leaving}] == [id_ for id_, _ in leaving]
    assert 2 <= len(leaving)
    assert all(orjson.loads(said)["user"] == "bob" for _, said in leaving)
    assert not any(MAIL in said or NAME in said for _, said in leaving)


def test_a_rendered_request_that_waits_for_a_retry_is_rendered_anew(shop: Pipeline) -> None:
    (tried, *_) = claimed(shop)
    body = {(tried.seq, tried.snapshot): f"hello {MAIL}".encode()}
    shop.store.write_blocking(lambda tx: tx.outbox.store_bodies(body))
    settle(shop, tried, DeliveryState.RETRYING)
    unmerge(shop)

    ask(shop)
    shop.settle()

    again = claimed(shop)
    assert (tried.id, None) == (again[0].id, again[0].body)
    assert MAIL.encode() not in raw_bytes(shop.folder)


@pytest.mark.parametrize("state", [DeliveryState.RETRYING, DeliveryState.REFUSED, DeliveryState.DELIVERED])
def test_a_worker_that_holds_one_brings_nothing_of_her_back(shop: Pipeline, state: DeliveryState) -> None:
    (held, *_) = claimed(shop)
    unmerge(shop)
    ask(shop)
    shop.settle()

    body = {(held.seq, held.snapshot): f"hello {MAIL}".encode()}
    shop.store.write_blocking(lambda tx: tx.outbox.store_bodies(body))
    settle(shop, msgspec.structs.replace(held, body=MAIL.encode()), state)

    listed = shop.store.write_blocking(lambda tx: tx.deliveries.get(ACCOUNT, held.id))
    assert listed is not None
    assert (state, None) == (listed.delivery.state, listed.delivery.body)
    assert MAIL.encode() not in raw_bytes(shop.folder)
    (withdrawn,) = shop.erased
    assert (held.seq, held.snapshot) in withdrawn.told_of_her


def test_what_did_not_arrive_while_they_were_one_is_kept_for_no_replay(shop: Pipeline) -> None:
    (refused, *_) = claimed(shop)
    settle(shop, refused, DeliveryState.REFUSED)
    unmerge(shop)

    ask(shop)
    shop.settle()

    kept = shop.store.write_blocking(lambda tx: tx.deliveries.snapshot(ACCOUNT, refused.id))
    assert kept is None
    assert MAIL.encode() not in raw_bytes(shop.folder)
    assert receipt(shop).quoted == {}


def replayed(pipeline: Pipeline, delivery: Delivery) -> Replay | None:
    """Send a finished delivery again; return how."""

    def work(tx: Transaction) -> Replay | None:
        again = replay_of(tx, pipeline.keys, delivery)
        if again is not None:
            tx.deliveries.replay(ACCOUNT, delivery.id, again)
        return again

    return pipeline.store.write_blocking(work)


def test_a_replay_of_what_told_of_both_waits_for_neither_erasure(shop: Pipeline) -> None:
    (refused, *_) = claimed(shop)
    settle(shop, refused, DeliveryState.REFUSED)
    unmerge(shop)
    replayed(shop, refused)

    ask(shop)
    shop.settle()

    leaving = dict(told(shop))
    assert orjson.loads(leaving[refused.id])["user"] == "bob"
    assert MAIL not in leaving[refused.id]
    assert MAIL.encode() not in raw_bytes(shop.folder)


def test_a_replay_while_she_is_being_erased_tells_of_the_other_alone(shop: Pipeline) -> None:
    (refused, *_) = claimed(shop)
    settle(shop, refused, DeliveryState.REFUSED)
    unmerge(shop)
    ask(shop)
    shop.apply.run_once()

    again = replayed(shop, refused)
    shop.settle()

    assert again is not None
    assert orjson.loads(again.snapshot)["user"] == "bob"
    assert MAIL.encode() not in again.snapshot
    assert MAIL.encode() not in raw_bytes(shop.folder)


def test_a_delivery_of_hers_is_not_sent_again_while_she_is_being_erased(shop: Pipeline) -> None:
    (refused, *_) = claimed(shop)
    settle(shop, refused, DeliveryState.REFUSED)
    ask(shop)
    shop.apply.run_once()

    assert replayed(shop, refused) is None


def test_a_copy_of_her_goes_from_a_merge_of_those_she_was_one_with(shop: Pipeline) -> None:
    """Bob, who was one with her, became part of Eve too; all of that was undone."""
    shop.send(user="eve", total=1)
    shop.send(cookie="cookie-of-eve")
    shop.send(user="bob", cookie="cookie-of-eve")
    shop.settle()
    unmerge(shop, 2)
    unmerge(shop, 1)

    ask(shop)
    shop.settle()

    assert MAIL.encode() not in raw_bytes(shop.folder)
    kept = shop.store.write_blocking(lambda tx: tx.merges.get(ACCOUNT, 2))
    assert kept is not None
    assert (kept.survivor.fields, kept.absorbed.fields) == ({}, {})
