"""The seam to the store: profiles, outbox, catalog and log position, changed together or not at all."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from gatepost.ports.catalog import Catalog, Ledger
from gatepost.ports.contents import Contents
from gatepost.ports.erasures import Erasures
from gatepost.ports.merges import Merges
from gatepost.ports.outbox import Deliveries, Outbox
from gatepost.ports.profiles import Memberships, Profiles
from gatepost.ports.remains import Remains

T = TypeVar("T")


class Transaction(Protocol):
    """One unit of work; what it did is durable once `write` returns, and undone when the work raises."""

    @property
    def profiles(self) -> Profiles:
        """Profiles by identifier."""

    @property
    def memberships(self) -> Memberships:
        """Who is in which audience."""

    @property
    def outbox(self) -> Outbox:
        """Deliveries waiting to leave."""

    @property
    def deliveries(self) -> Deliveries:
        """Deliveries to look at."""

    @property
    def catalog(self) -> Catalog:
        """What is configured."""

    @property
    def merges(self) -> Merges:
        """What is remembered of merges."""

    @property
    def erasures(self) -> Erasures:
        """Who was erased, and who is being erased."""

    @property
    def ledger(self) -> Ledger:
        """The store's own books."""


class Store(Protocol):
    """Runs work in transactions. Work must be quick and must not block on anything else."""

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run work that writes; neighbours may share its commit."""

    def write_blocking(self, work: Callable[[Transaction], T]) -> T:
        """Run work that writes from a thread that is not the event loop's."""

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run work that only reads, on a snapshot, beside the writer."""

    @property
    def contents(self) -> Contents:
        """Everything its file stores."""

    @property
    def remains(self) -> Remains:
        """The bytes of its file."""

    def close(self) -> None:
        """Finish what was begun and close."""
