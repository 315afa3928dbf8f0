"""The account that benchmarks measure with: its schema, audiences and jobs, and profiles written in bulk."""

import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import orjson

from benchmarks._common import CACHE, progress
from gatepost.backends.clock import HandClock
from gatepost.backends.sqlite.log import SqliteLog
from gatepost.backends.sqlite.store import SqliteStore
from gatepost.core.applying import evaluate
from gatepost.core.plans import AccountPlan
from gatepost.model.audience import Audience
from gatepost.model.catalog import Account, Destination, Job, Scope
from gatepost.model.event import Submission
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.profile import Profile
from gatepost.model.schema import Field, FieldType, Mapping, MergeOperator, Schema
from gatepost.model.times import DAY, Instant
from gatepost.operations.tokens import put_token
from gatepost.outbound.keyring import KeyRing, new_key
from gatepost.ports.clock import Clock
from gatepost.ports.profiles import Crossed, ProfileChanges
from gatepost.ports.store import Transaction
from gatepost.ports.survey import Surveyor
from gatepost.stages.apply import ApplyStage
from gatepost.stages.erasing import Eraser

ACCOUNT = 1
STREAM = "web"
NOW: Instant = 1_790_000_000_000
CITIES = ("Utrecht", "Porto", "Lyon", "Graz", "Turku", "Cork", "Ghent", "Malmo", "Brno", "Split")
_READERS = 10
_AUDIENCES = 50
_CHUNK = 5_000
_DAYS = 5
_FIXTURE = 2
"""Raise it when profiles or audiences below change: older files are left alone."""

_FIELDS = (
    Field(name="user_id", identifier=True),
    Field(name="visits", type=FieldType.INT, merge=MergeOperator.COUNT),
    Field(name="spent", type=FieldType.NUMBER, merge=MergeOperator.SUM),
    Field(name="last_visit", type=FieldType.DATE, merge=MergeOperator.MAX),
    Field(name="last_sku"),
    Field(name="email"),
    Field(name="first_name"),
    Field(name="last_name"),
    Field(name="city"),
    Field(name="plan"),
    *(Field(name=f"score_{number}", type=FieldType.INT) for number in range(10)),
)
_MAPPINGS = {
    "user_id": "user_id",
    "visits": "sku",
    "spent": "price",
    "last_visit": "at",
    "last_sku": "sku",
    "email": "email",
    "city": "city",
}


def schema() -> Schema:
    """Return twenty fields, of which an event of the stream fills up to seven."""
    mappings = (Mapping(stream=STREAM, field=f, expression=key) for f, key in _MAPPINGS.items())
    return Schema(version=1, fields=_FIELDS, mappings=tuple(mappings), ranks=("user_id",))


def audiences() -> list[Audience]:
    """Return fifty audiences; the first ten read what an event changes."""
    changing = [f"FILTER visits >= {bound}" for bound in (2, 10, 25, 50)]
    changing += [f"FILTER AND (spent > {bound}, plan = 'gold')" for bound in (250, 1_000, 5_000)]
    changing += ['FILTER last_visit > "now-7d"', 'FILTER last_visit > "now-30d"']
    changing += ['FILTER OR (spent > 900, AND (visits > 20, city = "Porto"))']
    still = [
        f'FILTER AND (score_{number % 10} > {number * 2}, city = "{CITIES[number % 10]}")'
        for number in range(_AUDIENCES - _READERS)
    ]
    return [_audience(number, text) for number, text in enumerate([*changing, *still], start=1)]


def everybody() -> Audience:
    """Return an audience that a profile enters with its first event."""
    return _audience(1, "FILTER EXISTS user_id")


def put_account(tx: Transaction, members: Iterable[Audience]) -> str:
    """Store the account with its schema and audiences; return a token's text."""
    tx.catalog.put(
        ACCOUNT, f"{ACCOUNT:032x}", Account(number=ACCOUNT, id=f"{ACCOUNT:032x}", name="benchmark")
    )
    tx.catalog.put(ACCOUNT, "1", schema())
    for audience in members:
        tx.catalog.put(ACCOUNT, audience.id, audience)
    return put_token(tx, ACCOUNT, "benchmark", Scope.ADMIN, NOW)[1]


def put_job(tx: Transaction, number: int, url: str, template: str = "") -> Job:
    """Store a job of the first audience with a destination of its own."""
    origin = url.split("/", 3)
    tx.catalog.put(
        ACCOUNT,
        str(number),
        Destination(number=number, account=ACCOUNT, authorization="", origin_url="/".join(origin[:3])),
    )
    job = Job(
        id=f"{number:032x}",
        account=ACCOUNT,
        name=f"job {number}",
        workflow="webhook_triggers",
        config={"webhook_url": url, "segment_ids": [everybody().id], "template_id": template},
        destination=number,
    )
    tx.catalog.put(ACCOUNT, job.id, job)
    return job


def profile(number: int) -> Profile:
    """Return a stored profile of twenty fields that has been here for a while."""
    user, visits = user_id(number), number % 30 + 1
    fields: dict[str, JsonValue] = {
        "user_id": user,
        "visits": visits,
        "spent": visits * 40.5,
        "last_visit": NOW - number % 6 * DAY,
        "last_sku": f"A-{number % 97:04}",
        "email": f"{user}@example.com",
        "first_name": "Robin",
        "last_name": "de Vries",
        "city": CITIES[number % 10],
        "plan": "gold" if number % 5 == 0 else "basic",
        **{f"score_{place}": (number * (place + 3)) % 100 for place in range(10)},
    }
    stamp = (NOW - 90 * DAY, 1)
    return Profile(
        number,
        f"{number:032x}",
        fields=fields,
        stamps=dict.fromkeys(("last_sku", "email", "city"), stamp),
        identifiers={"user_id": {user: NOW - 90 * DAY}},
        created=NOW - 90 * DAY,
        modified=NOW,
        events=visits,
        streams={STREAM: visits},
        trail=list(range(1, 1 + number % 30)),
    )


def stage_of(
    log: SqliteLog, store: SqliteStore, clock: Clock, surveyor: Surveyor | None = None
) -> ApplyStage:
    """Return apply over a log and a store, with nobody to tell of deliveries."""
    eraser = Eraser(log, store, KeyRing([new_key()]), clock)
    return ApplyStage(log, store, clock, lambda _: None, eraser, surveyor)


def user_id(number: int) -> str:
    """Return the identifier of a stored profile."""
    return f"user-{number:07}"


def stored_profiles(count: int) -> Path:
    """Return a state file with this many profiles, their audiences evaluated; made once and kept."""
    path = CACHE / f"profiles-{count}-{_FIXTURE}"
    if path.is_file():
        return path
    progress(f"  writing {count:,} profiles, once")
    CACHE.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    store = SqliteStore(fresh)
    store.write_blocking(lambda tx: put_account(tx, audiences()))
    plan = AccountPlan(schema(), audiences(), (), set())
    for first in range(1, count + 1, _CHUNK):
        numbers = range(first, min(first + _CHUNK, count + 1))
        store.write_blocking(partial(_put_profiles, plan=plan, numbers=numbers))
    store.close()
    fresh.rename(path)
    return path


def stored_past(count: int) -> Path:
    """Return a state file with this many profiles of one event each day for five days, `log` beside it; kept too."""
    folder = CACHE / f"past-{count}-{_FIXTURE}"
    if not folder.is_dir():
        progress(f"  writing {count:,} profiles with a past, once")
        fresh = folder.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        copied(stored_profiles(count), fresh)
        _put_past(fresh, count)
        fresh.rename(folder)
    return folder / "state"


def copied(source: Path, folder: Path) -> Path:
    """Return a copy of a state file in a folder of its own, with the log that lies beside it if there is one."""
    folder.mkdir()
    log = source.with_name("log")
    if log.is_file():
        shutil.copyfile(log, folder / "log")
    return Path(shutil.copyfile(source, folder / "state"))


def _put_profiles(tx: Transaction, plan: AccountPlan, numbers: Iterable[int]) -> None:
    saved = []
    crossed = []
    for _ in numbers:
        one = profile(tx.profiles.allocate())
        transitions = evaluate(plan, one, plan.audiences, NOW)
        one.timer = min(one.due.values(), default=0)
        crossed += [(one.number, transition) for transition in transitions]
        saved.append(one)
    first = tx.memberships.reserve(len(crossed))
    changes = ProfileChanges(
        saved=saved,
        identified={("user_id", user_id(one.number)): one.number for one in saved},
        crossed=[Crossed(number, transition, first + at) for at, (number, transition) in enumerate(crossed)],
        timers={one.number: (0, one.timer) for one in saved if one.timer},
    )
    changes.identified |= {("_id", one.id): one.number for one in saved}
    tx.profiles.save(ACCOUNT, changes)
    tx.ledger.advance(0, NOW)


def _put_past(folder: Path, count: int) -> None:
    """Write the events of every profile, day by day, and have each know of its own."""
    clock = HandClock(NOW - _DAYS * DAY)
    log, store = SqliteLog(folder / "log", clock), SqliteStore(folder / "state")
    firsts = []
    for _ in range(_DAYS):
        clock.move(clock.audience() + DAY)
        before = log.head()
        for first in range(1, count + 1, _CHUNK):
            numbers = range(first, min(first + _CHUNK, count + 1))
            log.append(ACCOUNT, [Submission(STREAM, 0, _visit(number)) for number in numbers]).result()
        firsts.append(log.read(before, 1)[0].id)
    for first in range(0, count, _CHUNK):
        store.write_blocking(partial(_put_trails, firsts=firsts, after=first))
    store.write_blocking(lambda tx: tx.ledger.advance(log.head(), NOW))
    log.close()
    store.close()


def _visit(number: int) -> bytes:
    return orjson.dumps({"user_id": user_id(number), "sku": f"A-{number % 97:04}", "price": number % 40})


def _put_trails(tx: Transaction, firsts: list[int], after: int) -> None:
    changed = tx.profiles.scan(ACCOUNT, after, _CHUNK)
    for one in changed:
        one.trail = [first + one.number - 1 for first in firsts]
    tx.profiles.save(ACCOUNT, ProfileChanges(saved=changed))


def _audience(number: int, text: str) -> Audience:
    return Audience(
        number=number,
        id=f"{number:032x}",
        account=ACCOUNT,
        name=f"Audience {number}",
        slug=f"audience_{number}",
        filter=text,
    )
