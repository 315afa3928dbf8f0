"""What a demo is asked for, and what came of it."""

from datetime import date

import msgspec

from gatepost.demo.client import Status
from gatepost.demo.comparison import Comparison
from gatepost.model.audience import AudienceSize

FIRST_DAY = date(2017, 8, 7)
"""A Monday on which a coupon campaign begins, so that every audience moves from the first days on."""

DEFAULT_DAYS = 42
"""About a minute on two cores, start and comparison included."""


class DemoOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a demo is run."""

    days: int = DEFAULT_DAYS
    exit: bool = False
    """End after the comparison, instead of staying up until Ctrl-C."""
    json: bool = False
    """Print the result as one line of JSON, and everything else to standard error."""


class DeliveryFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How the deliveries ended."""

    delivered: int
    refused: int
    dead: int
    pending: int


class DemoResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a demo found."""

    events: int
    profiles: int
    audiences: dict[str, AudienceSize]
    deliveries: DeliveryFigures
    disagreements: int
    """Households of which gatepost, the sandbox and the raw rows do not say the same."""
    seconds: float

    @property
    def agreed(self) -> bool:
        """Tell whether everything arrived and all three say the same."""
        return not (
            self.disagreements or self.deliveries.refused or self.deliveries.dead or self.deliveries.pending
        )


def result_of(status: Status, comparison: Comparison, seconds: float) -> DemoResult:
    """Draw up the result."""
    return DemoResult(
        events=status.events_applied,
        profiles=status.profiles,
        audiences=status.audiences,
        deliveries=DeliveryFigures(
            delivered=status.deliveries.get("delivered", 0),
            refused=status.deliveries.get("refused", 0),
            dead=status.deliveries.get("dead", 0),
            pending=status.pending,
        ),
        disagreements=len(comparison.disagreements),
        seconds=round(seconds, 1),
    )
