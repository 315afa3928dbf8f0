"""What requests need of the catalog without reading it: tokens, accounts, and each stream's time field."""

import time

from gatepost.app import App
from gatepost.model.catalog import Account
from gatepost.model.schema import Schema
from gatepost.ports.store import Transaction

_LOOK_EVERY_SECONDS = 1.0

_TimeFields = dict[tuple[int, str], str]


class CatalogSnapshot:
    """A copy in memory: read anew after every change made here, and once a second for changes made elsewhere."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._version = -1
        self._looked = 0.0
        self._time_fields: _TimeFields = {}

    def time_field(self, account: int, stream: str) -> str:
        """Return the event field that holds a stream's time, empty when none is configured."""
        return self._time_fields.get((account, stream), "")

    async def look(self) -> None:
        """Refresh when the last look is a while ago."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_EVERY_SECONDS:
            # Set before the read, so that requests meanwhile go on with the copy they have.
            self._looked = now
            await self.refresh()

    async def refresh(self) -> None:
        """Read what changed."""
        await self._app.doorkeeper.refresh()
        version, time_fields = await self._app.store.read(self._read)
        if version > self._version:
            self._version, self._time_fields = version, time_fields

    def _read(self, tx: Transaction) -> tuple[int, _TimeFields]:
        version = tx.catalog.version()
        if version == self._version:
            return version, self._time_fields
        fields: _TimeFields = {}
        for account in tx.catalog.list(Account):
            newest = tx.catalog.newest(Schema, account.number) or Schema()
            fields |= {
                (account.number, s.name): s.timestamp_field for s in newest.streams if s.timestamp_field
            }
        return version, fields
