"""Shows a demo while it runs: a table in a terminal, a line every few seconds elsewhere."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gatepost.demo.client import Status
from gatepost.model.times import Instant, to_rfc3339

LINE_SECONDS = 3.0
_RATE_SECONDS = 5.0


class Figures(NamedTuple):
    """One look at a running demo."""

    now: Instant
    """Audience time."""
    sent: int
    total: int
    rate: float
    """Events per second, applied, over the last five seconds."""
    status: Status


class Display(Protocol):
    """Where a demo shows itself."""

    def note(self, text: str) -> None:
        """Say what is being done."""

    def show(self, figures: Figures) -> None:
        """Show how far it is."""


class RateMeter:
    """Events per second over the last seconds."""

    def __init__(self) -> None:
        self._readings: deque[tuple[float, int]] = deque()

    def reading(self, at: float, count: int) -> float:
        """Take a reading at a time in seconds; return the rate since the oldest one kept."""
        self._readings.append((at, count))
        while at - self._readings[0][0] > _RATE_SECONDS:
            self._readings.popleft()
        since, before = self._readings[0]
        return (count - before) / (at - since) if at > since else 0.0


class LineDisplay:
    """Tells in lines, at most one every few seconds; for logs and pipes."""

    def __init__(self, console: Console, seconds: Callable[[], float]) -> None:
        self._console = console
        self._seconds = seconds
        self._last = float("-inf")

    def note(self, text: str) -> None:
        """Say what is being done."""
        self._console.print(text, highlight=False, soft_wrap=True)

    def show(self, figures: Figures) -> None:
        """Print a line, unless the last one is only just printed."""
        if self._seconds() - self._last >= LINE_SECONDS:
            self._last = self._seconds()
            self.note(headline(figures))


class LiveDisplay:
    """A table that is drawn anew in place."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def note(self, text: str) -> None:
        """Print above the table."""
        self._live.console.print(text, highlight=False, style="dim")

    def show(self, figures: Figures) -> None:
        """Draw the table anew."""
        self._live.update(Group(Text(headline(figures), style="bold"), audience_table(figures.status)))


@contextmanager
def display_on(console: Console, seconds: Callable[[], float]) -> Iterator[Display]:
    """Give the display that suits the console."""
    if not console.is_terminal:
        yield LineDisplay(console, seconds)
        return
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        yield LiveDisplay(live)


def headline(figures: Figures) -> str:
    """Say in one line how far a demo is."""
    status = figures.status
    states = status.deliveries
    failed = states.get("refused", 0) + states.get("dead", 0) + states.get("omitted", 0)
    parts = [
        to_rfc3339(figures.now)[:16].replace("T", " "),
        f"{figures.sent:,} of {figures.total:,} events sent",
        f"{status.events_applied:,} applied",
        f"{figures.rate:,.0f}/s",
        f"{status.profiles:,} profiles",
        f"{states.get('delivered', 0):,} delivered",
        f"{status.pending:,} pending",
        f"{failed:,} failed",
    ]
    return "  ".join(parts)


def audience_table(status: Status) -> Table:
    """Return a row per audience: size, entered, left."""
    table = Table(box=None, pad_edge=False)
    table.add_column("audience")
    for name in ("size", "entered", "left"):
        table.add_column(name, justify="right", min_width=8)
    for slug, figures in status.audiences.items():
        table.add_row(slug, f"{figures.size:,}", f"{figures.entered:,}", f"{figures.left:,}")
    return table
