from itertools import accumulate

import msgspec
import pytest

from gatepost.core.deliveries import after_attempt
from gatepost.core.retry import RetryOptions, next_due, parse_retry_after
from gatepost.model.delivery import DeliveryState, Outcome, Verdict
from gatepost.model.times import DAY, HOUR, MINUTE, SECOND
from tests.factories import make_delivery

NOW = 1_445_412_480_000
"""Wed, 21 Oct 2015 07:28:00 GMT, the moment HTTP's own examples use."""


def test_the_schedule_is_walked_and_its_last_step_repeats() -> None:
    options = RetryOptions(schedule=(1, 10, 60), jitter=0)

    waits = [(next_due(tries, NOW, NOW, 0.0, options) or 0) - NOW for tries in (1, 2, 3, 4, 99)]

    assert waits == [SECOND, 10 * SECOND, MINUTE, MINUTE, MINUTE]


def test_after_a_replay_the_schedule_begins_anew() -> None:
    delivery = make_delivery(attempts=13, earlier=12, first_attempt=NOW)
    options = RetryOptions(schedule=(1, 10, 60), jitter=0)

    state, due, _ = after_attempt(delivery, Outcome(verdict=Verdict.RETRY), NOW, 0.0, options)

    assert (state, due - NOW) == (DeliveryState.RETRYING, SECOND)


def test_by_default_a_receiver_that_is_down_for_a_week_still_gets_everything() -> None:
    options = RetryOptions()
    steps = (next_due(tries, 0, 0, 0.99, options) or 0 for tries in range(1, 40))

    times = [at for at in accumulate(steps) if at <= options.window]

    assert times[-1] > 7 * DAY


def test_a_receiver_may_ask_for_an_hour_but_not_for_a_year() -> None:
    options = RetryOptions(schedule=(5,), jitter=0, retry_after_cap=2 * HOUR)

    assert next_due(1, NOW, NOW, 0.0, options, retry_after=HOUR) == NOW + HOUR
    assert next_due(1, NOW, NOW, 0.0, options, retry_after=365 * DAY) == NOW + 2 * HOUR


def test_a_receiver_cannot_hurry_us() -> None:
    options = RetryOptions(schedule=(60,), jitter=0)

    assert next_due(1, NOW, NOW, 0.0, options, retry_after=0) == NOW + MINUTE


def test_the_window_counts_from_the_first_attempt() -> None:
    options = RetryOptions(schedule=(60,), jitter=0, window=HOUR)

    assert next_due(9, NOW - HOUR + MINUTE, NOW, 0.0, options) == NOW + MINUTE
    assert next_due(9, NOW - HOUR + MINUTE - 1, NOW, 0.0, options) is None


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("120", 2 * MINUTE),
        ("0", 0),
        ("Wed, 21 Oct 2015 07:29:00 GMT", MINUTE),
        ("Wednesday, 21-Oct-15 07:29:00 GMT", MINUTE),
        ("Wed Oct 21 07:29:00 2015", MINUTE),
        ("Wed, 21 Oct 2015 07:00:00 GMT", 0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("9" * 5_000, None),
        ("\u0661\u0662", None),
    ],
)
def test_both_forms_of_retry_after_are_read_and_anything_else_is_ignored(text: str, wait: int | None) -> None:
    assert wait == parse_retry_after(text, NOW)


@pytest.mark.parametrize("wrong", [{"schedule": []}, {"schedule": [0]}, {"jitter": -0.1}, {"jitter": 2}])
def test_options_that_make_no_sense_are_refused_when_settings_are_read(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, RetryOptions)
