"""What applying a document did, or would do."""

from typing import Literal

import msgspec

Action = Literal["create", "update", "delete", "unchanged"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to one thing; details never hold a secret."""

    action: Action
    kind: str
    """`account`, `schema`, `audience`, `template`, `authorization` or `job`."""
    name: str
    details: list[str] = []


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Every change, in the order it is made, and what a person should know."""

    changes: list[Change] = []
    warnings: list[str] = []

    @property
    def changed(self) -> bool:
        """Whether anything differs."""
        return any(change.action != "unchanged" for change in self.changes)
