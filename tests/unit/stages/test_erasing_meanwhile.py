"""What comes while somebody is being erased, and what keeps an erasure from going on."""

from pathlib import Path

import msgspec
import orjson
import pytest

from gatepost.backends.clock import HandClock
from gatepost.model.delivery import Delivery, DeliveryState
from gatepost.model.erasure import EraseStep, Erasure
from gatepost.model.event import RecordKind, Submission
from gatepost.model.schema import Mapping
from gatepost.model.times import HOUR, Instant
from gatepost.outbound.keyring import KeyRing, new_key
from gatepost.ports.outbox import Claim, DeliveryFilter, Settlement
from gatepost.ports.store import Transaction
from gatepost.stages.excluding import command_body
from tests.factories import ACCOUNT
from tests.pipeline import KEY, START, Pipeline
from tests.unit.stages.erased import MAIL, NAME, NAMED, REQUEST, ask, raw_bytes, receipt, tell


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


def test_a_request_no_key_opens_is_not_lost_but_begun_when_the_key_is_back(tmp_path: Path) -> None:
    clock, other = StillClock(START), new_key()
    shop = Pipeline(tmp_path, clock)
    shop.configure("spend > 10", schema=NAMED)
    tell(shop, total=20)
    body = command_body(KeyRing([other]), REQUEST, ("email", MAIL))
    shop.log.append(ACCOUNT, [Submission("", 0, body, kind=RecordKind.ERASE)]).result()
    shop.settle()
    waiting = receipt(shop)

    shop.keys = KeyRing([other, KEY])
    shop.survey_with(None)
    shop.settle()

    assert (EraseStep.ASKED, 1) == (waiting.step, waiting.failures)
    assert (EraseStep.DONE, 1) == (receipt(shop).step, receipt(shop).counts["profiles"])
    assert MAIL.encode() not in raw_bytes(tmp_path)
    shop.close()


def receipt_of(tx: Transaction) -> Erasure:
    found = tx.erasures.get(ACCOUNT, REQUEST)
    assert found is not None
    return found
