"""The parts of a running sandbox, put together."""

import time
from dataclasses import dataclass

from gatepost.model.times import SECOND, Instant
from gatepost.sandbox.insider.accounts import Account, Accounts, load_accounts
from gatepost.sandbox.insider.clock import SandboxClock
from gatepost.sandbox.insider.faults import Faults
from gatepost.sandbox.insider.journal import Journal
from gatepost.sandbox.insider.limits import RateWindow
from gatepost.sandbox.insider.options import SandboxOptions
from gatepost.sandbox.insider.profiles import Profiles
from gatepost.sandbox.insider.store import ProfileStore, Writer

_POOLS = {"delete": 10_000, "profile": 1_000}
"""Requests per minute of the calls that do not share the upsert counter."""


def wall_clock() -> Instant:
    """Return the real time."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Sandbox:
    """Everything the routes work on."""

    options: SandboxOptions
    accounts: Accounts
    store: ProfileStore
    profiles: Profiles
    writer: Writer
    journal: Journal
    faults: Faults
    rates: RateWindow
    clock: SandboxClock
    started: Instant

    def seconds_to_wait(self, account: Account, pool: str) -> int:
        """Count a request against its minute; return 0 when it may pass."""
        if self.options.rate_per_minute is None:
            return 0
        limit = _POOLS.get(pool, self.options.rate_per_minute)
        return self.rates.take(account.partner, pool, limit, time.monotonic())

    async def reset(self) -> None:
        """Forget profiles, requests, faults and rate windows, in memory and on disk."""
        self.profiles.clear()
        self.journal.clear()
        self.faults.clear()
        self.rates.clear()
        self.started = wall_clock()
        await self.writer.flush()


def open_sandbox(options: SandboxOptions) -> Sandbox:
    """Return a sandbox over its data folder; raise OperatorError when the folder cannot be used."""
    accounts = load_accounts(options.data / "accounts.json", options.usual_account())
    store = ProfileStore(options.data / "insider.sqlite3")
    profiles = store.load()
    return Sandbox(
        options=options,
        accounts=accounts,
        store=store,
        profiles=profiles,
        writer=Writer(store, profiles.take_changes),
        journal=Journal(options.requests_kept),
        faults=Faults(),
        rates=RateWindow(),
        clock=SandboxClock(wall_clock, manual=options.clock_manual),
        started=SECOND * (wall_clock() // SECOND),
    )
