"""When rules turn for a profile if nothing happens: time is let pass, and values go on the way.

What a rule notes as its next change may turn out to change nothing, and values that fade change more than the rule
alone can know. So it is tried out, on a copy, from one such instant to the next.
"""

from collections.abc import Sequence

import msgspec

from gatepost.core.applying import judged, lapse
from gatepost.core.filterql import CompiledFilter
from gatepost.core.plans import AccountPlan
from gatepost.model.profile import EXPIRY, Profile
from gatepost.model.times import Instant

_LOOKS = 20_000
"""Answers tried out in all: two years of hours for one rule over the hour of the day."""
_LOOKS_EACH = 100
"""Answers tried out for each of very many rules at least."""

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Profile).decode


class _Outlook:
    """A rule on its way to the instant at which it turns."""

    __slots__ = ("_answer", "_rule", "due", "flip")

    def __init__(self, rule: CompiledFilter, profile: Profile, now: Instant) -> None:
        self._rule = rule
        self.flip: Instant | None = None
        verdict = judged(rule, profile, now)
        self._answer, self.due = verdict.matches, verdict.next_change

    def concerned(self, changed: set[str], at: Instant) -> bool:
        """Say whether the answer may be another one at an instant."""
        return (self.due is not None and self.due <= at) or not changed.isdisjoint(self._rule.reads)

    def look(self, profile: Profile, at: Instant) -> None:
        """Judge again."""
        verdict = judged(self._rule, profile, at)
        self.due = verdict.next_change
        if verdict.matches is not self._answer:
            self.flip = at


def turns(
    rules: Sequence[CompiledFilter], plan: AccountPlan, profile: Profile, now: Instant
) -> list[Instant | None]:
    """Return when each rule's answer for a stored profile turns; None for never, as far as is looked ahead."""
    outlooks = [_Outlook(rule, profile, now) for rule in rules]
    looks = max(_LOOKS, _LOOKS_EACH * len(rules))
    if EXPIRY in profile.due:
        profile = _DECODE(_ENCODE(profile))
    at, waiting = now, outlooks
    while looks > 0 and (due := _soonest(waiting, profile)) is not None:
        at = max(at + 1, due)
        changed = lapse(plan, profile, at) if profile.due.get(EXPIRY, at + 1) <= at else set()
        for one in waiting:
            if one.concerned(changed, at):
                one.look(profile, at)
                looks -= 1
        waiting = [one for one in waiting if one.flip is None]
    return [one.flip for one in outlooks]


def _soonest(waiting: Sequence[_Outlook], profile: Profile) -> Instant | None:
    """Return the next instant at which anything may be different for those who wait."""
    if not waiting:
        return None
    dues = [one.due for one in waiting if one.due is not None]
    if EXPIRY in profile.due:
        dues.append(profile.due[EXPIRY])
    return min(dues, default=None)
