"""Attribute writes: fields of a profile emptied and given values by hand, in the order of the log."""

from collections.abc import Collection, Iterator

import msgspec

from gatepost.core.coercion import held_as
from gatepost.core.elements import expect
from gatepost.core.folding import fold_value
from gatepost.core.plans import AccountPlan
from gatepost.core.sizes import fitting, weigh
from gatepost.model.event import Event, RecordKind
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.profile import AttributesCommand, Identifier, Profile
from gatepost.model.schema import Field
from gatepost.model.times import Instant

KIND = int(RecordKind.ATTRIBUTES)
"""The kind of the records that write attributes, as a plain number: every event is compared with it."""
_DECODE = msgspec.json.Decoder(AttributesCommand).decode


class Writing(msgspec.Struct, frozen=True):
    """What a record writes under a schema; what the schema does not know, or cannot hold, is left out."""

    identifiers: list[Identifier]
    """The one that leads to the profile; none when it identifies nobody any more."""
    cleared: frozenset[str]
    """Fields that are emptied first."""
    values: list[tuple[Field, JsonValue]]


def read_writing(plan: AccountPlan, event: Event) -> Writing:
    """Read a record that writes attributes."""
    command = _DECODE(event.body)
    key = plan.fields.get(command.key)
    named = [(command.key, command.value)] if key is not None and key.identifier and command.value else []
    free = {name for name, field in plan.fields.items() if not field.identifier}
    cleared = free if command.everything else free.intersection(command.clear)
    return Writing(named, frozenset(cleared), list(_held(plan, command, event.at)))


def write(plan: AccountPlan, profile: Profile, event: Event, writing: Writing, now: Instant) -> set[str]:
    """Write into a profile; return the fields that changed. It counts as no event, and no window sees it."""
    profile.modified = now
    profile.trail.append(event.id)
    names = writing.cleared | {field.name for field, _ in writing.values}
    before = {name: profile.fields.get(name) for name in names}
    empty(profile, writing.cleared)
    if writing.cleared:
        profile.written = sorted({*profile.written, *writing.cleared})
    values = writing.values
    if weigh(profile, len(event.body), len(values)):
        values = fitting(profile, values)
    for field, value in values:
        keep = plan.keeping.get(field.name)
        if keep is None or expect(profile, event.at + keep, now):
            fold_value(profile, field, value, (event.at, event.id))
    changed = {name for name in names if profile.fields.get(name) != before[name]}
    return changed | set(plan.builtins)


def empty(profile: Profile, names: Collection[str]) -> None:
    """Take fields off a profile, with all that is known of where their values came from."""
    for held in (profile.fields, profile.stamps, profile.given, profile.first):
        for name in names:
            held.pop(name, None)


def _held(plan: AccountPlan, command: AttributesCommand, at: Instant) -> Iterator[tuple[Field, JsonValue]]:
    for name, raw in command.values.items():
        field = plan.fields.get(name)
        if field is None or field.identifier:
            continue
        value, check = held_as(field, raw), plan.asserted.get(name)
        if value is not None and check is not None:
            value, _ = check(value, at)
        if value is not None:
            yield field, value
