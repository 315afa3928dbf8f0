"""What an account has now, and the plan that grows while a document is compared with it."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import msgspec

from gatepost.core.addresses import AllowList
from gatepost.model.audience import Audience, AudienceSize
from gatepost.model.catalog import Account, Authorization, Job, Template
from gatepost.model.schema import Schema
from gatepost.model.times import Instant
from gatepost.operations.configuration.problems import Problems
from gatepost.operations.configuration.report import Action, Change
from gatepost.operations.records import account_of, current_schema, live_audiences, live_jobs
from gatepost.operations.templates import current_templates
from gatepost.ports.store import Transaction

ORIGIN = "config"
"""What marks the things that a document made."""


class Moment(msgspec.Struct, frozen=True):
    """What a step of a plan has at hand when it is carried out."""

    tx: Transaction
    account: int
    allow: AllowList
    now: Instant
    """Wall time."""
    audience_time: Instant
    head: int
    """The last record of the log."""
    evaluate: dict[str, Audience]
    """Audiences to evaluate for everybody once all is written, by id."""
    leaving: set[str]
    """Ids of the audiences that go away."""
    opened: list[int]
    """Destinations that may have something to send now."""


Write = Callable[[Moment], object]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has, as of one version of the catalog."""

    version: int
    account: Account
    schema: Schema
    audiences: list[Audience]
    templates: list[Template]
    authorizations: list[Authorization]
    jobs: list[Job]
    sizes: dict[int, AudienceSize]
    """By the audience's number."""


def read_state(tx: Transaction, account: int) -> State:
    """Return what an account has."""
    return State(
        version=tx.catalog.version(),
        account=account_of(tx, account),
        schema=current_schema(tx, account),
        audiences=live_audiences(tx, account),
        templates=current_templates(tx, account),
        authorizations=tx.catalog.list(Authorization, account),
        jobs=live_jobs(tx, account),
        sizes=tx.memberships.sizes(account),
    )


class Shifting(msgspec.Struct, frozen=True):
    """Audiences whose rule or fields change, with all there will be."""

    affected: list[Audience]
    schema: Schema
    after: list[Audience]


class Draft:
    """A plan under construction: changes to show, writes to do, problems and warnings on the way."""

    def __init__(self, now: Instant) -> None:
        self.now = now
        """Audience time."""
        self.problems = Problems()
        self.changes: list[Change] = []
        self.warnings: list[str] = []
        self.risks: list[str] = []
        """What cannot be taken back, and so wants a confirmation."""
        self.shifting: Shifting | None = None
        """Stored audiences whose answer may differ."""
        self.leaving: set[str] = set()
        """Ids of the audiences that go away."""
        self._writes: list[Write] = []
        self._farewells: list[Write] = []

    @property
    def writes(self) -> Sequence[Write]:
        """Everything to do, in order; what goes away goes last, the users of a thing before the thing."""
        return [*self._writes, *reversed(self._farewells)]

    def change(self, action: Action, kind: str, name: str, details: Sequence[str] = ()) -> None:
        """Note what happens to a thing."""
        self.changes.append(Change(action=action, kind=kind, name=name, details=list(details)))

    def do(self, write: Write) -> None:
        """Add a write."""
        self._writes.append(write)

    def remove(self, kind: str, name: str, risk: str) -> None:
        """Note that a thing goes away, and what that means."""
        self.change("delete", kind, name)
        self.risks.append(risk)

    def part(self, write: Write) -> None:
        """Add a write that takes things away."""
        self._farewells.append(write)


class Named(Protocol):
    """Something that a document may have made."""

    @property
    def origin(self) -> str:
        """Who made it: `config` for a document."""


N = TypeVar("N", bound=Named)


def by_name(things: Sequence[N], name: str, name_of: Callable[[N], str]) -> N | None:
    """Return the thing of this name: the document's own first, else the oldest."""
    found = [thing for thing in things if name_of(thing) == name]
    return next((thing for thing in found if thing.origin == ORIGIN), found[0] if found else None)


def own(things: Sequence[N], kept: set[str], name_of: Callable[[N], str]) -> list[N]:
    """Return the things a document made and names no more."""
    return [thing for thing in things if thing.origin == ORIGIN and name_of(thing) not in kept]


def differences(pairs: dict[str, tuple[object, object]]) -> list[str]:
    """Return `... changed` for every pair that differs."""
    return [f"{name} changed" for name, (old, new) in pairs.items() if old != new]
