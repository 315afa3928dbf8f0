"""The receipt of an erasure: it says what went, tells nobody who it was, and is found out when it stops being true."""

import asyncio
from concurrent.futures import Future

import msgspec
import orjson
import pytest

from gatepost.model.erasure import EraseStep
from gatepost.model.errors import InvalidInput, NotFound
from gatepost.model.event import RecordKind, Submission
from gatepost.operations import audits, duties, erasures, persons
from gatepost.stages.excluding import command_body
from tests.unit.operations.desk import NEIGHBOUR, SCHEMA, SHOP, Desk

REQUEST = "ADA-0815"


@pytest.fixture
def shop(desk: Desk) -> Desk:
    desk.configure(SCHEMA)
    desk.collect("baskets", {"card": REQUEST, "total": 5, "town": "Bath"}, {"card": "bob-0001", "total": 5})
    return desk


def ask(shop: Desk) -> str:
    """Ask for an erasure while apply meets the request, and go no further."""

    async def both() -> str:
        asked = asyncio.create_task(erasures.request_erasure(shop.context, SHOP, "card", REQUEST))
        head = shop.context.log.head()
        while shop.context.log.head() == head:  # noqa: ASYNC110 - the log sets no event
            await asyncio.sleep(0)
        shop.turn()
        return await asked

    return shop.run(both())


def erase(shop: Desk) -> str:
    """Ask for an erasure, and wait for its end."""
    request = ask(shop)
    shop.fold()
    return request


def test_a_dry_run_counts_and_changes_nothing(shop: Desk) -> None:
    found = shop.run(erasures.preview_erasure(shop.context, SHOP, REQUEST))

    assert ("card", REQUEST) == found.identifier
    assert {"profiles": 1, "identifiers": 2, "events": 1} == found.counts
    assert REQUEST == shop.run(persons.person(shop.context, SHOP, REQUEST)).entity["card"]


def test_a_receipt_tells_nobody_who_it_was(shop: Desk) -> None:
    request = erase(shop)

    receipt = shop.run(erasures.get_erasure(shop.context, SHOP, request))

    assert REQUEST not in msgspec.json.encode(receipt).decode()
    assert [request] == [one.id for one in shop.run(erasures.list_erasures(shop.context, SHOP))]
    assert {} == shop.run(audits.audit(shop.context, SHOP, request)).found


def test_a_receipt_that_was_changed_is_not_genuine(shop: Desk) -> None:
    request = erase(shop)
    receipt = shop.run(erasures.get_erasure(shop.context, SHOP, request))
    receipt.counts["events"] = 100

    shop.write(lambda tx: tx.erasures.put(receipt))

    assert not shop.run(audits.audit(shop.context, SHOP, request)).genuine


def test_an_event_that_comes_back_from_a_backup_is_found(shop: Desk) -> None:
    kept = shop.context.log.read(0, 10)
    request = erase(shop)
    bob = kept[1]

    restored: Future[int] = shop.context.log.rewrite(
        {bob.id: orjson.dumps({"note": {"of": REQUEST.lower()}})}
    )
    restored.result()

    assert {"events": 1} == shop.run(audits.audit(shop.context, SHOP, request)).found


def test_who_cannot_be_named_cannot_be_erased(shop: Desk) -> None:
    with pytest.raises(NotFound):
        shop.run(erasures.preview_erasure(shop.context, SHOP, "nobody"))
    with pytest.raises(InvalidInput, match="town does not identify"):
        shop.run(erasures.request_erasure(shop.context, SHOP, "town", "Bath"))
    with pytest.raises(NotFound):
        shop.run(erasures.get_erasure(shop.context, SHOP, "none"))


def test_an_erasure_that_cannot_go_on_is_shown_among_what_is_under_way(shop: Desk) -> None:
    request = ask(shop)
    shop.write(lambda tx: tx.erasures.put(tx.erasures.get(SHOP, request), b"sealed under another key"))

    shop.fold()

    (failing,) = shop.read(lambda tx: duties.underway(tx, SHOP))
    assert ("erase", request, 1) == (failing.kind, failing.request, failing.failures)
    assert "fits none of the" in failing.trouble
    assert failing.again.endswith("Z")


def test_a_request_that_is_not_applied_yet_is_known_all_the_same(shop: Desk) -> None:
    body = command_body(shop.context.secrets, "f" * 32, ("card", REQUEST))
    shop.context.log.append(SHOP, [Submission("", 0, body, kind=RecordKind.ERASE)]).result()

    asked = shop.run(erasures.get_erasure(shop.context, SHOP, "f" * 32))

    assert (EraseStep.ASKED, {}) == (asked.step, asked.counts)
    with pytest.raises(NotFound):
        shop.run(erasures.get_erasure(shop.context, NEIGHBOUR, "f" * 32))
