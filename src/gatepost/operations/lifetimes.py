"""Audiences that end at an instant: given as a time, and never longer than those that include them."""

from collections.abc import Iterable

from gatepost.core.plans import included_names
from gatepost.core.timestamps import parse_time
from gatepost.model.audience import Audience
from gatepost.model.errors import Conflict, InvalidInput
from gatepost.model.times import Instant, to_rfc3339

NEVER = 0


def expiry_of(text: str, path: str) -> Instant:
    """Return the instant a text names, NEVER for an empty one; raise InvalidInput for what is no time."""
    if not text.strip():
        return NEVER
    instant = parse_time(text)
    if instant is None:
        msg = f"{text!r} is no time; write one such as 2027-01-31T00:00:00Z"
        raise InvalidInput(msg, path=path)
    return max(1, instant)


def check_expiry(expires: Instant, now: Instant, path: str) -> None:
    """Raise InvalidInput for an end that has come already."""
    if expires and expires <= now:
        msg = f"{to_rfc3339(expires)} has passed; name an instant to come, or delete the audience"
        raise InvalidInput(msg, path=path)


def check_lifetimes(audiences: Iterable[Audience]) -> None:
    """Raise Conflict when an audience includes one that ends before it does: its rule would break then."""
    all_ = list(audiences)
    ending = {name: one for one in all_ if one.expires for name in (one.slug, one.id)}
    for audience in all_ if ending else ():
        for name in included_names(audience.filter) & ending.keys():
            included = ending[name]
            if not audience.expires or audience.expires > included.expires:
                msg = (
                    f"{audience.slug} includes {included.slug}, which ends at {to_rfc3339(included.expires)}; "
                    f"let {audience.slug} end no later, or {included.slug} stay"
                )
                raise Conflict(msg)
