"""Laws of the retry schedule, whatever the options, the chance and the receiver's wish."""

from email.utils import formatdate

from hypothesis import given
from hypothesis import strategies as st

from gatepost.core.retry import RetryOptions, next_due, parse_retry_after
from gatepost.model.times import DAY, HOUR, SECOND

NOW = 1_700_000_000_000
FOREVER = 10_000 * DAY

rolls = st.floats(min_value=0, max_value=1, exclude_max=True)
attempts = st.integers(min_value=1, max_value=200)
schedules = st.lists(st.integers(min_value=1, max_value=100_000), min_size=1, max_size=9).map(tuple)
patient = st.builds(
    RetryOptions,
    schedule=schedules,
    jitter=st.floats(min_value=0, max_value=1),
    window=st.just(FOREVER),
    cap=st.integers(min_value=SECOND, max_value=DAY),
    retry_after_cap=st.integers(min_value=SECOND, max_value=DAY),
)
wishes = st.none() | st.integers(min_value=0, max_value=30 * DAY)


def step(tries: int, options: RetryOptions) -> int:
    nominal = options.schedule[min(tries, len(options.schedule)) - 1]
    return min(int(nominal * SECOND), options.cap)


@given(tries=attempts, roll=rolls, options=patient)
def test_chance_only_ever_lengthens_and_never_beyond_the_cap(
    tries: int, roll: float, options: RetryOptions
) -> None:
    due = next_due(tries, NOW, NOW, roll, options)

    assert due is not None
    assert NOW + step(tries, options) <= due <= NOW + options.cap


@given(tries=attempts, roll=rolls, options=patient, wish=wishes)
def test_a_receiver_can_only_ask_for_more_time_and_only_up_to_its_cap(
    tries: int, roll: float, options: RetryOptions, wish: int | None
) -> None:
    ours = next_due(tries, NOW, NOW, roll, options)
    theirs = next_due(tries, NOW, NOW, roll, options, wish)

    assert ours is not None
    assert theirs is not None
    assert theirs == max(ours, NOW + min(wish or 0, options.retry_after_cap))


@given(tries=attempts, roll=rolls, options=patient, window=st.integers(0, 9 * DAY), wish=wishes)
def test_no_attempt_is_ever_planned_beyond_the_window(
    tries: int, roll: float, options: RetryOptions, window: int, wish: int | None
) -> None:
    strict = RetryOptions(
        schedule=options.schedule,
        jitter=options.jitter,
        window=window,
        cap=options.cap,
        retry_after_cap=options.retry_after_cap,
    )
    unbounded = next_due(tries, NOW, NOW, roll, options, wish)

    due = next_due(tries, NOW, NOW, roll, strict, wish)

    assert unbounded is not None
    assert due == (unbounded if unbounded <= NOW + window else None)


@given(low=rolls, high=rolls, tries=attempts, options=patient)
def test_a_higher_roll_never_comes_earlier(
    low: float, high: float, tries: int, options: RetryOptions
) -> None:
    low, high = sorted((low, high))

    early = next_due(tries, NOW, NOW, low, options)
    late = next_due(tries, NOW, NOW, high, options)

    assert early is not None
    assert late is not None
    assert early <= late


@given(roll=rolls)
def test_every_delivery_is_given_up_after_finitely_many_attempts(roll: float) -> None:
    options = RetryOptions()
    now, tries = NOW, 1

    while (due := next_due(tries, NOW, now, roll, options)) is not None:
        assert due > now
        now, tries = due, tries + 1

    assert 8 * DAY - 12 * HOUR <= now - NOW <= 8 * DAY
    assert 24 <= tries <= 60


@given(seconds=st.integers(min_value=0, max_value=999_999_999), pad=st.sampled_from(["", " ", "\t"]))
def test_seconds_are_read_as_they_are_written(seconds: int, pad: str) -> None:
    assert seconds * SECOND == parse_retry_after(f"{pad}{seconds}{pad}", NOW)


@given(offset=st.integers(min_value=-10 * DAY // SECOND, max_value=1_000 * DAY // SECOND))
def test_an_http_date_is_a_wait_until_then_and_a_past_one_is_no_wait(offset: int) -> None:
    text = formatdate(NOW // SECOND + offset, usegmt=True)

    wait = parse_retry_after(text, NOW)

    assert max(0, offset) * SECOND == wait


@given(text=st.text(max_size=40))
def test_any_other_text_is_ignored_and_never_an_error(text: str) -> None:
    wait = parse_retry_after(text, NOW)

    assert wait is None or wait >= 0
