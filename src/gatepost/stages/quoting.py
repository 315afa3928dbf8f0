"""Whom a stored row is about, and whether it names somebody: what others hold of a person is theirs, and stays."""

from collections.abc import Callable, Collection, Iterable

import orjson

from gatepost.core.contents import texts_in
from gatepost.model.erasure import Erasure
from gatepost.ports.contents import StoredRow
from gatepost.ports.store import Transaction

READ = ("attempts", "catalog", "finished", "job_logs", "merges", "outbox", "profiles")
"""Kinds of rows that may quote somebody."""


def holds(row: StoredRow, says: Callable[[str], bool], may: Callable[[bytes], bool] = lambda _: True) -> bool:
    """Say whether any text of a row is one that `says` so; of bytes only those are read that `may` hold one."""
    cells = [cell for cell in row.cells.values() if isinstance(cell, str | bytes)]
    worth = [cell for cell in cells if isinstance(cell, str) or may(cell)]
    return any(says(text) for cell in worth for text in texts_in(cell))


def is_of(row: StoredRow, account: int) -> bool:
    """Say whether a row may be an account's; some tables do not tell."""
    return row.cells.get("account", account) == account


def owners(tx: Transaction, account: int, row: StoredRow) -> frozenset[int] | None:
    """Return the row keys of the profiles that a row is about; None when it belongs to another account."""
    cells = row.cells
    if row.kind == "merges":
        merge = tx.merges.get(account, _number(cells["id"]))
        return frozenset() if merge is None else frozenset((merge.survivor.number, merge.absorbed.number))
    if delivery := delivery_of(row):
        owner = tx.erasures.owner(delivery)
        if owner is None:
            return frozenset()
        return frozenset((owner[1],)) if owner[0] == account else None
    own = cells.get("number" if row.kind == "profiles" else "profile")
    return frozenset((own,)) if isinstance(own, int) else frozenset()


def delivery_of(row: StoredRow) -> str:
    """Return the id of the delivery that an attempt or a line of a job's log is about; empty when there is none."""
    if row.kind == "attempts":
        return str(row.cells["delivery"])
    document = row.cells.get("document")
    if row.kind != "job_logs" or not isinstance(document, bytes):
        return ""
    return str(orjson.loads(document).get("context", {}).get("delivery", ""))


def quoting(
    tx: Transaction, account: int, rows: Iterable[StoredRow], hers: Collection[int]
) -> list[StoredRow]:
    """Return those rows of others: she may have come back, and what is hers then quotes nobody."""
    found = [(row, owners(tx, account, row)) for row in rows]
    return [row for row, who in found if who is not None and who.isdisjoint(hers)]


def told_of_her(tx: Transaction, erasure: Erasure, rows: Iterable[StoredRow]) -> list[StoredRow]:
    """Return rows that name her and say what was sent for those who were one with her then: that was of her as well."""
    kept = [row for row in rows if row.kind in ("attempts", "finished")]
    found = [(row, owners(tx, erasure.account, row)) for row in kept]
    return [row for row, who in found if who and not who.isdisjoint(erasure.others)]


def row_key(row: StoredRow) -> int:
    """Return the key by which a finished delivery or an attempt is told from others of its day."""
    return _number(row.cells["seq" if row.kind == "finished" else "_place"])


def _number(cell: object) -> int:
    return cell if isinstance(cell, int) else 0
