"""What every event log promises."""

from gatepost.backends.clock import HandClock
from gatepost.model.event import RecordKind
from gatepost.model.times import DAY
from gatepost.ports.log import EventLog
from tests.factories import ACCOUNT, make_submission


def test_what_was_appended_is_read_back_in_order(log: EventLog) -> None:
    log.append(ACCOUNT, [make_submission(n=1), make_submission(n=2)]).result()
    log.append(ACCOUNT, [make_submission(n=3)]).result()

    events = log.read(0, 10)

    assert [b'{"n":1}', b'{"n":2}', b'{"n":3}'] == [event.body for event in events]
    assert sorted(event.id for event in events) == [event.id for event in events]
    assert log.head() == events[-1].id


def test_an_append_that_is_done_is_readable_at_once(log: EventLog) -> None:
    for n in range(50):
        log.append(ACCOUNT, [make_submission(n=n)]).result()

        assert n + 1 == len(log.read(0, 100))


def test_reading_goes_on_where_the_last_read_ended(log: EventLog) -> None:
    log.append(ACCOUNT, [make_submission(n=n) for n in range(5)]).result()

    first = log.read(0, 2)
    rest = log.read(first[-1].id, 10)

    assert [b'{"n":2}', b'{"n":3}', b'{"n":4}'] == [event.body for event in rest]


def test_an_event_without_a_time_of_its_own_gets_the_receive_time(log: EventLog, clock: HandClock) -> None:
    log.append(ACCOUNT, [make_submission(), make_submission(at=12_345)]).result()

    without, with_time = log.read(0, 10)

    assert clock.audience() == without.at == without.received
    assert 12_345 == with_time.at


def test_an_event_with_its_own_id_counts_once_within_48_hours(log: EventLog, clock: HandClock) -> None:
    first = log.append(ACCOUNT, [make_submission(key="a"), make_submission(key="a")]).result()
    again = log.append(ACCOUNT, [make_submission(key="a"), make_submission(key="b")]).result()
    clock.move(clock.audience() + 2 * DAY + 1)
    later = log.append(ACCOUNT, [make_submission(key="a")]).result()

    assert (1, 1) == (first.accepted, first.repeated)
    assert (1, 1) == (again.accepted, again.repeated)
    assert (1, 0) == (later.accepted, later.repeated)


def test_the_same_id_in_another_account_is_another_event(log: EventLog) -> None:
    log.append(1, [make_submission(key="a")]).result()

    other = log.append(2, [make_submission(key="a")]).result()

    assert 1 == other.accepted


def test_receive_times_never_fall(log: EventLog, clock: HandClock) -> None:
    log.append_clock(clock.audience() + DAY).result()
    log.append(ACCOUNT, [make_submission()]).result()

    move, event = log.read(0, 10)

    assert RecordKind.CLOCK == move.kind
    assert event.received == move.received


def test_a_read_crosses_midnight(log: EventLog, clock: HandClock) -> None:
    for _ in range(4):
        log.append(ACCOUNT, [make_submission()]).result()
        clock.move(clock.audience() + DAY)

    events = log.read(0, 10)

    assert 4 == len(events)
    assert events[2:] == log.read(events[1].id, 10)
    assert [events[1], events[3]] == log.fetch([events[1].id, 17, events[3].id])


def test_collected_counts_accepted_events_by_account(log: EventLog) -> None:
    log.append(1, [make_submission(key="a"), make_submission(key="a"), make_submission()]).result()
    log.append(2, [make_submission()]).result()

    assert (2, 1, 0) == (log.collected(1), log.collected(2), log.collected(3))


def test_reading_beside_an_append_that_begins_a_day_never_fails(log: EventLog, clock: HandClock) -> None:
    pending = []
    for _ in range(60):
        clock.move(clock.audience() + DAY)
        pending.append(log.append(ACCOUNT, [make_submission()]))
        log.read(0, 1_000)

    assert [1] * 60 == [append.result().accepted for append in pending]
    assert 60 == len(log.read(0, 1_000))
