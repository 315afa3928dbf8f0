import io

import pytest
from rich.console import Console

from gatepost.demo.client import Status
from gatepost.demo.display import Figures, RateMeter, display_on, headline
from gatepost.model.audience import AudienceSize
from gatepost.model.times import HOUR
from tests.unit.demo.grocer import WEEK

STATUS = Status(
    events_applied=1200,
    profiles=900,
    audiences={"big_spenders": AudienceSize(size=12, entered=30, left=18)},
    deliveries={"delivered": 40, "waiting": 3, "parked": 1, "refused": 2},
)
FIGURES = Figures(WEEK.start + 10 * HOUR, 1250, 3206, 410.4, STATUS)


def test_one_line_says_how_far_it_is() -> None:
    assert headline(FIGURES) == (
        "2017-08-07 10:00  1,250 of 3,206 events sent  1,200 applied  410/s  900 profiles  "
        "40 delivered  4 pending  2 failed"
    )


def test_a_pipe_gets_a_line_every_few_seconds() -> None:
    written = io.StringIO()
    now = iter((0.0, 0.0, 1.0, 2.0, 3.0, 3.0))

    with display_on(Console(file=written, width=200), lambda: next(now)) as display:
        for _ in range(4):
            display.show(FIGURES)

    assert written.getvalue().count("1,200 applied") == 2


def test_a_terminal_shows_each_audience() -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=120, height=40)

    with display_on(console, lambda: 0.0) as display:
        display.note("reading transactions")
        display.show(FIGURES)

    shown = written.getvalue()
    assert "reading transactions" in shown
    assert "big_spenders" in shown


def test_the_rate_is_of_the_last_five_seconds() -> None:
    meter = RateMeter()

    rates = [meter.reading(at, count) for at, count in ((0.0, 0), (1.0, 100), (5.0, 500), (10.0, 2500))]

    assert rates == pytest.approx([0, 100, 100, 400])
