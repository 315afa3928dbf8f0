"""An erasure is stopped before every single statement of either file and started again: it ends the same."""

from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import orjson

from gatepost.backends.clock import HandClock
from gatepost.backends.sqlite.connection import connect
from gatepost.model.delivery import Attempt, Delivery, DeliveryState
from gatepost.model.erasure import EraseStep, Erasure
from gatepost.model.event import RecordKind, Submission
from gatepost.model.merge import MergeCommand
from gatepost.model.schema import Field, Mapping
from gatepost.model.times import DAY, HOUR
from gatepost.ports.outbox import Claim, DeliveryFilter, Settlement
from gatepost.ports.store import Transaction
from gatepost.stages.excluding import command_body
from tests.crash.images import Images
from tests.factories import ACCOUNT
from tests.pipeline import START, Pipeline, shop_with

REQUEST = "e" * 32
MAIL, NAME = "ada.lovelace@example.com", "Augusta Ada Byron"
NAMED = shop_with(Field(name="name", pii=True), "name")
END = START + HOUR


class Outcome(msgspec.Struct):
    """What is there after an erasure."""

    profiles: list[object]
    sizes: list[tuple[int, object]]
    timers: list[object]
    triggers: list[tuple[str, int, str]]
    receipt: Erasure
    events: list[int]
    duties: list[object]
    hers: list[str]


def a_shop_that_ada_leaves(pipeline: Pipeline) -> None:
    """Fill the log: she was two people, others name her, an event is poison; then she asks to be forgotten."""
    pipeline.send(email=MAIL, name=NAME, total=20, key=f"first-of-{MAIL}")
    pipeline.send(user="bob", total=20)
    pipeline.send(cookie="c1", total=1)
    pipeline.send(email=MAIL, cookie="c1")
    pipeline.send(user="bob", note=f"for {MAIL}")
    pipeline.log.append(ACCOUNT, [Submission("web", 0, f'{{"email": "{MAIL}", '.encode())]).result()
    pipeline.clock.move(END)
    body = command_body(pipeline.keys, REQUEST, ("email", MAIL))
    pipeline.log.append(ACCOUNT, [Submission("", 0, body, kind=RecordKind.ERASE)]).result()


def outcome_of(pipeline: Pipeline) -> Outcome:
    def work(tx: Transaction) -> Outcome:
        receipt = tx.erasures.get(ACCOUNT, REQUEST)
        assert receipt is not None
        # What a repeated step finds already done is not counted again, and wall time differs.
        receipt.completed, receipt.digest = 0, ""
        for kind in ("mentions", "event_ids", "files_rewritten", "attempts"):
            receipt.counts.pop(kind, None)
        return Outcome(
            profiles=[*tx.profiles.scan(ACCOUNT, 0, 100)],
            sizes=sorted(tx.memberships.sizes(ACCOUNT).items()),
            timers=[*tx.profiles.due(2**62, 100)],
            triggers=[],
            receipt=receipt,
            events=[],
            duties=[*tx.ledger.duties()],
            hers=[],
        )

    outcome = pipeline.store.write_blocking(work)
    outcome.triggers = pipeline.triggers()
    outcome.events = [event.id for event in pipeline.log.read(0, 1_000)]
    outcome.hers = remains_of_her(pipeline.folder)
    return outcome


def remains_of_her(folder: Path) -> list[str]:
    found = []
    for name in ("state", "log"):
        for path in (folder / name, folder / f"{name}-wal"):
            content = path.read_bytes().lower() if path.exists() else b""
            found += [f"{word} in {path.name}" for word in (MAIL, NAME) if word.lower().encode() in content]
    return found


def continued(folder: Path) -> Outcome:
    """Start again on these files, do what is left to do, and tell how it ended."""
    pipeline = Pipeline(folder, HandClock(END))
    pipeline.settle()
    outcome = outcome_of(pipeline)
    pipeline.close()
    return outcome


def test_an_erasure_killed_before_any_statement_is_taken_up_where_it_was(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    pipeline = Pipeline(data)
    pipeline.configure("spend > 10", 'last_visit > "now-30d"', schema=NAMED)
    a_shop_that_ada_leaves(pipeline)
    images = Images(data, tmp_path / "images")
    images.watch(pipeline.store)
    images.watch(pipeline.log)

    pipeline.settle()

    for part in (pipeline.store, pipeline.log):
        images.leave(part)
    expected = outcome_of(pipeline)
    pipeline.close()
    assert EraseStep.DONE == expected.receipt.step
    assert [] == expected.hers == expected.duties
    assert images.statements > len(images.taken) >= 15
    for image in images.taken:
        assert expected == continued(image.folder), f"killed before {image.statement}"


def in_full_swing(pipeline: Pipeline) -> Delivery:
    """Let walks be under way and a delivery of hers be on the wire when she asks; return that delivery."""
    mappings = [
        Mapping(stream="answers", field=name, expression=f"`origin.{name}`") for name in ("email", "name")
    ]
    schema = msgspec.structs.replace(NAMED, mappings=(*NAMED.mappings, *mappings))
    pipeline.configure("spend > 10", 'last_visit > "now-30d"', schema=schema)
    pipeline.send(email=MAIL, name=NAME, total=20)
    pipeline.send(user="bob", total=20)
    pipeline.settle()
    # Walks that meet her before, while and after she goes.
    pipeline.add_duty("backfill", 1, "j" * 32, before=100)
    pipeline.add_duty("evaluate", 2, "2")
    pipeline.clock.move(END)
    body = command_body(pipeline.keys, REQUEST, ("email", MAIL))
    pipeline.log.append(ACCOUNT, [Submission("", 0, body, kind=RecordKind.ERASE)]).result()
    pipeline.add_duty("evaluate", 1, "1")
    claims = [Claim(destination=1, limit=1)]
    (sent,) = pipeline.store.write_blocking(lambda tx: tx.outbox.claim("dead", claims, END, END + HOUR))
    return sent


def arrive_late(pipeline: Pipeline, sent: Delivery) -> None:
    """Let the answer to what was on the wire come, and be settled by a worker that knows of nothing."""
    body = orjson.dumps({"origin": {"email": MAIL, "name": NAME}, "response": {}, "delivery": sent.id})
    answer = Submission("answers", 0, body, f"answer:{sent.id}", hops=1)
    pipeline.log.append(ACCOUNT, [answer]).result()
    attempt = Attempt(
        delivery=sent.id, number=1, started=END, duration=1, status=200, verdict="delivered", reason="",
        answer=MAIL.encode(),
    )  # fmt: skip
    settlement = Settlement(delivery=sent, state=DeliveryState.DELIVERED, attempt=attempt)
    pipeline.store.write_blocking(lambda tx: tx.outbox.settle("dead", [settlement], END))


def test_nothing_that_was_under_way_brings_her_back_wherever_it_was_killed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    pipeline = Pipeline(data)
    sent = in_full_swing(pipeline)
    images = Images(data, tmp_path / "images")
    images.watch(pipeline.store)
    images.watch(pipeline.log)

    pipeline.settle()

    for part in (pipeline.store, pipeline.log):
        images.leave(part)
    pipeline.close()
    assert images.statements > len(images.taken) >= 15
    for image in images.taken:
        again = Pipeline(image.folder, HandClock(END))
        arrive_late(again, sent)
        again.settle()
        # Her timers would have been due by then.
        again.after(40 * DAY)
        ended = outcome_of(again)
        known = [(profile.fields.get("user"), profile.fields.get("email")) for profile in again.profiles()]
        again.close()
        when = f"killed before {image.statement}"
        assert ([("bob", None)], EraseStep.DONE, [], []) == (
            known,
            ended.receipt.step,
            ended.hers,
            ended.duties,
        ), when
        assert [("enter", 1), ("enter", 2), ("exit", 2)] == [one[:2] for one in ended.triggers], when


def one_with_bob_once(pipeline: Pipeline) -> None:
    """Let Ada be taken for Bob, and be parted from him again, while much is under way."""
    pipeline.configure("spend > 10", "spend > 11", "spend > 12", schema=NAMED)
    pipeline.send(user="bob", total=8)
    pipeline.send(email=MAIL, name=NAME, total=1)
    pipeline.send(user="bob", email=MAIL, total=20)
    pipeline.settle()
    for state in (DeliveryState.REFUSED, DeliveryState.RETRYING):
        pipeline.store.write_blocking(partial(_tried, state))
    undo = msgspec.json.encode(MergeCommand(merge=1))
    pipeline.log.append(ACCOUNT, [Submission("", 0, undo, kind=RecordKind.UNMERGE)]).result()
    pipeline.settle()
    pipeline.clock.move(END)
    body = command_body(pipeline.keys, REQUEST, ("email", MAIL))
    pipeline.log.append(ACCOUNT, [Submission("", 0, body, kind=RecordKind.ERASE)]).result()


def _tried(state: DeliveryState, tx: Transaction) -> None:
    """Let a worker render the next delivery, and let it fail."""
    (one,) = tx.outbox.claim("w", [Claim(destination=1, limit=1)], END, END + HOUR)
    tx.outbox.store_bodies({(one.seq, one.snapshot): f"hello {MAIL}".encode()})
    attempt = Attempt(delivery=one.id, number=1, started=END, duration=1, answer=MAIL.encode())
    tx.outbox.settle("w", [Settlement(delivery=one, state=state, attempt=attempt)], END)


def deliveries(pipeline: Pipeline) -> list[str]:
    """The ids of all deliveries, in order."""
    wanted = DeliveryFilter(account=ACCOUNT, limit=100)
    listed = pipeline.store.write_blocking(lambda tx: tx.deliveries.listed(wanted))
    return [item.delivery.id for item in reversed(listed)]


def test_what_others_are_still_to_be_sent_tells_nothing_of_her_wherever_it_was_killed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    pipeline = Pipeline(data)
    one_with_bob_once(pipeline)
    images = Images(data, tmp_path / "images")
    images.watch(pipeline.store)
    images.watch(pipeline.log)

    pipeline.settle()

    for part in (pipeline.store, pipeline.log):
        images.leave(part)
    expected = deliveries(pipeline)
    pipeline.close()
    assert 3 == len(expected)
    assert images.statements > len(images.taken) >= 15
    for image in images.taken:
        again = Pipeline(image.folder, HandClock(END))
        again.settle()
        ended = (outcome_of(again).hers, deliveries(again))
        again.close()
        assert ([], expected) == ended, f"killed before {image.statement}"


def test_pages_freed_long_ago_are_overwritten_too(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.configure("spend > 10", schema=NAMED)
    for number in range(300):
        pipeline.send(email=MAIL, name=f"{NAME} {number}" * 50, total=number)
    pipeline.settle()
    body = command_body(pipeline.keys, REQUEST, ("email", MAIL))
    pipeline.log.append(ACCOUNT, [Submission("", 0, body, kind=RecordKind.ERASE)]).result()

    pipeline.settle()

    free = []
    for name in ("state", "log"):
        with closing(connect(tmp_path / name)) as reader:
            free.append(reader.execute("PRAGMA freelist_count").fetchone()[0])
    assert [] == remains_of_her(tmp_path)
    assert [0, 0] == free
    pipeline.close()
