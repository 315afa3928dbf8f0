"""Audiences and what crossing their border is called."""

from enum import StrEnum

import msgspec

from gatepost.model.times import Instant


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """A named rule; a profile is in it or not. Lytics calls it a segment."""

    number: int
    """The short key inside profiles; never reused."""
    id: str
    """32 hexadecimal digits."""
    account: int
    name: str
    slug: str
    filter: str
    """FilterQL as written, without ALIAS."""
    description: str = ""
    table: str = "user"
    kind: str = "segment"
    is_public: bool = False
    tags: tuple[str, ...] = ()
    origin: str = ""
    """`config` when `gatepost config apply` made it."""
    created: Instant = 0
    updated: Instant = 0
    expires: Instant = 0
    """Audience time at which members leave and it is deleted; 0 is never."""
    deleted: Instant = 0
    """When deletion was asked for; members leave first."""
    gone: Instant = 0
    """When the last member had left. The record stays: deliveries that are still on their way speak of it."""


class Crossing(StrEnum):
    """The way over an audience's border."""

    ENTER = "enter"
    EXIT = "exit"


class Membership(msgspec.Struct, array_like=True, gc=False):
    """A profile's standing in one audience, kept after it left so that transitions stay numbered."""

    inside: bool
    since: Instant
    """Audience time of the last transition."""
    transition: int
    """Counts the transitions of this profile in this audience, from 1."""


class Transition(msgspec.Struct, frozen=True, gc=False):
    """A profile crossed an audience's border."""

    audience: int
    crossing: Crossing
    at: Instant
    number: int


class ExclusionCommand(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record that keeps a profile out of an audience by hand, whatever the rule says."""

    audience: int
    profile: str
    """`_id`; after a merge it leads to the survivor."""
    undo: bool = False


class AudienceSize(msgspec.Struct, frozen=True):
    """How many are in an audience, and how many crossed its border so far."""

    size: int = 0
    entered: int = 0
    left: int = 0


class SizeThen(msgspec.Struct, frozen=True):
    """An audience's counts at the end of an hour."""

    hour: Instant
    """When the hour began, in audience time."""
    size: int
    entered: int
    """How many crossed its border so far."""
    left: int


class Member(msgspec.Struct, frozen=True, gc=False):
    """One current member of an audience; `order` counts all transitions of the store."""

    profile: int
    since: Instant
    order: int
