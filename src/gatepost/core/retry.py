"""When a delivery that did not arrive is tried again."""

import re
from email.utils import parsedate_to_datetime
from typing import Annotated

import msgspec

from gatepost.model.times import DAY, HOUR, SECOND, Instant, Milliseconds, from_datetime

_SECONDS = re.compile(r"[0-9]{1,9}")

Seconds = Annotated[float, msgspec.Meta(gt=0)]


class RetryOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How patient gatepost is with a receiver."""

    schedule: Annotated[tuple[Seconds, ...], msgspec.Meta(min_length=1)] = (
        *(1, 5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600),
    )
    """Seconds to wait after the first, second, ... attempt; the last one repeats."""
    jitter: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.2
    """The largest share by which chance lengthens a wait; it never shortens one."""
    window: Milliseconds = 8 * DAY
    """How long after the first attempt another one may still start."""
    cap: Milliseconds = 12 * HOUR
    """The longest wait of our own making, chance included."""
    retry_after_cap: Milliseconds = 24 * HOUR
    """The longest wait a receiver may ask for."""


def next_due(
    attempts: int,
    first_attempt: Instant,
    now: Instant,
    roll: float,
    options: RetryOptions,
    retry_after: Milliseconds | None = None,
) -> Instant | None:
    """Return when to try again after `attempts` attempts, or None when that lies beyond the window.

    `roll` is chance, from 0 to below 1. A later time asked for by the receiver wins over ours.
    """
    wait = _wait(attempts, roll, options)
    if retry_after is not None:
        wait = max(wait, min(retry_after, options.retry_after_cap))
    due = now + wait
    return due if due <= first_attempt + options.window else None


def parse_retry_after(text: str, now: Instant) -> Milliseconds | None:
    """Read a Retry-After value, seconds or HTTP date, as a wait from `now`; None when it is neither."""
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return int(text) * SECOND
    try:
        moment = parsedate_to_datetime(text)
        return max(0, from_datetime(moment) - now)
    except (ValueError, OverflowError):
        return None


def _wait(attempts: int, roll: float, options: RetryOptions) -> Milliseconds:
    step = options.schedule[min(max(attempts, 1), len(options.schedule)) - 1]
    return min(round(step * SECOND * (1 + options.jitter * roll)), options.cap)
