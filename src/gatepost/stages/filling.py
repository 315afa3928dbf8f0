"""What new windows lack: the past of every stored profile, filled in by a walk while live events go on.

Until the walk has reached a profile, nothing is decided about her by a rule that reads such a window: half a past would
make her enter and leave for no reason. The walk decides then, once, on the whole of it.
"""

from collections.abc import Iterable, Mapping

from gatepost.core.plans import AccountPlan
from gatepost.core.refilling import put_windows, readers_of, refilled
from gatepost.core.versions import Versions
from gatepost.model.event import Event
from gatepost.model.profile import Profile
from gatepost.ports.catalog import Duty
from gatepost.ports.survey import Filled


class Filling:
    """The windows that are being filled, as of the beginning of a batch."""

    def __init__(self, duties: Iterable[Duty], plans: Mapping[int, AccountPlan]) -> None:
        self._pending = [
            (duty, frozenset(duty.sources), readers_of(plans[duty.account], duty.sources))
            for duty in duties
            if duty.sources and duty.account in plans
        ]
        self._done: set[tuple[int, int]] = set()

    def __bool__(self) -> bool:
        return bool(self._pending)

    def undecided(self, account: int, number: int) -> set[int]:
        """Return the audiences about which nothing can be said yet for a profile."""
        found: set[int] = set()
        for duty, _, readers in self._pending:
            if duty.account == account and number > duty.cursor and (duty.id, number) not in self._done:
                found |= readers
        return found

    def done(self, duty: Duty, number: int) -> frozenset[int]:
        """Note that the walk has reached a profile; return the audiences that it can be decided about now."""
        self._done.add((duty.id, number))
        return next((readers for one, _, readers in self._pending if one.id == duty.id), frozenset())

    def owed_after_merge(self, account: int, survivor: int, absorbed: int) -> set[str]:
        """Return what the walk will not bring any more to a survivor whom it had met, of one whom it had not."""
        found: set[str] = set()
        for duty, sources, _ in self._pending:
            if duty.account == account and survivor <= duty.cursor < absorbed:
                found |= sources
        return found


def fill(versions: Versions, profile: Profile, events: Iterable[Event], sources: Iterable[str]) -> None:
    """Replace what a profile holds of some sources by what its events say."""
    kept = [source for source in sources if source in versions.current.sources.keep]
    full = refilled(versions, profile, events, kept)
    profile.windows, profile.approximate = full.windows, full.approximate


def take(plan: AccountPlan, profile: Profile, filled: Filled, sources: Iterable[str]) -> None:
    """Replace what a profile holds of some sources by what a survey has found in its events."""
    kept = [source for source in sources if source in plan.sources.keep]
    put_windows(profile, kept, filled.windows, filled.approximate)
