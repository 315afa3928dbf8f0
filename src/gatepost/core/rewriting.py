"""Fields written by hand, after a merge: what both sides say of them is folded again in the order of the log."""

from collections.abc import Sequence
from typing import TypeVar

from gatepost.core.elements import expect
from gatepost.core.refolding import refolded
from gatepost.core.versions import Versions
from gatepost.core.writing import empty
from gatepost.model.event import Event
from gatepost.model.profile import Profile
from gatepost.model.times import Instant

T = TypeVar("T")


def rewrite(versions: Versions, profile: Profile, past: Sequence[Event], now: Instant) -> None:
    """Let the fields that were written by hand hold what the whole past of a merged profile gives, in its order."""
    names = profile.written
    *_, last = refolded(versions, profile.identifiers, past, now)
    empty(profile, names)
    folded = last.profile
    _copy(profile.fields, folded.fields, names)
    _copy(profile.stamps, folded.stamps, names)
    _copy(profile.given, folded.given, names)
    _copy(profile.first, folded.first, names)
    keeping = versions.current.keeping
    for name in keeping.keys() & names:
        for at, _ in profile.given.get(name, {}).values():
            expect(profile, at + keeping[name], now)


def _copy(held: dict[str, T], fresh: dict[str, T], names: Sequence[str]) -> None:
    held.update({name: fresh[name] for name in names if name in fresh})
