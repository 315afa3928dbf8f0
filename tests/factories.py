"""Records with honest defaults, so that a test names only what it is about."""

from typing import Any

import orjson

from gatepost.model.audience import Crossing
from gatepost.model.delivery import Delivery
from gatepost.model.event import Submission
from gatepost.model.profile import Profile

ACCOUNT = 1


def make_submission(stream: str = "web", at: int = 0, key: str = "", **body: Any) -> Submission:
    """An event on its way into the log."""
    return Submission(stream, at, orjson.dumps(body), key)


def make_delivery(name: str = "first", **given: Any) -> Delivery:
    """An enter of profile 7 into audience 3, for destination 5."""
    honest: dict[str, Any] = {
        "id": name.encode().hex().ljust(32, "0"),
        "account": ACCOUNT,
        "job": "j" * 32,
        "destination": 5,
        "profile": 7,
        "audience": 3,
        "crossing": Crossing.ENTER,
        "at": 1_700_000_000_000,
        "transition": 1,
        "snapshot": 0,
        "created": 1_700_000_000_000,
    }
    return Delivery(**(honest | given))


def make_profile(number: int = 1, **given: Any) -> Profile:
    """A profile that knows nothing yet."""
    honest: dict[str, Any] = {"id": f"{number:032x}", "created": 1_700_000_000_000}
    return Profile(number, **(honest | given))
