from gatepost.sandbox.insider.limits import RateWindow


def test_request_25_001_in_a_minute_waits_for_the_next_window() -> None:
    rates = RateWindow()
    waits = {rates.take("sandbox", "write", 25_000, 100.0) for _ in range(25_000)}

    over = rates.take("sandbox", "write", 25_000, 130.5)
    later = rates.take("sandbox", "write", 25_000, 160.0)

    assert waits == {0}
    assert over == 30
    assert later == 0


def test_partners_and_calls_are_counted_apart() -> None:
    rates = RateWindow()

    waits = [
        rates.take("one", "write", 1, 0.0),
        rates.take("two", "write", 1, 0.0),
        rates.take("one", "delete", 1, 0.0),
        rates.take("one", "write", 1, 0.0),
    ]

    assert waits == [0, 0, 0, 60]
