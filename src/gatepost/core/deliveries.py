"""What becomes of a delivery once an attempt has ended."""

from gatepost.core.retry import RetryOptions, next_due
from gatepost.model.delivery import Delivery, DeliveryState, Outcome, Verdict
from gatepost.model.times import Instant

GIVEN_UP = "given up at the end of the retry window; last: "


def after_attempt(
    delivery: Delivery, outcome: Outcome, now: Instant, roll: float, options: RetryOptions
) -> tuple[DeliveryState, Instant, str]:
    """Return the next state, when it is due and why.

    A final refusal is never tried again, a wrong credential parks the delivery, anything else is tried until the
    retry window ends. `delivery.attempts` counts the attempt that just ended; a replay starts the schedule anew.
    """
    match outcome.verdict:
        case Verdict.DELIVERED:
            return DeliveryState.DELIVERED, 0, outcome.reason
        case Verdict.REFUSED:
            return DeliveryState.REFUSED, 0, outcome.reason
        case Verdict.STOP:
            return DeliveryState.PARKED, 0, outcome.reason
        case _:
            tries = delivery.attempts - delivery.earlier
            due = next_due(tries, delivery.first_attempt, now, roll, options, outcome.retry_after)
            if due is None:
                return DeliveryState.DEAD, 0, f"{GIVEN_UP}{outcome.reason}"
            return DeliveryState.RETRYING, due, outcome.reason
