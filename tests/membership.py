"""A life of a shop for laws about memberships: random steps, and what must be true after any of them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from gatepost.core.builtins import with_builtins
from gatepost.core.elements import keeping_of
from gatepost.core.plans import AccountPlan
from gatepost.core.refolding import refolded
from gatepost.core.versions import Versions
from gatepost.model.audience import Audience
from gatepost.model.catalog import Account
from gatepost.model.event import RecordKind, Submission
from gatepost.model.merge import MergeCommand
from gatepost.model.profile import EXPIRY, AttributesCommand, Identifier, Profile
from gatepost.model.schema import Field, FieldType, Mapping, MergeOperator, Schema
from gatepost.model.times import DAY, HOUR, Instant
from gatepost.operations.audiences import (
    AudienceDraft,
    dissolve_audiences,
    evaluate_audience,
    put_audience,
    replace_audience,
)
from gatepost.operations.configuration.schemas import changed_fields
from gatepost.operations.records import current_schema, live_audiences, versions_of
from gatepost.ports.outbox import DeliveryFilter
from gatepost.ports.store import Transaction
from tests.factories import ACCOUNT
from tests.pipeline import SHOP, Pipeline, make_job

_FIELDS: dict[str, tuple[str, FieldType, MergeOperator, dict[str, Any]]] = {
    "first_city": ("city", FieldType.STRING, MergeOperator.OLDEST, {}),
    "cheapest": ("total", FieldType.INT, MergeOperator.MIN, {}),
    "places": ("city", FieldType.STRINGS, MergeOperator.CAPPED, {"capacity": 2}),
    "moods": ('match("mood.")', FieldType.VALUE_MAP, MergeOperator.LATESTMAP, {}),
    "first_moods": ('match("mood.")', FieldType.INT_MAP, MergeOperator.OLDESTMAP, {}),
    "low_moods": ('match("mood.")', FieldType.INT_MAP, MergeOperator.MAPMIN, {}),
    "high_moods": ('match("mood.")', FieldType.INT_MAP, MergeOperator.MAPMAX, {}),
    "all_moods": ('match("mood.")', FieldType.INT_MAP, MergeOperator.SUM, {}),
    "seen": ("city", FieldType.SEEN_STRINGS, MergeOperator.MERGE, {}),
    "days": ("epochms()", FieldType.BUCKETS, MergeOperator.MERGE, {}),
    "pages": ("url", FieldType.STRINGS, MergeOperator.MERGE, {"keep_days": 1, "capacity": 2}),
    "recent_city": ("city", FieldType.STRING, MergeOperator.LATEST, {"keep_days": 1}),
    "recent_spend": ("tonumber(total)", FieldType.NUMBER, MergeOperator.SUM, {"keep_days": 2}),
}
FADING_TOTALS = frozenset({"recent_spend"})
"""What began anew after it had faded on one side of a merge is not what folding everything into one gives."""

EVERYTHING: Schema = msgspec.structs.replace(
    SHOP,
    fields=(
        *SHOP.fields,
        *(
            Field(name=name, type=type_, merge=merge, **more)
            for name, (_, type_, merge, more) in _FIELDS.items()
        ),
    ),
    mappings=(
        *SHOP.mappings,
        *(
            Mapping(stream="web", field=name, expression=expression)
            for name, (expression, *_) in _FIELDS.items()
        ),
    ),
)
"""The shop's schema with a field of every merge operator, and some that let their values go."""

RULES = (
    "spend > 5",
    'count("web", "2d") >= 2',
    'sum("spend", "36h") >= 4',
    'last_visit > "now-1d"',
    'AND ( visits >= 2, NOT last_visit > "now-2d" )',
    'OR ( pages = "/shoes", recent_spend > 3 )',
    "NOT EXISTS recent_city",
    'distinct("event.url", "3d") >= 2',
    "_num_events >= 3",
    'NOT count("web", "5d", total > 1) >= 1',
    'AND ( EXISTS cookie, last("web") > "now-30h" )',
    'sum("event.total", "4d") > 3',
)


CHANGES: tuple[tuple[str, dict[str, Any], str | None], ...] = (
    ("spend", {"merge": MergeOperator.MAX}, "tonumber(total)"),
    ("city", {"merge": MergeOperator.OLDEST}, "city"),
    ("cheapest", {"type": FieldType.NUMBER, "merge": MergeOperator.MAX}, "total"),
    ("places", {"type": FieldType.STRING_MAP, "merge": MergeOperator.MERGE}, "city"),
    ("last_visit", {"merge": MergeOperator.LATEST}, "now()"),
    ("visits", {}, None),
    ("products", {}, "url"),
    ("cheapest", {"type": FieldType.STRING, "merge": MergeOperator.LATEST}, "city"),
    ("email", {}, None),
    ("all_moods", {"merge": MergeOperator.MAPMAX}, 'match("mood.")'),
    ("spend", {"type": FieldType.INT, "merge": MergeOperator.SUM}, "total"),
    ("user", {}, "email(email)"),
)
"""A field, what becomes of it, and the one expression that fills it from then on; without any, nothing does."""


def changed_by(schema: Schema, choice: int) -> Schema:
    """Return a schema with a change, or with the field as it was at first when it has been changed already."""
    name, more, expression = CHANGES[choice % len(CHANGES)]
    first = next(one for one in EVERYTHING.fields if one.name == name)
    wanted = msgspec.structs.replace(first, **more)
    mappings = [Mapping(stream="web", field=name, expression=expression)] if expression else []
    if wanted in schema.fields and mappings == [one for one in schema.mappings if one.field == name]:
        wanted, mappings = first, [one for one in EVERYTHING.mappings if one.field == name]
    return msgspec.structs.replace(
        schema,
        fields=tuple(wanted if one.name == name else one for one in schema.fields),
        mappings=(*(one for one in schema.mappings if one.field != name), *mappings),
    )


WRITES: tuple[AttributesCommand, ...] = (
    AttributesCommand(clear=["spend"], values={"spend": 4}),
    AttributesCommand(values={"spend": 3, "visits": 2, "city": "Wien"}),
    AttributesCommand(clear=["city", "first_city"], values={"city": "Graz", "first_city": "Graz"}),
    AttributesCommand(clear=["pages", "places"], values={"pages": ["/hats"], "places": ["Linz"]}),
    AttributesCommand(clear=["visits", "products"]),
    AttributesCommand(clear=["recent_city"], values={"recent_city": "Wels", "cheapest": 1}),
    AttributesCommand(clear=["moods", "all_moods"], values={"moods": {"am": 2}, "first_moods": {"am": 1}}),
    AttributesCommand(everything=True),
)
"""What may be written by hand: overwritten, merged in, and emptied."""


class Life:
    """A pipeline, the steps that happened to it, and the laws that hold."""

    def __init__(self, folder: Path, limit: int = 50) -> None:
        self.pipeline = Pipeline(folder)
        self.schema = msgspec.structs.replace(EVERYTHING, identifiers_limit=limit)
        self.unmerged = False
        self.redefined: set[str] = set()
        """Fields that did not fold in the same way all the time."""

        def work(tx: Transaction) -> None:
            tx.catalog.put(ACCOUNT, "a" * 32, Account(number=ACCOUNT, id="a" * 32))
            tx.catalog.put(ACCOUNT, "1", self.schema)

        self._write(work)

    def _write(self, work: Any) -> Any:
        return self.pipeline.store.write_blocking(work)

    def audiences(self) -> list[Audience]:
        return list(self._write(lambda tx: live_audiences(tx, ACCOUNT)))

    def step(self, what: str, value: Any) -> None:
        """Do one step; `value` chooses among what there is."""
        getattr(self, f"do_{what}")(value)

    def do_send(self, value: tuple[dict[str, Any], int]) -> None:
        body, offset = value
        self.pipeline.send(at=self.pipeline.clock.audience() + offset, **body)

    def do_wait(self, hours: int) -> None:
        self.pipeline.clock.move(self.pipeline.clock.audience() + hours * HOUR + 1)
        self.pipeline.log.append_clock(self.pipeline.clock.audience()).result()

    def do_pass(self, hours: int) -> None:
        """Let so many hours pass and no more."""
        self.pipeline.clock.move(self.pipeline.clock.audience() + hours * HOUR)
        self.pipeline.log.append_clock(self.pipeline.clock.audience()).result()

    def do_turn(self, turns: int) -> None:
        for _ in range(turns):
            self.pipeline.apply.run_once()

    def do_create(self, rule: int) -> None:
        if len(self.audiences()) >= 6:
            return
        draft = AudienceDraft(name=f"rule {rule}", filter=f"FILTER {RULES[rule % len(RULES)]}")
        self._put(draft)

    def do_include(self, choice: int) -> None:
        known = self.audiences()
        if not known or len(known) >= 6:
            return
        draft = AudienceDraft(name="others", filter=f"FILTER NOT INCLUDE {known[choice % len(known)].slug}")
        self._put(draft)

    def _put(self, draft: AudienceDraft) -> None:
        def work(tx: Transaction) -> None:
            put_audience(tx, ACCOUNT, draft, 1)
            self._watch(tx)

        self._write(work)

    def do_edit(self, choice: int) -> None:
        known = [one for one in self.audiences() if one.name != "others"]
        if known:
            old = known[choice % len(known)]
            draft = AudienceDraft(name=old.name, filter=f"FILTER {RULES[choice % len(RULES)]}")
            self._write(lambda tx: replace_audience(tx, ACCOUNT, old, draft, 2))

    def do_delete(self, choice: int) -> None:
        known = self.audiences()
        included = " ".join(one.filter for one in known)
        free = [one for one in known if f"INCLUDE {one.slug}" not in included]
        if free:
            gone = free[choice % len(free)]
            self._write(lambda tx: dissolve_audiences(tx, ACCOUNT, [gone], 3))

    def do_publish(self, choice: int) -> None:
        """Publish a version of the schema, as applying a document does."""
        new = changed_by(self.schema, choice)
        read = changed_fields(self.schema, new)
        before = {one.name: one for one in self.schema.fields}
        self.redefined |= {one.name for one in new.fields if one != before[one.name]}

        self.pipeline.publish(new)
        known = self.audiences() if read else []
        for audience in known:
            self._write(lambda tx, audience=audience: evaluate_audience(tx, audience, known))
        self.schema = self._write(lambda tx: current_schema(tx, ACCOUNT))

    def do_unmerge(self, choice: int) -> None:
        merges = self._merges()
        if merges:
            self.unmerged = True
            self._command(MergeCommand(merge=merges[choice % len(merges)]))

    def do_rejoin(self, choice: int) -> None:
        merges = self._merges()
        if merges:
            self._command(MergeCommand(merge=merges[choice % len(merges)], rejoin=True))

    def do_crash(self, turns: int) -> None:
        """End after some turns, and begin again with what is on disk."""
        self.do_turn(turns)
        self.pipeline.close()
        self.pipeline = Pipeline(self.pipeline.folder, self.pipeline.clock)

    def close(self) -> None:
        """End for good."""
        self.pipeline.close()

    def do_write(self, value: tuple[Identifier, int]) -> None:
        """Write attributes of whoever an identifier leads to; of nobody, nothing is written."""
        (key, named), choice = value
        command = msgspec.structs.replace(WRITES[choice % len(WRITES)], key=key, value=named)
        self._command(command, RecordKind.ATTRIBUTES)

    def _command(self, command: msgspec.Struct, kind: RecordKind = RecordKind.UNMERGE) -> None:
        submission = Submission("", 0, msgspec.json.encode(command), kind=kind)
        self.pipeline.log.append(ACCOUNT, [submission]).result()

    def _merges(self) -> list[int]:
        rows = self._write(lambda tx: self.rows(tx, "SELECT id FROM merges ORDER BY id"))
        return [id_ for (id_,) in rows]

    def _watch(self, tx: Transaction) -> None:
        job = make_job(0, segment_ids=[one.id for one in live_audiences(tx, ACCOUNT)], withbackfill=True)
        tx.catalog.put(ACCOUNT, job.id, job)

    @staticmethod
    def rows(tx: Any, query: str) -> list[tuple[Any, ...]]:
        """Read rows of the store as they lie there."""
        return list(tx._connection.execute(query).fetchall())

    # What must be true.

    def check(self) -> None:
        """Settle, and hold everything stored against the rules and against each other."""
        self.pipeline.settle()
        profiles = self.pipeline.profiles()
        plan = AccountPlan(self.schema, self.audiences(), (), set())
        now = self.pipeline.clock.audience()
        assert self.pipeline.counters().get("events_set_aside", 0) == 0
        assert self.pipeline.counters().get("duties_set_aside", 0) == 0
        self._check_memberships(profiles, plan, now)
        self._check_wakeups(profiles, plan, now)
        self._check_identifiers(profiles)
        self._check_trails(profiles)
        self._check_triggers(plan)
        self._check_refold(profiles, self._write(lambda tx: versions_of(tx, ACCOUNT, plan)), now)

    def _check_memberships(self, profiles: list[Profile], plan: AccountPlan, now: Instant) -> None:
        sizes = self._write(lambda tx: tx.memberships.sizes(ACCOUNT))
        for number, one in plan.audiences.items():
            fresh = {
                p.number
                for p in profiles
                if one.filter.evaluate(with_builtins(p, plan.builtins), p.windows, now).matches
            }
            stored = {p.number for p in profiles if number in p.memberships and p.memberships[number].inside}
            listed = self._write(lambda tx, number=number: tx.memberships.members(ACCOUNT, number, 0, 1_000))
            assert stored == fresh, (one.audience.filter, profiles)
            assert [member.profile for member in listed] == sorted(fresh)
            assert len(fresh) == (sizes[number].size if number in sizes else 0)

    def _check_wakeups(self, profiles: list[Profile], plan: AccountPlan, now: Instant) -> None:
        timers = self._write(lambda tx: self.rows(tx.profiles, "SELECT due, profile FROM timers"))
        assert sorted(timers) == sorted((p.timer, p.number) for p in profiles if p.timer)
        for profile in profiles:
            earliest = min(profile.due.values(), default=0)
            assert not earliest or now < profile.timer <= earliest
            fading = self._fading(profile)
            assert all(at > now for at in fading)
            assert not fading or profile.due[EXPIRY] <= min(fading)
            for number, one in plan.audiences.items():
                until = min([profile.due.get(number, now + 30 * DAY), *fading])
                fields = with_builtins(profile, plan.builtins)
                answer = one.filter.evaluate(fields, profile.windows, now).matches
                for instant in _instants(profile, now, until):
                    assert one.filter.evaluate(fields, profile.windows, instant).matches == answer

    def _fading(self, profile: Profile) -> list[Instant]:
        keeping = keeping_of(self.schema.fields)
        return [at + keep for name, keep in keeping.items() for at, _ in profile.given.get(name, {}).values()]

    def _check_identifiers(self, profiles: list[Profile]) -> None:
        rows = self._write(lambda tx: self.rows(tx.profiles, "SELECT field, value, profile FROM identifiers"))
        held = [
            (name, v, p.number) for p in profiles for name, values in p.identifiers.items() for v in values
        ]
        held += [("_id", id_, p.number) for p in profiles for id_ in (p.id, *p.aliases)]
        assert sorted(rows) == sorted(held)
        for profile in profiles:
            for name, values in profile.identifiers.items():
                shown = profile.fields.get(name)
                texts = shown if isinstance(shown, list) else [shown]
                assert sorted(map(str, texts)) == sorted(values)

    def _check_trails(self, profiles: list[Profile]) -> None:
        trails = Counter(id_ for p in profiles for id_ in self._trail(p))
        kept = [one for one in self.pipeline.log.read(0, 10_000) if one.kind == RecordKind.EVENT]
        nameless = self.pipeline.counters().get("events_without_identifier", 0)
        assert all(times == 1 for times in trails.values())
        written = self.pipeline.counters().get("attributes_written", 0)
        assert len(kept) - nameless == sum(p.events for p in profiles)
        assert len(trails) == len(kept) - nameless + written

    def _trail(self, profile: Profile) -> list[int]:
        older = self._write(lambda tx: tx.profiles.trail(ACCOUNT, profile.number))
        return sorted([*older, *profile.trail])

    def _check_triggers(self, plan: AccountPlan) -> None:
        wanted = DeliveryFilter(account=ACCOUNT, limit=100_000)
        listed = self._write(lambda tx: tx.deliveries.listed(wanted))
        sizes = self._write(lambda tx: tx.memberships.sizes(ACCOUNT))
        told = Counter((one.delivery.audience, one.delivery.crossing.value) for one in listed)
        for number in plan.audiences:
            size = sizes.get(number)
            if size is not None:
                assert (told[number, "enter"], told[number, "exit"]) == (size.entered, size.left)
        if not self._merges():
            self._check_alternation([one.delivery for one in reversed(listed)])

    def _check_alternation(self, deliveries: Iterable[Any]) -> None:
        last: dict[tuple[int, int], Any] = {}
        for one in deliveries:
            before = last.get((one.profile, one.audience))
            assert one.transition == (before.transition + 1 if before else 1)
            assert (one.transition % 2 == 1) == (one.crossing.value == "enter")
            assert before is None or before.at <= one.at
            last[one.profile, one.audience] = one

    def _check_refold(self, profiles: list[Profile], versions: Versions, now: Instant) -> None:
        counters, plan = self.pipeline.counters(), versions.current
        if self.unmerged or counters.get("identifiers_released") or any(p.conflicts for p in profiles):
            return
        for profile in profiles:
            events = self.pipeline.log.fetch(self._trail(profile))
            *_, last = refolded(versions, profile.identifiers, events)
            # Nor is what two sides of a merge folded in one way and their union in another.
            left_out = FADING_TOTALS | self.redefined if profile.aliases else frozenset()
            for name, keep in plan.keeping.items():
                values = last.profile.given.get(name, {})
                if any(at + keep <= now for at, _ in values.values()):
                    left_out |= {name}
            assert _plain(last.profile, left_out) == _plain(profile, left_out)
            for source, keep in plan.sources.keep.items():
                assert _reached(last.profile, source, now - keep) == _reached(profile, source, now - keep)


def _reached(profile: Profile, source: str, horizon: Instant) -> list[Any]:
    return [entry for entry in profile.windows.get(source, []) if entry[0] > horizon]


def _plain(profile: Profile, left_out: frozenset[str]) -> dict[str, Any]:
    return {
        name: sorted(value) if isinstance(value, list) else value
        for name, value in profile.fields.items()
        if name not in left_out
    }


def _instants(profile: Profile, now: Instant, until: Instant) -> Iterator[Instant]:
    """Yield instants at which an answer may turn, before the one that was announced."""
    starts = {now, *(entry[0] for entries in profile.windows.values() for entry in entries)}
    starts |= {value for value in profile.fields.values() if isinstance(value, int) and value > DAY}
    lengths = (0, 30 * HOUR, 36 * HOUR, *(days * DAY for days in range(1, 6)))
    found = {start + length + more for start in starts for length in lengths for more in (-1, 0, 1)}
    yield from (instant for instant in found if now < instant < until)
