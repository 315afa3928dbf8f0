"""Merges and what undoing one makes of it, for people."""

from collections.abc import Iterable
from typing import Any

from gatepost.cli.output import Output, moment, short_id

_NAMED = 3
"""Identifiers shown of a profile."""


def show_merges(out: Output, merges: Iterable[dict[str, Any]]) -> None:
    """Print merges as `GET /v2/merge/{identifier}` gives them."""
    rows = (
        (
            merge["id"],
            moment(merge["at"]),
            _named(merge["survivor"]),
            _named(merge["absorbed"]),
            moment(merge["undone"]) or "-",
        )
        for merge in merges
    )
    columns = (">merge", "time", "survivor", "absorbed", "undone")
    out.table(columns, rows, empty="This profile was never merged, or the merges are not kept any more.")


def show_undoing(out: Output, undoing: dict[str, Any]) -> None:
    """Print both results of undoing a merge as `POST /v2/merge/{id}/undo` gives them."""
    for title, side in (("keeps the id", undoing["survivor"]), ("is its own again", undoing["revived"])):
        profile = side["profile"]
        out.heading(f"{short_id(profile['_id'])} {title}")
        out.facts(
            (
                *((name, value) for name, value in profile.items() if not name.startswith("_")),
                ("events", profile.get("_num_events")),
                ("audiences", profile.get("_segments")),
                ("would enter", side["enters"]),
                ("would leave", side["leaves"]),
            )
        )


def _named(side: dict[str, Any]) -> str:
    values = [f"{name}={value}" for name, held in side["identifiers"].items() for value in held]
    shown = ", ".join(values[:_NAMED]) or short_id(side["_id"])
    return f"{shown} ..." if len(values) > _NAMED else shown
