"""Whom an erasure means, and what of her is in an event of somebody else."""

from collections.abc import Callable, Collection, Iterable
from urllib.parse import quote

import msgspec
import orjson

from gatepost.core.contents import PACKED
from gatepost.model.event import Event
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.merge import Merge
from gatepost.model.profile import Identifier, Profile

SHORTEST = 6
"""Characters from which on a text is taken for the identifier it equals, wherever it stands."""


def leading_to(profile: Profile) -> list[Identifier]:
    """Return everything that leads to a profile."""
    own = [(name, value) for name, values in profile.identifiers.items() for value in values]
    return [*own, *(("_id", id_) for id_ in [profile.id, *profile.aliases])]


def family(profile: Profile, merges_of: Callable[[int], Iterable[Merge]]) -> list[Profile]:
    """Return a profile and all that were merged into it, as they were; merges that were undone do not count."""
    found, open_ = [profile], [profile.number]
    while open_:
        for merge in merges_of(open_.pop()):
            if not merge.undone:
                found.append(merge.absorbed)
                open_.append(merge.absorbed.number)
    return found


def reduced(merge: Merge, identifiers: Collection[Identifier]) -> Merge | None:
    """Return a merge that was undone without what its profiles held, when one held an identifier of hers; else None.

    What is left of it tells who was kept apart from whom, so that it can still be lifted.
    """
    hers = frozenset(identifiers)
    sides = (merge.survivor, merge.absorbed)
    if not merge.undone or all(hers.isdisjoint(leading_to(side)) for side in sides):
        return None
    bare = [
        Profile(side.number, side.id, aliases=[one for one in side.aliases if ("_id", one) not in hers])
        for side in sides
    ]
    return msgspec.structs.replace(merge, survivor=bare[0], absorbed=bare[1], trail=[])


class Traces:
    """Recognises the identifiers of one person in text."""

    def __init__(self, identifiers: Iterable[Identifier]) -> None:
        self.identifiers = frozenset(identifiers)
        values = {value.casefold() for _, value in self.identifiers if value}
        self._exact = values
        self._long = {one for one in values if len(one) >= SHORTEST}
        self.texts = sorted(
            {form for one in values if len(one) >= SHORTEST for form in (one, quote(one, safe=""))}
        )
        """What is looked for inside longer texts, in lower case."""
        self.raw = [text.lower().encode() for text in {*self.texts, *values}]
        """The same as bytes, the short ones too."""
        self._long_raw = [text.lower().encode() for text in self.texts]
        # Bytes are compared without regard to the case of ASCII letters alone.
        self._plain = all(one.isascii() for one in values)

    def without(self, event: Event, identified: Callable[[Event], Collection[Identifier]]) -> bytes | None:
        """Return an event's body without her identifiers; None when nothing of it can be kept.

        The body itself is returned when there is nothing to take out. A short one, such as 42, is taken out of an
        event only where it identifies her there: `identified` tells what identifies anybody in an event.
        """
        body = event.body
        plain = body.lower()
        if self._plain and b"\\" not in body and not any(text in plain for text in self.raw):
            return body
        try:
            value: JsonValue = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None if any(text.encode() in plain for text in self.texts) else body
        exact = self._long
        if len(exact) < len(self._exact) and not self.identifiers.isdisjoint(identified(event)):
            exact = self._exact
        kept = self._kept(value, exact)
        return body if kept == value else orjson.dumps(kept)

    def in_text(self, text: str) -> bool:
        """Say whether a text is, or holds, one of her identifiers; short ones are never looked for."""
        return self._is_in(text, self._long)

    def may_be_in(self, cell: bytes) -> bool:
        """Say whether bytes may hold one of her identifiers, without reading what they mean."""
        if not self._plain or cell[:1] == PACKED or b"\\" in cell:
            return True
        plain = cell.lower()
        return any(text in plain for text in self._long_raw)

    def _is_in(self, text: str, exact: Collection[str]) -> bool:
        plain = text.casefold()
        return plain in exact or any(one in plain for one in self.texts)

    def _kept(self, value: JsonValue, exact: Collection[str]) -> JsonValue:
        if isinstance(value, dict):
            return {
                key: self._kept(inner, exact)
                for key, inner in value.items()
                if not self._is_in(key, exact) and not self._names(inner, exact)
            }
        if isinstance(value, list):
            return [self._kept(inner, exact) for inner in value if not self._names(inner, exact)]
        return value

    def _names(self, value: JsonValue, exact: Collection[str]) -> bool:
        if isinstance(value, bool | None | dict | list):
            return False
        return self._is_in(value if isinstance(value, str) else str(value), exact)
