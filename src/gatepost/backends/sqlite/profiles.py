"""Profiles, identifiers, memberships and timers in SQLite; see `ports.profiles`."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec

from gatepost.backends.sqlite.queries import load_queries
from gatepost.model.audience import AudienceSize, Crossing, Member, SizeThen
from gatepost.model.profile import Identifier, Profile
from gatepost.model.times import HOUR, Instant
from gatepost.ports.profiles import Crossed, Due, ProfileChanges

_SQL = load_queries("profiles.sql")
_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Profile).decode
_DECODE_TRAIL = msgspec.msgpack.Decoder(list[int]).decode
_TOGETHER = 64
"""Rows that one query looks up: a call costs more than a row."""
_SQL_TOGETHER = {
    name: sql.replace("IN (?)", f"IN ({', '.join('?' * _TOGETHER)})") for name, sql in _SQL.items()
}
_TRAIL = 64
"""Event ids a profile carries before the older half is spilled; a spill costs a row."""


class SqliteProfiles:
    """Profiles inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def find(self, account: int, identifiers: Collection[Identifier]) -> dict[Identifier, int]:
        """Return the profile numbers of known identifiers."""
        by_field: dict[str, list[str]] = {}
        for field, value in identifiers:
            by_field.setdefault(field, []).append(value)
        return {
            (field, value): number
            for field, values in by_field.items()
            for value, number in self._among("find", (account, field), sorted(values))
        }

    def load(self, account: int, numbers: Collection[int]) -> dict[int, Profile]:
        """Return profiles by number."""
        rows = self._among("load", (account,), sorted(numbers))
        return {number: _DECODE(document) for number, document in rows}

    def allocate(self) -> int:
        """Return a fresh profile number."""
        return int(self._connection.execute(_SQL["allocate"]).fetchone()[0])

    def save(self, account: int, changes: ProfileChanges) -> None:
        """Write a batch's changes."""
        self._spill(account, changes.saved)
        self._many("save", [(account, p.number, _ENCODE(p)) for p in changes.saved])
        self._many("remove", [(account, number) for number in changes.removed])
        self._identify(account, changes.identified)
        self._save_timers(account, changes.timers)
        for absorbed, survivor in changes.renumbered.items():
            self._rekey(account, absorbed, survivor, changes.at)
        for survivor, revived in changes.divided.items():
            self._divide(account, survivor, revived, changes.at)
        self._save_crossed(account, changes.crossed)

    def scan(self, account: int, after: int, limit: int) -> list[Profile]:
        """Return profiles in order of number."""
        rows = self._connection.execute(_SQL["scan"], (account, after, limit))
        return [_DECODE(document) for (document,) in rows]

    def trail(self, account: int, number: int) -> list[int]:
        """Return the ids of a profile's older events."""
        rows = self._connection.execute(_SQL["trail"], (account, number))
        return [id_ for (events,) in rows for id_ in _DECODE_TRAIL(events)]

    def count(self, account: int) -> int:
        """Count profiles."""
        return int(self._connection.execute(_SQL["count"], (account,)).fetchone()[0])

    def last(self, account: int) -> int:
        """Return the highest number of a profile."""
        return int(self._connection.execute(_SQL["last"], (account,)).fetchone()[0] or 0)

    def due(self, until: Instant, limit: int) -> list[Due]:
        """Return wake-ups up to an instant."""
        return [Due(*row) for row in self._connection.execute(_SQL["due"], (until, limit))]

    def next_due(self) -> Instant | None:
        """Return the earliest wake-up."""
        row = self._connection.execute(_SQL["next_due"]).fetchone()
        return row[0] if row else None

    def _among(self, query: str, scope: tuple[Any, ...], keys: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query whose last condition is `IN (?)`, for any number of keys.

        The statement comes in two sizes, so that it stays prepared; a short end repeats its last key.
        """
        sql, size = (_SQL[query], 1) if len(keys) == 1 else (_SQL_TOGETHER[query], _TOGETHER)
        for start in range(0, len(keys), size):
            chunk = keys[start : start + size]
            padding = [chunk[-1]] * (size - len(chunk))
            yield from self._connection.execute(sql, (*scope, *chunk, *padding))

    def _spill(self, account: int, profiles: Collection[Profile]) -> None:
        rows = []
        for profile in profiles:
            if len(profile.trail) > _TRAIL:
                older, profile.trail = profile.trail[: -_TRAIL // 2], profile.trail[-_TRAIL // 2 :]
                rows.append((account, profile.number, older[0], _ENCODE(older)))
        self._many("spill", rows)

    def _identify(self, account: int, identified: dict[Identifier, int | None]) -> None:
        leading = [(account, *key, number) for key, number in identified.items() if number is not None]
        self._many("identify", leading)
        self._many("release", [(account, *key) for key, number in identified.items() if number is None])

    def _save_timers(self, account: int, timers: dict[int, tuple[Instant, Instant]]) -> None:
        self._many("remove_timer", [(old, account, profile) for profile, (old, _) in timers.items() if old])
        self._many("add_timer", [(new, account, profile) for profile, (_, new) in timers.items() if new])

    def _many(self, query: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            self._connection.executemany(_SQL[query], rows)

    def _rekey(self, account: int, absorbed: int, survivor: int, at: Instant) -> None:
        self._connection.execute(_SQL["rekey_trails"], (survivor, account, absorbed))
        for (audience,) in self._connection.execute(_SQL["audiences_of"], (account,)).fetchall():
            key = (survivor, account, absorbed, audience)
            self._connection.execute(_SQL["rekey_memberships"], key)
            left = self._connection.execute(_SQL["leave"], (account, audience, absorbed))
            if left.rowcount:
                # Both sides were members: one person now, so the audience is one smaller.
                self._resize(at, [(account, audience, -1, 0, 0)])

    def _divide(self, account: int, survivor: int, revived: int, at: Instant) -> None:
        """Give a parted profile the memberships of the one it was part of; both write their trails anew."""
        execute = self._connection.execute
        execute(_SQL["forget_trails"], (account, survivor))
        for (audience,) in execute(_SQL["audiences_of"], (account,)).fetchall():
            if execute(_SQL["divide_memberships"], (revived, account, audience, survivor)).rowcount:
                self._resize(at, [(account, audience, 1, 0, 0)])

    def _save_crossed(self, account: int, crossed: list[Crossed]) -> None:
        if not crossed:
            return
        many = self._connection.executemany
        last: dict[tuple[int, int], Crossed] = {(c.transition.audience, c.profile): c for c in crossed}
        enters = [c for c in last.values() if c.transition.crossing is Crossing.ENTER]
        exits = [c for c in last.values() if c.transition.crossing is Crossing.EXIT]
        many(
            _SQL["enter"],
            [(account, c.transition.audience, c.profile, c.transition.at, c.order) for c in enters],
        )
        many(_SQL["leave"], [(account, c.transition.audience, c.profile) for c in exits])
        counted = Counter(
            (c.transition.at // HOUR, c.transition.audience, c.transition.crossing) for c in crossed
        )
        for hour in sorted({hour for hour, _, _ in counted}):
            rows = []
            for audience in {audience for of, audience, _ in counted if of == hour}:
                came, went = (counted[hour, audience, way] for way in (Crossing.ENTER, Crossing.EXIT))
                rows.append((account, audience, came - went, came, went))
            self._resize(hour * HOUR, rows)

    def _resize(self, at: Instant, rows: list[tuple[int, int, int, int, int]]) -> None:
        """Change audiences' counts, and note what they are in the hour of an instant."""
        self._many("resize", rows)
        self._many("note_size", [(at - at % HOUR, account, audience) for account, audience, *_ in rows])


class SqliteMemberships:
    """Memberships inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def members(self, account: int, audience: int, after: int, limit: int) -> list[Member]:
        """Return members in order of profile number."""
        rows = self._connection.execute(_SQL["members"], (account, audience, after, limit))
        return [Member(*row) for row in rows]

    def sizes(self, account: int) -> dict[int, AudienceSize]:
        """Return counts by audience number."""
        rows = self._connection.execute(_SQL["sizes"], (account,))
        return {audience: AudienceSize(*counts) for audience, *counts in rows}

    def history(self, account: int, audience: int, since: Instant) -> list[SizeThen]:
        """Return counts over time."""
        key = (account, audience)
        return [SizeThen(*row) for row in self._connection.execute(_SQL["history"], (*key, *key, since))]

    def prune_history(self, before: Instant, limit: int) -> int:
        """Drop old hours."""
        return self._connection.execute(_SQL["prune_history"], (before, before, limit)).rowcount

    def last_order(self) -> int:
        """Return the number of transitions so far."""
        return int(self._connection.execute(_SQL["last_order"]).fetchone()[0])

    def reserve(self, count: int) -> int:
        """Reserve places for transitions; return the first."""
        return int(self._connection.execute(_SQL["reserve"], (count,)).fetchone()[0]) - count + 1

    def forget(self, account: int, audience: int) -> None:
        """Drop an audience's lists and counts."""
        self._connection.execute(_SQL["forget_members"], (account, audience))
        self._connection.execute(_SQL["forget_size"], (account, audience))
        self._connection.execute(_SQL["forget_history"], (account, audience))
