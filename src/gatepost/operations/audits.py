"""Whether a receipt still holds: every row of both files is read again for what an erasure took away.

A receipt has hashes only, so a person is recognised by the row keys of her profiles, by whole values and by the words
of longer texts. Who knows an identifier of hers can have every byte of the files searched for it as well.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache, partial

import msgspec

from gatepost.core.contents import words_of
from gatepost.core.erasing import SHORTEST, Traces
from gatepost.model.erasure import EraseStep, Erasure
from gatepost.model.errors import InvalidInput
from gatepost.model.profile import Profile
from gatepost.operations.context import Context
from gatepost.operations.erasures import get_erasure
from gatepost.ports.contents import Contents, Key, StoredRow
from gatepost.ports.remains import Remains
from gatepost.ports.store import Transaction
from gatepost.stages.excluding import identifier_hash, sealed_receipt, value_hash
from gatepost.stages.quoting import delivery_of, holds, is_of, owners

_LONGEST = 320
"""Characters beyond which a text is no identifier; the words of it may be."""
_CACHED = 100_000
_OWNED = frozenset(("finished", "identifiers", "memberships", "outbox", "profiles", "timers", "trails"))
"""Kinds of rows that name the profile they are of."""
_TOLD = frozenset(("attempts", "job_logs"))
"""Kinds of rows that name the delivery they are of."""
_PROFILES = 1_000
"""Profiles read at once."""
_BOUND = frozenset(("events", "identifiers", "poisons", "seen", "snapshots"))
"""Kinds of rows that quote nobody: newer ones came from a newer event, and snapshots go with their deliveries."""
_SEALED = frozenset(("erasures", "exclusions", "sqlite_schema", "sweep"))


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a receipt still holds."""

    erasure: Erasure
    genuine: bool
    """The receipt is the one that was written."""
    found: dict[str, int]
    """Rows that hold what was erased, by kind; `bytes` counts files. Empty when none does."""
    quoted: dict[str, int]
    """Rows of others that name her, by kind: they stay."""
    returned: bool
    """A newer event has made a profile with one of the identifiers."""
    searched: int = 0
    """Identifiers the auditor knew, for which every byte of the files was searched."""


async def audit(context: Context, account: int, request: str, known: Sequence[str] = ()) -> Audit:
    """Look again for everything an erasure took away; `known` are identifiers of hers that the auditor knows."""
    erasure = await get_erasure(context, account, request)
    for value in known:
        if value_hash(context.secrets, value) not in erasure.values:
            msg = "an identifier to search for is none of those the receipt is about, or shorter than six characters"
            raise InvalidInput(msg, path="known")
    done = erasure.step is EraseStep.DONE
    found, look = await _looked(context, erasure)
    if found:
        # What goes while it is read, by its age or for somebody else's erasure, is not found twice.
        again, look = await _looked(context, erasure)
        found &= again
    traces = Traces([("", value) for value in known])
    for remains in (context.store.remains, context.log.remains) if known else ():
        found["bytes"] += await asyncio.to_thread(_any_bytes, remains, traces.raw)
    return Audit(
        erasure=erasure,
        genuine=done and sealed_receipt(context.secrets, erasure) == erasure.digest,
        found={kind: amount for kind, amount in sorted(found.items()) if amount},
        quoted=dict(sorted(look.quoted.items())),
        returned=bool(look.back),
        searched=len(known),
    )


async def _looked(context: Context, erasure: Erasure) -> tuple[Counter[str], "_Look"]:
    """Read every row of both files once."""
    look = _Look(context, erasure)
    await look.profiles()
    for contents in (context.store.contents, context.log.contents):
        async for rows in _pieces(contents):
            await look.at(rows)
    lost = await context.store.read(lambda tx: tx.erasures.trace(erasure))
    return look.found + Counter(lost), look


async def _pieces(contents: Contents) -> AsyncIterator[list[StoredRow]]:
    """Yield every row of a file, some at a time."""
    for table in await asyncio.to_thread(contents.tables):
        after: Key | None = ()
        while after is not None:
            piece = await asyncio.to_thread(contents.rows, table, after)
            after = piece.next
            yield piece.rows


def _any_bytes(remains: Remains, texts: Sequence[bytes]) -> bool:
    """Read a file to its end for texts."""
    start: int | None = 0
    while start is not None:
        looked = remains.look(texts, start)
        if looked.found:
            return True
        start = looked.next
    return False


class _Look:
    """One look through all rows for one erased person."""

    def __init__(self, context: Context, erasure: Erasure) -> None:
        self._context = context
        self._erasure = erasure
        self._numbers = frozenset(erasure.numbers)
        self._says = lru_cache(_CACHED)(self._is_hers)
        self.back: set[int] = set()
        """Profiles that a newer event has made with an identifier of hers."""
        self.found: Counter[str] = Counter()
        self.quoted: Counter[str] = Counter()

    async def profiles(self) -> None:
        """Find the profiles that hold an erased identifier: they came back, or never went."""
        hashes, after = frozenset(self._erasure.hashes), 0
        account = self._erasure.account
        while found := await self._context.store.read(partial(_scanned, account, after)):
            after = found[-1].number
            for profile in found:
                own = [(field, value) for field, held in profile.identifiers.items() for value in held]
                if any(identifier_hash(self._context.secrets, one) in hashes for one in own):
                    newer = profile.created >= self._erasure.asked and profile.number not in self._numbers
                    self.found["identifiers"] += not newer
                    if newer:
                        self.back.add(profile.number)

    async def at(self, rows: Sequence[StoredRow]) -> None:
        """Look at some rows."""
        account = self._erasure.account
        mine = [row for row in rows if row.kind not in _SEALED and is_of(row, account)]
        naming = await asyncio.to_thread(self._naming, mine)
        if naming:
            await self._context.store.read(lambda tx: self._judge(tx, naming))

    def _naming(self, rows: Sequence[StoredRow]) -> list[tuple[StoredRow, bool]]:
        """Return the rows to judge, and whether each holds an identifier of hers."""
        held = [(row, holds(row, self._says)) for row in rows]
        return [(row, text) for row, text in held if text or row.kind == "merges" or self._is_owned(row)]

    def _is_owned(self, row: StoredRow) -> bool:
        """Say whether a row is, or may be, of one of her profiles or of a delivery of hers."""
        own = row.cells.get("number" if row.kind == "profiles" else "profile")
        return (row.kind in _OWNED and own in self._numbers) or bool(delivery_of(row))

    def _judge(self, tx: Transaction, naming: Sequence[tuple[StoredRow, bool]]) -> None:
        for row, text in naming:
            who = owners(tx, self._erasure.account, row)
            if who is None:
                continue
            if self._remains(row, text, who):
                self.found[row.kind] += 1
            elif text and row.kind not in _BOUND and who.isdisjoint(self.back):
                self.quoted[row.kind] += 1

    def _remains(self, row: StoredRow, text: bool, who: frozenset[int]) -> bool:
        """Say whether a row is something that had to go."""
        if not who.isdisjoint(self._numbers):
            return True
        if row.kind in _TOLD and delivery_of(row) and not who:
            # Attempts and lines go with their delivery, or before it.
            return True
        return text and self._is_older(row)

    def _is_older(self, row: StoredRow) -> bool:
        """Say whether a row that names her is of a kind, and a time, of which none was left."""
        cells, erasure = row.cells, self._erasure
        match row.kind:
            case "events":
                return int(str(cells["id"])) < erasure.record
            case "poisons":
                return int(str(cells["event"])) < erasure.record
            case "seen":
                return int(str(cells["received"])) < erasure.asked
            case "job_logs":
                return int(str(cells["at"])) < erasure.completed
            case "identifiers":
                known = (str(cells["field"]), str(cells["value"]))
                hers = identifier_hash(self._context.secrets, known) in erasure.hashes
                return hers and cells["profile"] not in self.back
        return False

    def _is_hers(self, text: str) -> bool:
        values, secrets = self._erasure.values, self._context.secrets
        return any(
            SHORTEST <= len(word) <= _LONGEST and value_hash(secrets, word) in values
            for word in words_of(text)
        )


def _scanned(account: int, after: int, tx: Transaction) -> list[Profile]:
    return tx.profiles.scan(account, after, _PROFILES)
