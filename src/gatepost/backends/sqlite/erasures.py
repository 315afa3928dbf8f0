"""Erasures in SQLite; see `ports.erasures`."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from gatepost.backends.sqlite.days import DayTables
from gatepost.backends.sqlite.merges import merge_of, packed
from gatepost.backends.sqlite.queries import load_queries
from gatepost.core.erasing import reduced
from gatepost.model.erasure import EraseStep, Erasure
from gatepost.model.profile import Identifier
from gatepost.model.times import Instant
from gatepost.ports.erasures import Slice

_SQL = load_queries("erasures.sql")
_OUTBOX = load_queries("outbox.sql")
_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Erasure).decode

_ROWS = 5_000
"""Finished deliveries or log lines a look takes: some ten milliseconds."""
_MERGES = 200
"""Merges a look takes; each carries two profiles."""


class SqliteErasures:
    """Erasures inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._days = DayTables(connection)

    def put(self, erasure: Erasure, work: bytes | None = None) -> None:
        """Store an erasure."""
        self._connection.execute(_SQL["put"], (erasure.account, erasure.id, _ENCODE(erasure), work))

    def get(self, account: int, id_: str) -> Erasure | None:
        """Return one erasure."""
        row = self._connection.execute(_SQL["get"], (account, id_)).fetchone()
        return _DECODE(row[0]) if row else None

    def work(self, account: int, id_: str) -> bytes:
        """Return what an erasure still has to look for."""
        return bytes(self._connection.execute(_SQL["work"], (account, id_)).fetchone()[0])

    def newest(self, account: int, limit: int) -> list[Erasure]:
        """Return erasures, newest first."""
        rows = self._connection.execute(_SQL["newest"], (account, limit))
        return [_DECODE(document) for (document,) in rows]

    def exclude(self, account: int, hashes: Collection[str], until: Instant) -> None:
        """Keep old events out."""
        self._connection.executemany(_SQL["exclude"], [(account, hash_, until) for hash_ in hashes])
        self._connection.execute(_SQL["exclude_until"], (until,))

    def latest_exclusion(self) -> Instant:
        """Return the latest instant anything is excluded up to."""
        return int(self._connection.execute(_SQL["latest_exclusion"]).fetchone()[0])

    def excluded(self, account: int, hashes: Sequence[str], at: Instant) -> bool:
        """Say whether an event stays out."""
        execute = self._connection.execute
        return any(execute(_SQL["excluded"], (account, hash_, at)).fetchone() for hash_ in hashes)

    def doom(self, request: str, kind: str, keys: Collection[str]) -> None:
        """Remember what has to go."""
        self._connection.executemany(_SQL["doom"], [(request, kind, key) for key in keys])

    def doomed(self, request: str, kind: str, limit: int) -> list[str]:
        """Return some of what has to go."""
        return [key for (key,) in self._connection.execute(_SQL["doomed"], (request, kind, limit))]

    def spare(self, request: str, kind: str, keys: Collection[str]) -> None:
        """Forget what has gone."""
        self._connection.executemany(_SQL["spare"], [(request, kind, key) for key in keys])

    def remove_profile(
        self, account: int, number: int, identifiers: Collection[Identifier]
    ) -> Mapping[str, int]:
        """Remove a profile and what hangs on it."""
        execute = self._connection.execute
        counts: Counter[str] = Counter()
        execute(_SQL["remove_trails"], (account, number))
        counts["profiles"] = execute(_SQL["remove_profile"], (account, number)).rowcount
        for field, value in identifiers:
            gone = execute(_SQL["remove_identifier"], (account, field, value, number))
            counts["identifiers"] += gone.rowcount
        for (audience,) in execute(_SQL["audiences_of"], (account,)).fetchall():
            if execute(_SQL["leave"], (account, audience, number)).rowcount:
                execute(_SQL["shrink"], (account, audience))
                counts["memberships"] += 1
        return counts

    def remove_unfinished(self, erasure: Erasure) -> Mapping[str, int]:
        """Remove outbox rows, leased ones too."""
        execute = self._connection.execute
        rows: list[tuple[int, str, int, int]] = []
        for number in erasure.numbers:
            rows += execute(_SQL["unfinished"], (erasure.account, number)).fetchall()
        attempts = self._remove_attempts([id_ for _, id_, _, _ in rows])
        self.doom(erasure.id, "delivery", [id_ for _, id_, _, _ in rows])
        for seq, _, snapshot, _ in rows:
            execute(_SQL["remove_unfinished"], (seq,))
            execute(_OUTBOX["share_less"], (snapshot,))
            execute(_OUTBOX["drop_snapshot"], (snapshot,))
        self._let_go({seq: destination for seq, _, _, destination in rows})
        self._connection.executemany(_SQL["wait_no_more"], [(number,) for number in erasure.numbers])
        return {"deliveries": len(rows), "attempts": attempts}

    def _let_go(self, removed: Mapping[int, int]) -> None:
        """Let those go on who were parted from an erased person and waited for what is removed."""
        seqs = orjson.dumps(list(removed))
        for profile, seq in self._connection.execute(_OUTBOX["remove_parted"], (seqs,)).fetchall():
            self._connection.execute(_OUTBOX["promote"], (removed[seq], profile))

    def remove_finished(self, erasure: Erasure) -> Slice:
        """Remove finished deliveries from a piece of a day."""
        table, cursor = erasure.table, erasure.cursor
        tables = sorted(name for name in self._days.newest_first("finished") if name >= table)
        if not tables:
            return Slice(0)
        table, cursor = tables[0], cursor if tables[0] == table else 0
        rows = self._connection.execute(
            f"SELECT seq, id, account, profile FROM {table} WHERE seq > ? ORDER BY seq LIMIT ?",  # noqa: S608 - our own table names
            (cursor, _ROWS),
        ).fetchall()
        hers = [
            (seq, id_)
            for seq, id_, owner, profile in rows
            if owner == erasure.account and profile in erasure.numbers
        ]
        self._remove_attempts([id_ for _, id_ in hers])
        self.doom(erasure.id, "delivery", [id_ for _, id_ in hers])
        self._connection.executemany(f"DELETE FROM {table} WHERE seq = ?", [(seq,) for seq, _ in hers])  # noqa: S608 - our own table names
        if len(rows) == _ROWS:
            return Slice(len(hers), table, rows[-1][0])
        return Slice(len(hers), tables[1], 0) if len(tables) > 1 else Slice(len(hers))

    def remove_merges(self, erasure: Erasure, identifiers: Collection[Identifier]) -> Slice:
        """Remove merges from a piece of them."""
        rows = self._connection.execute(_SQL["merges"], (erasure.cursor, erasure.account, _MERGES)).fetchall()
        others, gone, bare = {*erasure.others}, [], []
        for merge in map(merge_of, rows):
            sides = {merge.survivor.number, merge.absorbed.number}
            if sides & {*erasure.numbers}:
                gone.append((merge.id,))
            elif less := reduced(merge, identifiers):
                bare.append((packed(less), merge.id))
            elif merge.absorbed.number not in others:
                continue
            others |= sides
        erasure.others = sorted(others - {*erasure.numbers})
        self._connection.executemany(_SQL["remove_merge"], gone)
        self._connection.executemany(_SQL["replace_merge"], bare)
        return Slice(len(gone) + len(bare), "", rows[-1][0] if len(rows) == _MERGES else None)

    def silence(self, table: str, rows: Collection[int]) -> None:
        """Blank what rows of a day's table said."""
        if not rows:
            return
        said = "body = NULL, entity = NULL" if table.startswith("finished") else "reason = '', answer = x''"
        key = "seq" if table.startswith("finished") else "rowid"
        query = f"UPDATE {table} SET {said} WHERE {key} = ?"  # noqa: S608 - our own table names
        self._connection.executemany(query, [(row,) for row in rows])

    def remove_lines(self, erasure: Erasure, texts: Collection[str]) -> Slice:
        """Remove job log lines from a piece of them."""
        rows = self._connection.execute(_SQL["lines"], (erasure.cursor, erasure.account, _ROWS)).fetchall()
        hers = [id_ for id_, document in rows if self._tells(erasure.id, orjson.loads(document), texts)]
        self._connection.executemany(_SQL["remove_line"], [(id_,) for id_ in hers])
        return Slice(len(hers), "", rows[-1][0] if len(rows) == _ROWS else None)

    def remove_poisons(self, account: int, texts: Collection[str]) -> int:
        """Blank what is said of events set aside."""
        rows = self._connection.execute(_SQL["poisons"], (account,)).fetchall()
        hers = [event for event, error in rows if _holds(error, texts)]
        self._connection.executemany(_SQL["blank_poison"], [(event,) for event in hers])
        return len(hers)

    def owner(self, delivery: str) -> tuple[int, int] | None:
        """Return the account and the profile of a delivery."""
        for table in ("outbox", *self._days.newest_first("finished")):
            query = f"SELECT account, profile FROM {table} WHERE id = ?"  # noqa: S608 - our own table names
            if row := self._connection.execute(query, (delivery,)).fetchone():
                return int(row[0]), int(row[1])
        return None

    def trace(self, erasure: Erasure) -> Mapping[str, int]:
        """Count what lies about without its owner, and what an erasure keeps for itself only while it is under way."""
        execute = self._connection.execute
        counts = {
            "snapshots": execute(_SQL["count_lost_snapshots"]).fetchone()[0],
            "doomed": execute(_SQL["count_doomed"], (erasure.id,)).fetchone()[0],
        }
        if erasure.step is EraseStep.DONE:
            counts["work"] = int(len(self.work(erasure.account, erasure.id)) > 0)
        return counts

    def _tells(self, request: str, line: dict[str, Any], texts: Collection[str]) -> bool:
        delivery = line.get("context", {}).get("delivery", "")
        if (
            delivery
            and self._connection.execute(_SQL["is_doomed"], (request, "delivery", delivery)).fetchone()
        ):
            return True
        return _holds(line.get("message", ""), texts)

    def _remove_attempts(self, deliveries: Collection[str]) -> int:
        rows = [(id_,) for id_ in deliveries]
        if not rows:
            return 0
        return sum(
            self._connection.executemany(f"DELETE FROM {table} WHERE delivery = ?", rows).rowcount  # noqa: S608 - our own table names
            for table in self._days.newest_first("attempts")
        )


def _holds(text: str, wanted: Collection[str]) -> bool:
    plain = text.casefold()
    return any(one.casefold() in plain for one in wanted)
