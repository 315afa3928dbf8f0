"""One event meets one profile: what it says, what it changes, and which audiences' borders are crossed."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec
import orjson

from gatepost.core.builtins import with_builtins
from gatepost.core.elements import expect, expire
from gatepost.core.events import flatten
from gatepost.core.filterql import CompiledFilter, Verdict
from gatepost.core.folding import coerced, fold_value
from gatepost.core.identity import usable
from gatepost.core.plans import AccountPlan, StreamPlan
from gatepost.core.sizes import fitting, weigh
from gatepost.core.sources import Addition
from gatepost.core.windows import add_entry
from gatepost.core.writing import KIND, Writing, read_writing, write
from gatepost.model.audience import Crossing, ExclusionCommand, Membership, Transition
from gatepost.model.event import Event
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.profile import EVERYWHERE, Identifier, Profile
from gatepost.model.schema import Field, FieldType
from gatepost.model.times import Instant

_OUTSIDE = Verdict(matches=False, next_change=None)


class Reading(msgspec.Struct, gc=False):
    """What an event says under a schema."""

    event: Event
    values: list[tuple[Field, JsonValue]]
    """Values for fields that do not identify."""
    identifiers: list[Identifier]
    """Strongest first."""
    name: str
    """The event's own name, such as `purchase`; empty when it has none."""
    refused: int = 0
    """Values that do not hold what their fields assert."""
    blocked: int = 0
    """Identifiers that identify nobody, or are more than a profile has."""
    additions: Sequence[Addition] = ()
    """What it adds to the windows somebody looks at."""
    writing: Writing | None = None
    """What is written by hand; None for an event."""


def read_event(plan: AccountPlan, event: Event) -> Reading:
    """Map an event's body to field values and identifiers."""
    if event.kind == KIND:
        writing = read_writing(plan, event)
        return Reading(event, writing.values, writing.identifiers, "", writing=writing)
    body: JsonObject = orjson.loads(event.body)
    record = flatten(body)
    stream = plan.stream(event.stream)
    values: list[tuple[Field, JsonValue]] = []
    identifiers: list[tuple[int, Identifier]] = []
    refused = blocked = 0
    said: Iterable[tuple[Field, JsonValue]] = _mapped(stream, record, event.at)
    if plan.asserted:
        said, refused = _holding(plan, said, event.at)
    for field, value in said:
        if field.identifier:
            rank = plan.ranks.get(field.name, len(plan.ranks))
            texts = value if isinstance(value, list) else [value]
            good = [text for text in texts if isinstance(text, str) and usable(text, plan.blocked)]
            blocked += len(texts) - len(good)
            identifiers += [(rank, (field.name, text)) for text in good]
        else:
            values.append((field, value))
    if len(identifiers) > 1:
        identifiers.sort()
    strongest_first = list(dict.fromkeys(identifier for _, identifier in identifiers))
    name = _name_of(stream, record)
    if len(strongest_first) > plan.schema.identifiers_limit:
        blocked += len(strongest_first) - plan.schema.identifiers_limit
        del strongest_first[plan.schema.identifiers_limit :]
    sources = plan.sources
    additions: Sequence[Addition] = ()
    if sources:
        of_fields = sources.of_fields(event, record, values, strongest_first)
        additions = [*sources.of_event(event, name, record), *of_fields]
    return Reading(event, values, strongest_first, name, refused, blocked, additions)


def additions_of(plan: AccountPlan, event: Event, sources: Collection[str]) -> Iterable[Addition]:
    """Return what an event adds to windows, to these sources at least; it is mapped only if one of them asks for it."""
    if event.kind == KIND:
        return ()
    if plan.sources.of_mapped_fields(sources):
        return read_event(plan, event).additions
    record = flatten(orjson.loads(event.body))
    return plan.sources.of_event(event, _name_of(plan.stream(event.stream), record), record)


def fold_reading(plan: AccountPlan, profile: Profile, reading: Reading, now: Instant) -> set[str]:
    """Fold a reading into its profile; return the fields and window sources that changed."""
    event = reading.event
    if reading.writing is not None:
        return write(plan, profile, event, reading.writing, now)
    stamp = (event.at, event.id)
    changed: set[str] = set()
    profile.modified = now
    profile.created = min(profile.created, event.at)
    profile.events += 1
    profile.streams[event.stream] = profile.streams.get(event.stream, 0) + 1
    profile.trail.append(event.id)
    values, keeping = reading.values, plan.keeping
    if weigh(profile, len(event.body), len(values)):
        values = fitting(profile, values)
    for field, value in values:
        # A value that is too old to be kept is not folded in, but windows go by lengths of their own.
        fades = keeping and field.name in keeping
        taken = not fades or expect(profile, event.at + keeping[field.name], now)
        if taken and fold_value(profile, field, value, stamp):
            changed.add(field.name)
    keep = plan.sources.keep
    for source, entry in reading.additions:
        add_entry(profile, source, entry, keep[source])
        changed.add(source)
    if plan.builtins:
        changed |= plan.builtins
    return changed


def lapse(plan: AccountPlan, profile: Profile, now: Instant) -> set[str]:
    """Let the values go that nobody gave for as long as their fields keep them; return the fields that changed."""
    changed = expire(profile, plan.keeping, now)
    if changed:
        profile.modified = now
        changed.add("_modified")
    return changed


def take_on(profile: Profile, identifiers: Iterable[Identifier], fields: dict[str, Field]) -> set[str]:
    """Write accepted identifiers into the profile's own fields; return those that changed."""
    changed = set()
    for name, value in identifiers:
        held = profile.fields.get(name)
        if fields[name].type is FieldType.STRING:
            if held != value:
                profile.fields[name] = value
                changed.add(name)
        elif not isinstance(held, list):
            profile.fields[name] = [value]
            changed.add(name)
        elif value not in held:
            profile.fields[name] = [*held, value]
            changed.add(name)
    return changed


def give_up(profile: Profile, released: Iterable[Identifier]) -> set[str]:
    """Take identifiers off a profile; return the fields that changed."""
    changed = set()
    for name, value in released:
        profile.identifiers[name].pop(value, None)
        held = profile.fields.get(name)
        if isinstance(held, list):
            profile.fields[name] = [one for one in held if one != value]
            changed.add(name)
        profile.released += 1
    return changed


def affected_audiences(plan: AccountPlan, changed: set[str]) -> set[int]:
    """Return the audiences that read something that changed."""
    readers = plan.readers
    return {number for key in changed if key in readers for number in readers[key]}


def judged(rule: CompiledFilter, profile: Profile, now: Instant) -> Verdict:
    """Return what a rule says of a profile, built-in fields included, as `evaluate` would find it."""
    try:
        return rule.evaluate(with_builtins(profile, rule.reads), profile.windows, now)
    except (ArithmeticError, ValueError):
        return _OUTSIDE


def evaluate(plan: AccountPlan, profile: Profile, audiences: Iterable[int], now: Instant) -> list[Transition]:
    """Evaluate audiences for a profile, update its standing and its due instants, return the crossings in order."""
    transitions: list[Transition] = []
    memberships, due, excluded = profile.memberships, profile.due, profile.excluded
    fields: Mapping[str, JsonValue] = profile.fields
    windows = profile.windows
    if plan.builtins:
        fields = with_builtins(profile, plan.builtins)
    for number in sorted(audiences):
        compiled = plan.audiences.get(number)
        if compiled is None:
            due.pop(number, None)
            continue
        try:
            shut_out = excluded and (number in excluded or EVERYWHERE in excluded)
            verdict = _OUTSIDE if shut_out else compiled.filter.evaluate(fields, windows, now)
        except (ArithmeticError, ValueError):
            # A value no arithmetic can take in, such as one that overflows: the rule cannot be evaluated.
            verdict = _OUTSIDE
        matches, next_change = verdict.matches, verdict.next_change
        if next_change is not None:
            due[number] = max(next_change, now + 1)
        elif number in due:
            del due[number]
        held = memberships.get(number)
        if matches != (held is not None and held.inside):
            count = held.transition + 1 if held is not None else 1
            memberships[number] = Membership(matches, now, count)
            transitions.append(Transition(number, Crossing.ENTER if matches else Crossing.EXIT, now, count))
    return transitions


def exclude(profile: Profile, command: ExclusionCommand, now: Instant) -> bool:
    """Keep a profile out of an audience, or let the rule decide again; say whether that is anything new."""
    if command.undo:
        return profile.excluded.pop(command.audience, None) is not None
    return profile.excluded.setdefault(command.audience, now) == now


def may_differ(plan: AccountPlan, profile: Profile, audience: int, now: Instant) -> bool:
    """Say whether evaluating an audience would change anything of a profile; at worst it says so needlessly."""
    compiled = plan.audiences.get(audience)
    if compiled is None:
        return audience in profile.due
    shut_out = profile.excluded and profile.excluded_since(audience) is not None
    verdict = _OUTSIDE if shut_out else judged(compiled.filter, profile, now)
    held, due = profile.memberships.get(audience), profile.due.get(audience)
    if verdict.matches != (held is not None and held.inside):
        return True
    # A wake-up that comes too early costs only a look.
    return verdict.next_change is not None and (due is None or due > max(verdict.next_change, now + 1))


def _name_of(stream: StreamPlan, record: JsonObject) -> str:
    named = next((record[f] for f in stream.name_fields if record.get(f)), "")
    return named if isinstance(named, str) else ""


def _mapped(stream: StreamPlan, record: JsonObject, at: Instant) -> Iterator[tuple[Field, JsonValue]]:
    """Yield what a stream's mappings make of an event, as the fields' types hold it."""
    by_key = stream.by_key
    for key, raw in record.items():
        for mapping in by_key.get(key, ()):
            if raw is not None and (mapping.guard is None or mapping.guard(record, at)):
                value = coerced(mapping.field, raw)
                if value is not None:
                    yield mapping.field, value
    for mapping in stream.computed:
        if mapping.guard is None or mapping.guard(record, at):
            raw = mapping.expression.evaluate(record, at)
            value = None if raw is None else mapping.take(raw)
            if value is not None:
                yield mapping.field, value


def _holding(
    plan: AccountPlan, said: Iterable[tuple[Field, JsonValue]], at: Instant
) -> tuple[list[tuple[Field, JsonValue]], int]:
    """Return what holds of what an event says, and how much does not."""
    holding: list[tuple[Field, JsonValue]] = []
    refused = 0
    for field, value in said:
        check = plan.asserted.get(field.name)
        kept, failed = check(value, at) if check else (value, 0)
        refused += failed
        if kept is not None:
            holding.append((field, kept))
    return holding, refused
