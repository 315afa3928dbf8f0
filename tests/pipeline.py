"""A small pipeline for tests: the real log, store and apply, with a clock moved by hand."""

import base64
from pathlib import Path
from typing import Any

from msgspec import structs

from gatepost.backends.clock import HandClock
from gatepost.backends.sqlite.log import SqliteLog
from gatepost.backends.sqlite.store import SqliteStore
from gatepost.model.audience import Audience
from gatepost.model.catalog import Account, Job, JobStatus
from gatepost.model.erasure import Withdrawn
from gatepost.model.profile import Profile
from gatepost.model.schema import Field, FieldType, Mapping, MergeOperator, Schema
from gatepost.model.times import Instant, Milliseconds, to_rfc3339
from gatepost.operations.schemas import publish
from gatepost.outbound.keyring import KeyRing
from gatepost.ports.catalog import Duty
from gatepost.ports.outbox import DeliveryFilter
from gatepost.ports.store import Transaction
from gatepost.ports.survey import Surveyor
from gatepost.stages.apply import ApplyStage
from gatepost.stages.erasing import Eraser
from tests.factories import ACCOUNT, make_submission

START: Instant = 1_700_000_000_000
KEY = base64.urlsafe_b64encode(b"k" * 32).decode()

SHOP = Schema(
    version=1,
    ranks=("user", "email", "cookie"),
    fields=(
        Field(name="user", identifier=True),
        Field(name="email", type=FieldType.STRINGS, identifier=True, merge=MergeOperator.MERGE),
        Field(name="cookie", type=FieldType.STRINGS, identifier=True, merge=MergeOperator.MERGE),
        Field(name="city"),
        Field(name="spend", type=FieldType.NUMBER, merge=MergeOperator.SUM),
        Field(name="visits", type=FieldType.INT, merge=MergeOperator.COUNT),
        Field(name="last_visit", type=FieldType.DATE, merge=MergeOperator.MAX),
        Field(name="products", type=FieldType.STRINGS, merge=MergeOperator.MERGE),
    ),
    mappings=(
        Mapping(stream="web", field="user", expression="user"),
        Mapping(stream="web", field="email", expression="email(email)"),
        Mapping(stream="web", field="cookie", expression="cookie"),
        Mapping(stream="web", field="city", expression="city"),
        Mapping(stream="web", field="spend", expression="tonumber(total)"),
        Mapping(stream="web", field="visits", expression="url"),
        Mapping(stream="web", field="last_visit", expression="now()"),
        Mapping(stream="web", field="products", expression="product", guard='event = "purchase"'),
    ),
)


def shop_with(field: Field, expression: str) -> Schema:
    """The shop's schema with one more field, filled from the stream `web`."""
    mapping = Mapping(stream="web", field=field.name, expression=expression)
    return structs.replace(SHOP, fields=(*SHOP.fields, field), mappings=(*SHOP.mappings, mapping))


class Pipeline:
    """Events in, deliveries in the outbox; `crash` forgets everything that is not on disk."""

    def __init__(self, folder: Path, clock: HandClock | None = None) -> None:
        self.folder = folder
        self.clock = clock or HandClock(START)
        self.store = SqliteStore(folder / "state")
        self.log = SqliteLog(folder / "log", self.clock, lambda: None)
        self.notified: list[frozenset[int]] = []
        self.keys = KeyRing([KEY])
        self.erased: list[Withdrawn] = []
        self.survey_with(None)

    def survey_with(self, surveyor: Surveyor | None) -> None:
        """Begin apply anew, with somebody who looks ahead for its walks."""
        eraser = Eraser(self.log, self.store, self.keys, self.clock, self.erased.append)
        self.apply = ApplyStage(self.log, self.store, self.clock, self.notified.append, eraser, surveyor)

    def configure(self, *filters: str, jobs: bool = True, schema: Schema = SHOP) -> None:
        """Declare audiences numbered from 1, and one job that watches them all."""

        def work(tx: Transaction) -> None:
            tx.catalog.put(ACCOUNT, "a" * 32, Account(number=ACCOUNT, id="a" * 32))
            tx.catalog.put(ACCOUNT, str(schema.version), schema)
            for number, text in enumerate(filters, start=1):
                tx.catalog.put(ACCOUNT, audience_id(number), make_audience(number, text))
            if jobs:
                tx.catalog.put(ACCOUNT, "j" * 32, make_job(len(filters)))

        self.store.write_blocking(work)

    def publish(self, schema: Schema) -> None:
        """Publish a version of the schema, as applying a document does."""
        stamped = structs.replace(schema, after=self.log.head(), since=self.clock.audience())
        self.store.write_blocking(lambda tx: publish(tx, ACCOUNT, stamped))

    def send(self, *, at: Instant = 0, key: str = "", **body: Any) -> None:
        """Append one event of the stream `web`."""
        self.log.append(ACCOUNT, [make_submission(at=at, key=key, **body)]).result()

    def settle(self) -> None:
        """Run turns until nothing is left to do."""
        while self.apply.run_once().more:
            pass

    def after(self, wait: Milliseconds) -> None:
        """Let audience time pass, and apply what it brings."""
        self.clock.move(self.clock.audience() + wait)
        self.log.append_clock(self.clock.audience()).result()
        self.settle()

    def add_duty(self, kind: str, audience: int, subject: str = "", before: int = 0) -> None:
        """Ask for a long walk."""
        duty = Duty(account=ACCOUNT, kind=kind, subject=subject, audience=audience, before=before)
        self.store.write_blocking(lambda tx: tx.ledger.add_duty(duty))

    def profiles(self) -> list[Profile]:
        """Every profile, in order of creation."""
        return self.store.write_blocking(lambda tx: tx.profiles.scan(ACCOUNT, 0, 10_000))

    def profile(self) -> Profile:
        """The only profile."""
        (profile,) = self.profiles()
        return profile

    def inside(self, audience: int = 1) -> list[str]:
        """The users in an audience, by the membership list."""
        members = self.store.write_blocking(lambda tx: tx.memberships.members(ACCOUNT, audience, 0, 10_000))
        by_number = {profile.number: profile for profile in self.profiles()}
        return [str(by_number[member.profile].fields.get("user")) for member in members]

    def triggers(self) -> list[tuple[str, int, str]]:
        """What is in the outbox, oldest first: crossing, audience, audience time."""
        wanted = DeliveryFilter(account=ACCOUNT, limit=100_000)
        listed = self.store.write_blocking(lambda tx: tx.deliveries.listed(wanted))
        return [
            (item.delivery.crossing.value, item.delivery.audience, to_rfc3339(item.delivery.at))
            for item in reversed(listed)
        ]

    def counters(self) -> dict[str, int]:
        """The account's counters."""
        return self.store.write_blocking(lambda tx: tx.ledger.counters(ACCOUNT))

    def close(self) -> None:
        """Close both files."""
        self.log.close()
        self.store.close()


def audience_id(number: int) -> str:
    """The id of the audience with a number."""
    return f"{number:032x}"


def make_audience(number: int, text: str, **given: Any) -> Audience:
    """An audience with the slug `a<number>`."""
    filter_ = text if text.startswith("FILTER") else f"FILTER {text}"
    slug = f"a{number}"
    return Audience(
        number=number, id=audience_id(number), account=ACCOUNT, name=slug, slug=slug, filter=filter_, **given
    )


def make_job(audiences: int, **config: Any) -> Job:
    """A running job that watches the first audiences, both ways."""
    watched = [audience_id(number) for number in range(1, audiences + 1)]
    honest: dict[str, Any] = {"segment_ids": watched, "webhook_url": "https://example.com/hook"}
    return Job(
        id="j" * 32,
        account=ACCOUNT,
        name="job",
        workflow="webhook_triggers",
        config=honest | config,
        destination=1,
        status=JobStatus.RUNNING,
    )
