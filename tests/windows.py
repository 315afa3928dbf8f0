"""Profiles folded from events in memory, for tests of what windows keep and answer."""

from collections.abc import Iterable
from typing import Any

import orjson

from gatepost.core.applying import fold_reading, read_event
from gatepost.core.plans import AccountPlan
from gatepost.model.event import Event, RecordKind
from gatepost.model.profile import Profile
from gatepost.model.schema import Schema
from gatepost.model.times import Instant
from tests.factories import ACCOUNT, make_profile
from tests.pipeline import SHOP, make_audience


def plan_of(*filters: str, schema: Schema = SHOP) -> AccountPlan:
    """The plan of an account with these audiences, numbered from 1."""
    audiences = [make_audience(number, text) for number, text in enumerate(filters, start=1)]
    return AccountPlan(schema, audiences, (), set())


def make_event(id_: int, at: Instant, *, received: Instant = 0, stream: str = "web", **body: Any) -> Event:
    """An applied event."""
    return Event(id_, RecordKind.EVENT, ACCOUNT, stream, received or at, at, orjson.dumps(body))


def folded(plan: AccountPlan, events: Iterable[Event], now: Instant = 0) -> Profile:
    """A profile that these events were folded into, at one instant or each when it was received."""
    profile = make_profile()
    for event in events:
        fold(plan, profile, event, now)
    return profile


def fold(plan: AccountPlan, profile: Profile, event: Event, now: Instant = 0) -> set[str]:
    """Fold one event as apply does; give what changed."""
    return fold_reading(plan, profile, read_event(plan, event), max(profile.modified, now or event.received))
