"""What an account's configuration means for one event: compiled once, used for every event.

A plan holds the mappings of each stream, the compiled audiences with an index of which of them read a field, and
the jobs that watch a transition.
"""

from collections.abc import Mapping as ReadOnly
from collections.abc import Sequence
from copy import copy
from functools import lru_cache

import msgspec

from gatepost.core.assertions import assertions_of
from gatepost.core.builtins import BUILTIN_AUDIENCES, BUILTIN_TYPES
from gatepost.core.coercion import coercion
from gatepost.core.elements import keeping_of
from gatepost.core.filterql import (
    CompiledExpression,
    CompiledFilter,
    Node,
    Statement,
    Verdict,
    compile_expression,
    compile_filter,
    compile_guard,
    parse_filter,
)
from gatepost.core.filterql.moving import Windows
from gatepost.core.filterql.nodes import Include, walk
from gatepost.core.identity import BLOCKED_VALUES
from gatepost.core.sources import Sources
from gatepost.model.audience import Audience, Crossing
from gatepost.model.catalog import Job, JobStatus
from gatepost.model.errors import FilterError
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.schema import EVERY_STREAM, Field, Mapping, Schema
from gatepost.model.times import Instant

DEFAULT_NAME_FIELDS = ("event", "_e")
"""Where an event's name is looked for when its stream does not say."""


_NOBODY = "FILTER NOT *"
"""What a deleted audience's filter becomes until its members have left."""


_OVER = Verdict(matches=False)


class MappingPlan:
    """One mapping, compiled."""

    __slots__ = ("expression", "field", "guard", "mapping", "name", "take")

    def __init__(self, mapping: Mapping, field: Field) -> None:
        self.field = field
        self.mapping = mapping
        self.expression: CompiledExpression = compile_expression(mapping.expression)
        self.name = self.expression.name
        self.take = coercion(field, instants=self.expression.instants)
        """How the field takes in what the expression gives."""
        self.guard = compile_guard(mapping.guard) if mapping.guard else None


class StreamPlan:
    """What an event of one stream fills."""

    __slots__ = ("by_key", "computed", "name_fields")

    def __init__(self, mappings: Sequence[MappingPlan], name_fields: tuple[str, ...]) -> None:
        self.by_key: dict[str, list[MappingPlan]] = {}
        """Mappings that take a key of the event as it is: an event pays for the keys it has, not for all there are."""
        self.computed: list[MappingPlan] = []
        for mapping in mappings:
            if mapping.name is None:
                self.computed.append(mapping)
            else:
                self.by_key.setdefault(mapping.name, []).append(mapping)
        self.name_fields = name_fields


class AudiencePlan:
    """One audience, compiled."""

    __slots__ = ("audience", "filter")

    def __init__(self, audience: Audience, compiled: CompiledFilter) -> None:
        self.audience = audience
        self.filter = compiled


class JobPlan(msgspec.Struct, frozen=True):
    """What apply needs of a job."""

    id: str
    destination: int
    parked: bool
    backfill: bool
    """It wants the members an audience has from the start."""
    answers: bool
    """Its answers come back as events, so long chains must end."""


class AccountPlan:
    """The compiled configuration of one account."""

    def __init__(
        self,
        schema: Schema,
        audiences: Sequence[Audience],
        jobs: Sequence[Job],
        stopped: set[int],
        included: Sequence[Audience] = (),
        compiled: "CompiledFilters | None" = None,
    ) -> None:
        """Compile a configuration; `included` are audiences that others may include and that nobody enters.

        Filters in `compiled` are taken from there where they mean the same.
        """
        self._fold_by(schema)
        self._declared = tuple(audiences)
        self._compiled = CompiledFilters(field_types(schema), filter_texts([*included, *audiences]), compiled)
        self.audiences = _audiences(audiences, self._compiled)
        self.by_id = {plan.audience.id: plan for plan in self.audiences.values()}
        read = {name for plan in self.audiences.values() for name in plan.filter.reads}
        self.builtins = frozenset(read & BUILTIN_TYPES.keys())
        """The built-in fields that some audience reads."""
        self.ending = tuple(one for one in audiences if one.expires and not one.deleted)
        """The audiences that end by themselves."""
        self.slugs = {number: plan.audience.slug for number, plan in self.audiences.items()}
        self.readers = _readers(self.audiences)
        self.sources = Sources(window for plan in self.audiences.values() for window in plan.filter.windows)
        self.jobs = _jobs(jobs, self.by_id, stopped)

    def _fold_by(self, schema: Schema) -> None:
        """Compile what it takes to fold."""
        self.schema = schema
        self.fields = {field.name: field for field in schema.fields}
        self.keeping = keeping_of(schema.fields)
        """How long fields keep a value that nobody gives again; just those that do not keep it for ever."""
        self.asserted = assertions_of(schema.fields)
        self.blocked = BLOCKED_VALUES.union(value.strip().lower() for value in schema.blocked)
        self.ranks = {field: rank for rank, field in enumerate(schema.ranks)}
        self.streams = _streams(schema)
        self.unmapped = StreamPlan(_mappings_of(EVERY_STREAM, schema, self.fields), DEFAULT_NAME_FIELDS)

    def under(self, schema: Schema) -> "AccountPlan":
        """Return a plan that folds by another version of the schema, for the same audiences and jobs."""
        plan = copy(self)
        plan._fold_by(schema)  # noqa: SLF001 - of the same class
        return plan

    def renewed(
        self, schema: Schema, audiences: Sequence[Audience], jobs: Sequence[Job], stopped: set[int]
    ) -> "AccountPlan":
        """Return the plan of a changed configuration; rules that did not change are not compiled again."""
        if (schema, tuple(audiences)) != (self.schema, self._declared):
            return AccountPlan(schema, audiences, jobs, stopped, compiled=self._compiled)
        plan = copy(self)
        plan.jobs = _jobs(jobs, self.by_id, stopped)
        return plan

    def stream(self, name: str) -> StreamPlan:
        """Return what a stream's events fill; an unknown stream fills just what every stream does."""
        return self.streams.get(name, self.unmapped)


def field_types(schema: Schema) -> dict[str, str]:
    """Return the type texts that filters are compiled against."""
    builtins = {name: type_.value for name, type_ in BUILTIN_TYPES.items()}
    return builtins | {field.name: field.type.value for field in schema.fields}


def compile_audience(text: str, schema: Schema, others: ReadOnly[str, str]) -> CompiledFilter:
    """Compile a filter against a schema; `others` holds the texts of audiences by slug and id, for INCLUDE."""
    return _compile(text, field_types(schema), others)


def _compile(text: str, types: ReadOnly[str, str], others: ReadOnly[str, str]) -> CompiledFilter:
    def include(name: str) -> "Node | None":
        included = others.get(name)
        return parsed(included).filter if included is not None else None

    return compile_filter(parsed(text).filter, types, include)


@lru_cache(maxsize=2048)
def parsed(text: str) -> Statement:
    """Return a filter as a tree; trees never change, so the same text is read once."""
    return parse_filter(text)


@lru_cache(maxsize=2048)
def included_names(text: str) -> frozenset[str]:
    """Return the slugs and ids a filter includes itself."""
    if "include" not in text.lower():
        return frozenset()
    return frozenset(node.audience for node in walk(parsed(text).filter) if isinstance(node, Include))


class CompiledFilters:
    """The filters of one plan, compiled; what an earlier plan compiled from the same texts is taken over."""

    def __init__(
        self, types: ReadOnly[str, str], texts: ReadOnly[str, str], earlier: "CompiledFilters | None"
    ) -> None:
        self.types = types
        self._texts = texts
        self._earlier = earlier.filters if earlier is not None and earlier.types == types else {}
        self.filters: dict[tuple[str, frozenset[tuple[str, str]]], CompiledFilter] = {}

    def filter(self, text: str) -> CompiledFilter:
        """Return a filter ready to run; raise FilterError when it does not fit the plan."""
        key = (text, self._reached(text))
        found = self.filters.get(key) or self._earlier.get(key) or _compile(text, self.types, self._texts)
        self.filters[key] = found
        return found

    def finish(self) -> None:
        """Let go of what only the earlier plan used."""
        self._earlier = {}

    def _reached(self, text: str) -> frozenset[tuple[str, str]]:
        """Find all that the filter includes, by way of others too, by name and text."""
        found: dict[str, str] = {}
        waiting = [text]
        while waiting:
            for name in included_names(waiting.pop()):
                if name not in found and name in self._texts:
                    found[name] = self._texts[name]
                    waiting.append(found[name])
        return frozenset(found.items())


def filter_texts(audiences: Sequence[Audience]) -> dict[str, str]:
    """Return the filters of audiences by slug and by id, and of those that are there by themselves."""
    texts = BUILTIN_AUDIENCES | {audience.id: audience.filter for audience in audiences}
    return texts | {audience.slug: audience.filter for audience in audiences}


def _streams(schema: Schema) -> dict[str, StreamPlan]:
    fields = {field.name: field for field in schema.fields}
    declared = {stream.name: stream for stream in schema.streams}
    names = dict.fromkeys([*declared, *(mapping.stream for mapping in schema.mappings)])
    names.pop(EVERY_STREAM, None)
    plans = {}
    for name in names:
        mappings = _mappings_of(name, schema, fields)
        stream = declared.get(name)
        named = (stream.event_name_field,) if stream and stream.event_name_field else DEFAULT_NAME_FIELDS
        plans[name] = StreamPlan(mappings, named)
    return plans


def _mappings_of(stream: str, schema: Schema, fields: ReadOnly[str, Field]) -> list[MappingPlan]:
    filling = [m for m in schema.mappings if m.stream in (stream, EVERY_STREAM)]
    return [MappingPlan(mapping, fields[mapping.field]) for mapping in filling]


def _audiences(audiences: Sequence[Audience], compiled: CompiledFilters) -> dict[int, AudiencePlan]:
    plans = {}
    for audience in audiences:
        text = _NOBODY if audience.deleted else audience.filter
        try:
            rule = compiled.filter(text)
            plans[audience.number] = AudiencePlan(
                audience, ending(rule, audience.expires) if audience.expires else rule
            )
        except FilterError:
            # A schema change may break a stored filter; saving refuses that, so this is an old one: nobody is in it.
            continue
    compiled.finish()
    return plans


def ending(rule: CompiledFilter, expires: Instant) -> CompiledFilter:
    """Return a rule that nobody fulfils from an instant on."""
    judge = rule.evaluate

    def evaluate(fields: ReadOnly[str, JsonValue], windows: Windows, now: Instant) -> Verdict:
        if now >= expires:
            return _OVER
        verdict = judge(fields, windows, now)
        sooner = verdict.next_change is not None and verdict.next_change < expires
        return verdict if sooner or not verdict.matches else Verdict(matches=True, next_change=expires)

    return msgspec.structs.replace(rule, evaluate=evaluate)


def _readers(audiences: ReadOnly[int, AudiencePlan]) -> dict[str, tuple[int, ...]]:
    readers: dict[str, list[int]] = {}
    for number, plan in audiences.items():
        for key in [*plan.filter.reads, *{window.key for window in plan.filter.windows}]:
            readers.setdefault(key, []).append(number)
    return {key: tuple(numbers) for key, numbers in readers.items()}


_CROSSINGS = {
    "": (Crossing.ENTER, Crossing.EXIT),
    "enters_only": (Crossing.ENTER,),
    "exits_only": (Crossing.EXIT,),
}


def crossings_of(job: Job) -> tuple[Crossing, ...]:
    """Return the crossings a job wants."""
    return _CROSSINGS[str(job.config.get("audience_events") or "")]


def _jobs(
    jobs: Sequence[Job], audiences: ReadOnly[str, AudiencePlan], stopped: set[int]
) -> dict[tuple[int, Crossing], tuple[JobPlan, ...]]:
    watching: dict[tuple[int, Crossing], list[JobPlan]] = {}
    for job in jobs:
        if job.status is JobStatus.DELETED:
            continue
        parked = job.status is JobStatus.PAUSED or job.destination in stopped
        config = job.config
        plan = JobPlan(
            job.id, job.destination, parked, bool(config.get("withbackfill")), bool(config.get("stream"))
        )
        for id_ in _texts(job.config.get("segment_ids")):
            if id_ in audiences:
                for crossing in crossings_of(job):
                    watching.setdefault((audiences[id_].audience.number, crossing), []).append(plan)
    return {key: tuple(plans) for key, plans in watching.items()}


def _texts(value: JsonValue) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []


EMPTY_PLAN = AccountPlan(Schema(), (), (), set())
"""The plan of an account that configured nothing."""
