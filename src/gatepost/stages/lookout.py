"""Who looks ahead for a walk of apply, and what apply has changed meanwhile of those who were looked at."""

from collections.abc import Mapping

import structlog

from gatepost.ports.catalog import Duty
from gatepost.ports.survey import AsOf, Found, SurveyLost, Surveyor

_LOG = structlog.get_logger("gatepost.apply")


class Lookout:
    """The survey of the duty under way; used by apply's thread alone."""

    def __init__(self, surveyor: Surveyor | None) -> None:
        self._surveyor = surveyor
        self._lost = 0
        """The duty whose survey was lost: it goes on more slowly, without one."""
        self._watched = 0
        """The duty under way."""
        self._filling = False
        """Whether it fills windows; otherwise nobody asks who changed."""
        self._changed: dict[int, AsOf] = {}

    def found(self, duty: Duty, most: int) -> Found | None:
        """Return what comes next, None while it is not known yet; raise SurveyLost when there is no survey."""
        if self._surveyor is None or duty.id == self._lost:
            raise SurveyLost
        if not self.watches(duty):
            # Before the first question: what changes from now on may be read as it was before.
            self._watched, self._filling, self._changed = duty.id, bool(duty.sources), {}
        try:
            return self._surveyor.found(duty, most)
        except SurveyLost as error:
            _LOG.warning("survey.lost", audience=duty.audience, error=str(error))
            self._lost = duty.id
            raise

    def note(self, changed: Mapping[int, AsOf]) -> None:
        """Note whom a batch has changed, and what had been committed then."""
        if self._filling:
            self._changed.update(changed)

    def outdated(self, duty: Duty, found: Found) -> list[int]:
        """Return who may have changed since a survey looked at them, named or not."""
        return [
            number
            for number in self._between(duty.cursor, found.until)
            if self._changed[number] >= found.as_of
        ]

    def watches(self, duty: Duty) -> bool:
        """Say whether the survey of a duty is under way."""
        return duty.id == self._watched

    def pass_by(self, duty: Duty, found: Found) -> None:
        """Forget who is behind a walk; after the last there is nothing to look for."""
        for number in self._between(duty.cursor, found.until):
            del self._changed[number]
        if found.last:
            self.end()

    def end(self) -> None:
        """End the survey, if one is under way."""
        self._watched, self._filling, self._changed = 0, False, {}
        if self._surveyor is not None:
            self._surveyor.end()

    def _between(self, after: int, until: int) -> list[int]:
        changed = self._changed
        if until - after < len(changed):
            return [number for number in range(after + 1, until + 1) if number in changed]
        return [number for number in changed if after < number <= until]
