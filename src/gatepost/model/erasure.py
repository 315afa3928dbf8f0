"""The erasure of a person: what was asked, how far it is, and the receipt that stays."""

from enum import StrEnum

import msgspec

from gatepost.model.profile import Identifier
from gatepost.model.times import Instant


class EraseStep(StrEnum):
    """What an erasure does one after the other; each may be begun again without harm."""

    ASKED = "asked"
    """The request is in the log, and what came before it is applied first."""
    EVENTS = "events"
    """Her events leave the log."""
    MENTIONS = "mentions"
    """Identifiers of hers leave the events of others."""
    DELIVERIES = "deliveries"
    """Finished deliveries go, with their attempts and answers."""
    MERGES = "merges"
    LINES = "lines"
    """Lines of job logs go, and what was said of events set aside."""
    QUOTES = "quotes"
    """What others hold is read for her identifiers: it stays, and the receipt says how much it is."""
    SWEEP = "sweep"
    """What deletion left in free pages is overwritten."""
    LOOK = "look"
    """The files are read byte by byte for her identifiers."""
    DONE = "done"


class EraseCommand(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record that erases a person; what names her is sealed, and blank once it is done."""

    request: str
    sealed: str = ""
    """Sealed JSON of an identifier, in base64."""


class Erasure(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One erasure. It never holds in clear what it erases: only keyed hashes, and counts."""

    id: str
    """The request's id: 32 hexadecimal digits."""
    account: int
    subject: str
    """The keyed hash of the identifier that was asked for."""
    asked: Instant
    """Audience time of the request: older events stay excluded."""
    record: int
    """The request's place in the log."""
    step: EraseStep = EraseStep.EVENTS
    cursor: int = 0
    """How far the step got."""
    table: str = ""
    """Where the step's cursor belongs to."""
    numbers: list[int] = []
    """Row keys of the profile and of those merged into it; never used again."""
    hashes: list[str] = []
    """Keyed hashes of her identifiers."""
    values: list[str] = []
    """Keyed hashes of the identifiers' values alone, for a later audit."""
    others: list[int] = []
    """Row keys of profiles that were one with her once, and of those they became part of."""
    counts: dict[str, int] = {}
    """How many of what went."""
    quoted: dict[str, int] = {}
    """How many rows of others name her, by kind: they are theirs, so they stay."""
    place: list[int | str] = []
    """Where in its table a walk through rows goes on."""
    failures: int = 0
    """How often the step failed in a row."""
    again: Instant = 0
    """When the step is tried again, in wall time; 0 while nothing is wrong."""
    trouble: str = ""
    """Why it failed."""
    completed: Instant = 0
    """Wall time."""
    digest: str = ""
    """Keyed hash over all of the above, by which a changed receipt is told."""

    def note(self, what: str, amount: int) -> None:
        """Count what went."""
        if amount:
            self.counts[what] = self.counts.get(what, 0) + amount


class Withdrawn(msgspec.Struct, frozen=True):
    """What may not be sent any more, because somebody was erased, though a worker may hold it."""

    profiles: frozenset[int] = frozenset()
    told_of_her: frozenset[tuple[int, int]] = frozenset()
    """Deliveries of others, by `seq` and snapshot, that were made while she was one with them."""

    def __or__(self, other: "Withdrawn") -> "Withdrawn":
        return Withdrawn(self.profiles | other.profiles, self.told_of_her | other.told_of_her)


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure under way still has to look for; it is kept sealed."""

    identifiers: list[Identifier] = []
