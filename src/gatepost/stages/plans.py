"""The compiled configuration of every account, rebuilt when the catalog's version moves."""

from collections.abc import Mapping

from gatepost.core.plans import EMPTY_PLAN, AccountPlan
from gatepost.core.versions import Versions
from gatepost.model.audience import Audience
from gatepost.model.catalog import Account, Destination, Job
from gatepost.model.schema import Schema
from gatepost.ports.store import Transaction


class PlanBook:
    """Plans by account number, as of the newest catalog seen; one book per thread that reads it."""

    def __init__(self) -> None:
        self._version = -1
        self._plans: dict[int, AccountPlan] = {}
        self._versions: dict[int, Versions] = {}
        self._behind: dict[int, Versions] = {}
        self.until: int | None = None
        """The last record these plans may fold, when a later version waits for those behind it."""

    def current(self, tx: Transaction, first: int = 0) -> dict[int, AccountPlan]:
        """Return the plans as of this transaction, to fold records from `first` on; 0 is the next of the log."""
        self._refresh(tx)
        if self._behind:
            return self._earlier(first or tx.ledger.position()[0] + 1)
        return self._plans

    def versions(self, tx: Transaction, account: int) -> Versions:
        """Return the versions of an account's schema, compiled as events ask for them."""
        self._refresh(tx)
        if account not in self._versions:
            self._versions[account] = VersionBook(tx, self._plans).of(account)
        return self._versions[account]

    def waits(self, account: int) -> bool:
        """Say whether an account's newest schema waits until older records are folded."""
        return account in self._behind

    def _earlier(self, first: int) -> dict[int, AccountPlan]:
        """Return the plans under which older records are folded that a newer version found in the log."""
        ends = {account: versions.until(first) for account, versions in self._behind.items()}
        self._behind = {one: versions for one, versions in self._behind.items() if ends[one] is not None}
        self.until = min((end for end in ends.values() if end is not None), default=None)
        return self._plans | {one: versions.folding(first) for one, versions in self._behind.items()}

    def _refresh(self, tx: Transaction) -> None:
        version = tx.catalog.version()
        if version != self._version:
            earlier = self._plans
            self._plans = {
                account.number: _plan(tx, account.number, earlier.get(account.number, EMPTY_PLAN))
                for account in tx.catalog.list(Account)
            }
            self._version = version
            position, _ = tx.ledger.position()
            self._versions = {}
            book = VersionBook(tx, self._plans)
            self._behind = {
                account: book.of(account)
                for account, plan in self._plans.items()
                if plan.schema.after > position
            }
            self.until = None


class VersionBook:
    """The versions of every account's schema, read when the past of one is folded again."""

    def __init__(self, tx: Transaction, plans: Mapping[int, AccountPlan]) -> None:
        self._tx = tx
        self._plans = plans
        self._versions: dict[int, Versions] = {}

    def of(self, account: int) -> Versions:
        """Return the versions of an account's schema, for the audiences of today."""
        if account not in self._versions:
            published = self._tx.catalog.list(Schema, account)
            self._versions[account] = Versions(self._plans.get(account, EMPTY_PLAN), published)
        return self._versions[account]


def _plan(tx: Transaction, account: int, earlier: AccountPlan) -> AccountPlan:
    schema = tx.catalog.newest(Schema, account) or Schema()
    stopped = {d.number for d in tx.catalog.list(Destination, account) if d.stopped}
    audiences = [audience for audience in tx.catalog.list(Audience, account) if not audience.gone]
    return earlier.renewed(schema, audiences, tx.catalog.list(Job, account), stopped)
