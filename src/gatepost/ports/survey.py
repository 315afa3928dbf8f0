"""The seam to the survey: whom a rule may concern, found by somebody who does not hold up apply."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from gatepost.ports.catalog import Duty


class SurveyLost(Exception):
    """A survey ended before it was through; the message says how."""


class Found(msgspec.Struct, frozen=True):
    """The next profiles that have to be looked at, by number; the others up to `until` are as they should be."""

    numbers: Sequence[int]
    until: int
    """A duty's cursor once these have been looked at."""
    last: bool = False
    """Nobody comes after them."""


class Surveyor(Protocol):
    """Goes through stored profiles ahead of a duty. What it finds is a hint: apply decides about each itself."""

    def found(self, duty: Duty, most: int) -> Found | None:
        """Return what comes after a duty's cursor, at most so many, or None while it is not known yet.

        The survey begins with the first question. Raise SurveyLost when it ended early; asking again begins anew.
        """

    def end(self) -> None:
        """End the survey that is under way, if one is."""
