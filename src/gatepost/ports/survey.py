"""The seam to the survey: whom a rule may concern, found by somebody who does not hold up apply."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from gatepost.model.profile import WindowEntry
from gatepost.model.times import Instant
from gatepost.ports.catalog import Duty


class SurveyLost(Exception):
    """A survey ended before it was through; the message says how."""


class SurveyOutdated(Exception):
    """The configuration is not the one that a survey went by any more."""


class Filled(msgspec.Struct, frozen=True, array_like=True):
    """What a profile holds of a duty's window sources once they are filled from its past."""

    windows: dict[str, list[WindowEntry]] = {}
    approximate: list[str] = []


class AsOf(msgspec.Struct, frozen=True, array_like=True, order=True):
    """What had been committed when profiles were looked at."""

    position: int = 0
    """The id of the last applied record."""
    now: Instant = 0
    """The audience time reached."""


class Found(msgspec.Struct, frozen=True):
    """The next profiles that have to be looked at, by number; the others up to `until` are as they should be."""

    numbers: Sequence[int]
    until: int
    """A duty's cursor once these have been looked at."""
    last: bool = False
    """Nobody comes after them."""
    filled: tuple[Filled, ...] = ()
    """For a duty that fills windows: what each of `numbers` holds then; who changed since has to be filled anew."""
    as_of: AsOf = AsOf()
    catalog: int = 0
    """The version of the catalog by which they were looked at."""


class Surveyor(Protocol):
    """Goes through stored profiles ahead of a duty. What it finds is a hint: apply decides about each itself."""

    def found(self, duty: Duty, most: int) -> Found | None:
        """Return what comes after a duty's cursor, at most so many, or None while it is not known yet.

        The survey begins with the first question. Raise SurveyLost when it ended early; asking again begins anew.
        """

    def end(self) -> None:
        """End the survey that is under way, if one is."""
