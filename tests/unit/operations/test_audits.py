"""A receipt is verified: whatever went and lies there again is found, in every place a person's data can lie."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from gatepost.model.delivery import Attempt, DeliveryState
from gatepost.model.errors import InvalidInput
from gatepost.model.event import Submission
from gatepost.model.jsonvalue import JsonObject
from gatepost.operations import audits, erasures
from gatepost.operations.audits import Audit
from gatepost.ports.catalog import LogEntry, Poison
from gatepost.ports.outbox import Claim, Settlement
from gatepost.ports.store import Transaction
from tests.unit.operations.desk import NOON, SHOP, Desk

MARK = "marker-of-ada-7f3c@example.com"
NAME = "Augusta Marker King"
KEY = "ada-marker-cookie"

CONFIGURATION: JsonObject = {
    "schema": {
        "ranks": ["email", "cookie"],
        "fields": {
            "email": {"type": "string", "identifier": True},
            "cookie": {"type": "[]string", "identifier": True},
            "name": {"type": "string"},
            "note": {"type": "string"},
            "spend": {"type": "number", "merge": "sum"},
            "last_visit": {"type": "date"},
        },
        "mappings": [
            {"stream": "web", "field": "email", "expression": "email"},
            {"stream": "web", "field": "cookie", "expression": "cookie"},
            {"stream": "web", "field": "name", "expression": "name"},
            {"stream": "web", "field": "note", "expression": "note"},
            {"stream": "web", "field": "spend", "expression": "total"},
            {"stream": "web", "field": "last_visit", "expression": "now()"},
        ],
    },
    "audiences": {
        "buyers": {"filter": "FILTER spend > 10"},
        "recent": {"filter": 'FILTER last_visit > "now-30d"'},
    },
    "jobs": {"hook": {"audiences": ["buyers", "recent"], "url": "http://127.0.0.1:9/hook"}},
}

CHANGED_ANYWAY = {
    "sqlite_sequence",
    "facts",
    "counters",
    "audience_sizes",
    "audience_history",
    "duties",
    "erasures",
    "exclusions",
}
"""Tables whose rows tell of nobody, or are the erasure's own."""


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """Ada's data lies in every place there is, beside Bob's; he quotes her name and address nowhere."""
    desk.configure(CONFIGURATION)
    submissions = [
        Submission("web", 0, orjson.dumps({"email": MARK, "name": NAME, "total": 20}), key=f"first-{MARK}"),
        Submission(
            "web", 0, orjson.dumps({"email": "bob@example.com", "cookie": "bobs-cookie", "total": 20})
        ),
        Submission("web", 0, orjson.dumps({"cookie": KEY, "total": 1})),
        # It shows that both are Ada, so that a merge keeps copies of both.
        Submission("web", 0, orjson.dumps({"email": MARK, "cookie": KEY, "name": NAME})),
        *(Submission("web", 0, orjson.dumps({"email": MARK, "page": page})) for page in range(70)),
        Submission("web", 0, orjson.dumps({"email": "bob@example.com", "friends": ["eve", MARK]})),
    ]
    desk.context.log.append(SHOP, submissions).result()
    desk.fold()
    desk.write(half_delivered)
    return desk


def half_delivered(tx: Transaction) -> None:
    """Let the first of each one's deliveries be refused with an answer that quotes her, and others wait."""
    (destination,) = tx.outbox.destinations()
    claimed = tx.outbox.claim("test", [Claim(destination=destination, limit=10)], NOON, NOON + 1)
    tx.outbox.store_bodies(
        {(one.seq, one.snapshot): f"sent for {MARK}".encode() for one in claimed if one.profile == 1}
    )
    settlements = []
    for one in claimed:
        answer = orjson.dumps({"unknown": MARK if one.profile == 1 else "somebody"})
        attempt = Attempt(
            delivery=one.id, number=1, started=NOON, duration=1, status=400, verdict="refused", reason="", answer=answer
        )  # fmt: skip
        settlements.append(
            Settlement(delivery=one, state=DeliveryState.REFUSED, reason="refused", attempt=attempt)
        )
        line = LogEntry(job=one.job, at=NOON, level="error", message="refused", context={"delivery": one.id})
        tx.ledger.write_log(SHOP, [line])
    tx.outbox.settle("test", settlements, NOON)
    told = LogEntry(job="j", at=NOON, level="warn", message=f"the receiver knows no {MARK}")
    tx.ledger.write_log(SHOP, [told])
    tx.ledger.set_aside(Poison(event=3, account=SHOP, stream="web", error=f"of {MARK}", at=NOON))


def erased(shop: Desk) -> str:
    """Ask for an erasure while apply runs, and wait for its end."""
    shop.clock.move(shop.clock.audience() + 1)

    async def both() -> str:
        asked = asyncio.create_task(erasures.request_erasure(shop.context, SHOP, "email", MARK))
        while not asked.done():
            shop.fold()
            await asyncio.sleep(0)
        return await asked

    request = shop.run(both())
    shop.fold()
    return request


def audit(shop: Desk, request: str, *known: str) -> Audit:
    return shop.run(audits.audit(shop.context, SHOP, request, known))


def rows(folder: Path) -> dict[tuple[str, str], set[tuple[Any, ...]]]:
    """Every row of both files, by file and table."""
    found = {}
    for file in ("state", "log"):
        with closing(sqlite3.connect(folder / file)) as connection:
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            ).fetchall():
                found[file, name] = {*connection.execute(f'SELECT * FROM "{name}"')}  # noqa: S608 - as SQLite named it
    return found


def put_back(folder: Path, place: tuple[str, str], row: tuple[Any, ...]) -> None:
    file, table = place
    with closing(sqlite3.connect(folder / file)) as connection, connection:
        marks = ", ".join("?" * len(row))
        connection.execute(f'INSERT OR REPLACE INTO "{table}" VALUES ({marks})', row)  # noqa: S608 - as SQLite named it


def gone(before: Any, after: Any) -> Iterator[tuple[tuple[str, str], tuple[Any, ...]]]:
    for place, held in before.items():
        if place[1] not in CHANGED_ANYWAY:
            yield from ((place, row) for row in held - after[place])


def raw_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file()).lower()


def test_no_file_holds_the_marker_any_more_wherever_it_was(shop: Desk, tmp_path: Path) -> None:
    before = rows(tmp_path)
    places = {table.rstrip("0123456789") for (_, table), row in gone(before, {key: set() for key in before})}

    request = erased(shop)

    left = raw_bytes(tmp_path)
    assert [word for word in (MARK, NAME, KEY) if word.lower().encode() in left] == []
    assert b"bob@example.com" in left
    assert places >= {
        "profiles", "identifiers", "memberships", "timers", "trails", "snapshots", "outbox", "finished_", "attempts_",
        "job_logs", "poisons", "merges", "events_", "seen",
    }  # fmt: skip
    checked = audit(shop, request, MARK, KEY)
    assert (True, {}, {}, False, 2) == (
        checked.genuine,
        checked.found,
        checked.quoted,
        checked.returned,
        checked.searched,
    )


def test_every_single_row_that_went_is_found_when_it_lies_there_again(shop: Desk, tmp_path: Path) -> None:
    before = rows(tmp_path)
    request = erased(shop)
    after = rows(tmp_path)
    missed = []
    tried: set[tuple[tuple[str, str], tuple[Any, ...]]] = set()

    for place, row in gone(before, after):
        # Many of her events are alike; three of each place will do.
        if sum(one == place for one, _ in tried) < 3:
            tried.add((place, row))
            put_back(tmp_path, place, row)
            missed += [] if audit(shop, request).found else [(place, row)]
            restore(tmp_path, place, after)

    assert [] == missed
    assert {"profiles", "snapshots", "merges", "seen", "poisons"} <= {table for (_, table), _ in tried}
    assert {} == audit(shop, request).found


def restore(folder: Path, place: tuple[str, str], after: dict[tuple[str, str], set[tuple[Any, ...]]]) -> None:
    file, table = place
    with closing(sqlite3.connect(folder / file)) as connection, connection:
        connection.execute(f'DELETE FROM "{table}"')  # noqa: S608 - as SQLite named it
    for row in after[place]:
        put_back(folder, place, row)


def test_bytes_that_no_row_holds_are_found_by_who_knows_what_to_search_for(
    shop: Desk, tmp_path: Path
) -> None:
    request = erased(shop)

    with closing(sqlite3.connect(tmp_path / "state")) as connection, connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("CREATE TABLE kept (text TEXT)")
        connection.execute("INSERT INTO kept VALUES (?)", (MARK * 2_000,))
        connection.execute("DROP TABLE kept")

    assert {} == audit(shop, request).found
    assert {"bytes": 1} == audit(shop, request, MARK).found


def test_an_identifier_that_is_not_hers_is_no_way_to_search(shop: Desk) -> None:
    request = erased(shop)

    with pytest.raises(InvalidInput, match="none of those the receipt is about"):
        audit(shop, request, "bob@example.com")


def test_what_others_say_of_her_stays_and_the_receipt_tells_how_much(shop: Desk) -> None:
    shop.collect("web", {"email": "bob@example.com", "note": f"ask {MARK}, she knows"})

    request = erased(shop)

    receipt = shop.run(erasures.get_erasure(shop.context, SHOP, request))
    checked = audit(shop, request)
    assert {"profiles": 1} == receipt.quoted == checked.quoted
    assert (True, {}) == (checked.genuine, checked.found)


def test_who_comes_back_is_neither_a_remain_nor_a_quote(shop: Desk) -> None:
    request = erased(shop)
    shop.clock.move(NOON + 1_000)

    shop.collect("web", {"email": MARK, "name": NAME, "total": 50})

    checked = audit(shop, request)
    assert (True, {}, {}, True) == (checked.genuine, checked.found, checked.quoted, checked.returned)
