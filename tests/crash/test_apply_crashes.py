"""Apply is stopped before every single statement and started again: nothing is lost, nothing is doubled."""

import shutil
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from gatepost.backends.clock import HandClock
from gatepost.backends.sqlite.connection import connect
from gatepost.model.event import Submission
from gatepost.model.profile import Profile
from gatepost.model.schema import Field, FieldType, MergeOperator
from gatepost.model.times import DAY, HOUR, Instant
from gatepost.ports.outbox import DeliveryFilter
from gatepost.ports.store import Transaction
from gatepost.stages import duties
from tests.crash.images import Images, writing_connection
from tests.factories import ACCOUNT
from tests.pipeline import SHOP, START, Pipeline, audience_id, make_audience, make_job, shop_with

FILTERS = (
    "spend > 50",
    'count("web", "2d") >= 3',
    'last_visit > "now-1d"',
    'AND ( city = "Berlin", NOT products = "milk" )',
)
END = START + 6 * DAY


class Outcome(msgspec.Struct):
    """Everything apply decides; wall times are left out, for no two runs share them."""

    profiles: list[Profile]
    members: list[list[object]]
    sizes: list[tuple[int, object]]
    timers: list[object]
    outbox: list[tuple[object, ...]]
    counters: dict[str, int]
    poisons: list[int]
    position: tuple[int, Instant]
    duties: list[object]


def outcome_of(pipeline: Pipeline) -> Outcome:
    return pipeline.store.write_blocking(_outcome)


def _outcome(tx: Transaction) -> Outcome:
    numbers = range(1, len(FILTERS) + 2)
    listed = tx.deliveries.listed(DeliveryFilter(account=ACCOUNT, limit=10_000))
    return Outcome(
        profiles=[*tx.profiles.scan(ACCOUNT, 0, 10_000)],
        members=[[*tx.memberships.members(ACCOUNT, number, 0, 10_000)] for number in numbers],
        sizes=sorted(tx.memberships.sizes(ACCOUNT).items()),
        timers=[*tx.profiles.due(2**62, 10_000)],
        outbox=[(d.seq, d.id, d.profile, d.crossing, d.at) for d in (item.delivery for item in listed)],
        counters=tx.ledger.counters(ACCOUNT),
        poisons=[poison.event for poison in tx.ledger.poisons(ACCOUNT, 100)],
        position=tx.ledger.position(),
        duties=[*tx.ledger.duties()],
    )


def wait_until(pipeline: Pipeline, instant: Instant) -> None:
    """Let audience time pass without applying anything."""
    pipeline.clock.move(instant)
    pipeline.log.append_clock(instant).result()


def six_days_in_a_shop(pipeline: Pipeline) -> None:
    """Fill the log: people enter, leave with time, turn out to be one person, and one event is poison."""
    for user in ("ada", "bob", "eve"):
        pipeline.send(user=user, city="Berlin", total=30)
    pipeline.send(cookie="c1", total=40, city="Rome")
    pipeline.send(email="joan@example.com", total=20, key="once")
    pipeline.send(email="joan@example.com", total=20, key="once")
    wait_until(pipeline, START + HOUR)
    pipeline.log.append(ACCOUNT, [Submission("web", 0, b'{"user": ')]).result()
    pipeline.send(user="ada", total=30)
    pipeline.send(email="joan@example.com", cookie="c1")
    wait_until(pipeline, START + DAY)
    for _ in range(2):
        pipeline.send(user="bob", event="purchase", product="milk", total=5)
    pipeline.send(user="eve", city="Rome")
    wait_until(pipeline, START + 3 * DAY)
    pipeline.send(user="eve", city="Berlin", total=25)
    wait_until(pipeline, END)


def continued(folder: Path) -> Outcome:
    """Start again on these files, do what is left to do, and tell how it ended."""
    pipeline = Pipeline(folder, HandClock(END))
    pipeline.settle()
    outcome = outcome_of(pipeline)
    pipeline.close()
    return outcome


def observed(pipeline: Pipeline, into: Path) -> tuple[Images, Outcome]:
    """Do what is left to do, taking a picture before every statement."""
    images = Images(pipeline.folder, into)
    # Small batches at first, so that there are many places between two of them.
    pipeline.apply._limit = 2
    images.watch(pipeline.store)
    pipeline.settle()
    images.leave(pipeline.store)
    outcome = outcome_of(pipeline)
    pipeline.close()
    return images, outcome


def check(images: Images, expected: Outcome, *, at_least: int) -> None:
    assert images.statements > len(images.taken) >= at_least
    for image in images.taken:
        assert expected == continued(image.folder), f"killed before {image.statement}"


def test_a_batch_killed_before_any_of_its_statements_ends_as_if_nothing_had_happened(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    pipeline = Pipeline(data)
    pipeline.configure(*FILTERS)
    six_days_in_a_shop(pipeline)

    images, expected = observed(pipeline, tmp_path / "images")

    assert len({row[1] for row in expected.outbox}) == len(expected.outbox) > 10
    assert 1 == len(expected.poisons)
    assert 1 == expected.counters["merges"]
    check(images, expected, at_least=6)


def test_the_size_of_a_batch_does_not_show_in_what_it_decides(tmp_path: Path) -> None:
    outcomes = []
    for limit in (1, 3, 512):
        data = tmp_path / str(limit)
        data.mkdir()
        pipeline = Pipeline(data)
        pipeline.configure(*FILTERS)
        six_days_in_a_shop(pipeline)
        pipeline.apply._limit = limit

        pipeline.settle()

        outcomes.append(outcome_of(pipeline))
        pipeline.close()
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_long_walks_killed_before_any_statement_are_taken_up_where_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "STEP", 2)
    data = tmp_path / "data"
    data.mkdir()
    pipeline = Pipeline(data)
    pipeline.configure(*FILTERS, jobs=False)
    six_days_in_a_shop(pipeline)
    pipeline.settle()

    def reorganise(tx: Transaction) -> None:
        """One audience is new, one goes, and a job wants everybody who is inside a third."""
        tx.catalog.put(ACCOUNT, audience_id(5), make_audience(5, "spend > 1"))
        tx.catalog.put(ACCOUNT, audience_id(4), make_audience(4, FILTERS[3], deleted=START))
        tx.catalog.put(ACCOUNT, "j" * 32, make_job(5))

    pipeline.store.write_blocking(reorganise)
    pipeline.add_duty("evaluate", 5)
    pipeline.add_duty("dissolve", 4, subject=audience_id(4))
    before = pipeline.store.write_blocking(lambda tx: tx.memberships.last_order())
    pipeline.add_duty("backfill", 1, subject="j" * 32, before=before)

    images, expected = observed(pipeline, tmp_path / "images")

    assert [] == expected.duties
    assert {"enter", "exit"} == {str(row[3]) for row in expected.outbox}
    check(images, expected, at_least=5)


def test_killed_around_a_publication_every_event_is_folded_by_the_version_of_its_time(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    pipeline = Pipeline(data)
    pipeline.configure(*FILTERS)
    spend = next(field for field in SHOP.fields if field.name == "spend")
    pages = Field(name="pages", type=FieldType.STRINGS, merge=MergeOperator.MERGE, keep_days=2)
    largest = tuple(
        msgspec.structs.replace(one, merge=MergeOperator.MAX) if one is spend else one for one in SHOP.fields
    )
    for user in ("ada", "bob"):
        pipeline.send(user=user, city="Berlin", total=30)
    pipeline.publish(shop_with(pages, "url"))
    for user in ("ada", "bob", "ada"):
        pipeline.send(user=user, total=40, url="/shoes")
    wait_until(pipeline, START + DAY)
    pipeline.publish(msgspec.structs.replace(SHOP, fields=largest))
    pipeline.send(user="bob", total=60, url="/hats")
    wait_until(pipeline, END)

    images, expected = observed(pipeline, tmp_path / "images")

    spent = {one.fields["user"]: one.fields["spend"] for one in expected.profiles}
    assert {"ada": 110, "bob": 70} == spent
    check(images, expected, at_least=6)


def test_a_poison_event_brings_no_wakeup_forward(tmp_path: Path) -> None:
    """What is set aside must not make time pass for the events that wait behind it."""
    triggers = []
    for poisoned in (False, True):
        data = tmp_path / str(poisoned)
        data.mkdir()
        pipeline = Pipeline(data)
        pipeline.configure('last_visit > "now-1d"')
        pipeline.send(user="ada")
        pipeline.settle()
        pipeline.clock.move(START + 12 * HOUR)
        if poisoned:
            pipeline.log.append(ACCOUNT, [Submission("web", 0, b'{"user": ')]).result()
        pipeline.clock.move(START + 20 * HOUR)
        pipeline.send(user="ada")
        pipeline.clock.move(START + 40 * HOUR)

        pipeline.settle()

        triggers.append(pipeline.triggers())
        pipeline.close()
    assert triggers[0] == triggers[1]


def test_a_clock_that_was_set_back_over_a_restart_holds_nothing_up(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.configure("spend > 50")
    pipeline.send(user="ada", total=60)
    pipeline.close()
    restarted = Pipeline(tmp_path, HandClock(START - HOUR))

    turn = restarted.apply.run_once()

    assert (1, False) == (turn.records, turn.more)
    assert ["ada"] == restarted.inside()
    restarted.close()


def test_work_that_failed_spoils_no_later_commit(tmp_path: Path) -> None:
    """A batch too large for the cache fails and is halved; a kill then must lose nothing that was committed."""
    data, killed = tmp_path / "data", tmp_path / "killed"
    data.mkdir()
    pipeline = Pipeline(data)
    writing_connection(pipeline.store).execute("PRAGMA cache_size = 4")
    pipeline.configure("spend > 10")
    for number in range(20):
        pipeline.send(user=f"user-{number}", total=20)
    # A merge writes in the middle of a batch, so there is something to roll back.
    pipeline.send(cookie="c1")
    pipeline.send(user="user-0", cookie="c1")
    pipeline.log.append(ACCOUNT, [Submission("web", 0, b'{"user": ')]).result()
    pipeline.settle()
    shutil.copytree(data, killed, ignore=shutil.ignore_patterns("*-shm"))

    with closing(connect(killed / "state")) as restarted:
        stored = restarted.execute("SELECT count(*) FROM profiles").fetchone()[0]

    assert 20 == stored
    pipeline.close()
