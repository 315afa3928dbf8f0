"""What a row of the page says of a request: whom it is about, and which values it brings or takes."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_IDENTIFIER = re.compile(r'"identifiers"\s*:\s*\{\s*"(?!custom")[^"]+"\s*:\s*"([^"]*)"')
"""The first identifier of a body of which only the beginning is kept."""
_MOST_VALUES = 6


class Digest(NamedTuple):
    """Empty where the body does not tell."""

    who: str = ""
    """The first identifier of the first user."""
    others: int = 0
    """How many users came with it."""
    values: tuple[tuple[str, str], ...] = ()
    """The first user's attributes, with the values a body sets or takes away."""


def digest_of(body: bytes) -> Digest:
    """Return what a body says; one that is cut or no JSON tells at most its first identifier."""
    text = body.decode(errors="replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        found = _IDENTIFIER.search(text)
        return Digest(found[1] if found else "")
    users = document.get("users", [document]) if isinstance(document, dict) else None
    if not isinstance(users, list) or not users or not isinstance(users[0], dict):
        return Digest()
    first: dict[str, Any] = users[0]
    values = tuple(_values(first))
    return Digest(_first_identifier(first), len(users) - 1, values[:_MOST_VALUES])


def _first_identifier(user: dict[str, Any]) -> str:
    return next((text for _, text in _flat(user.get("identifiers"))), "")


def _values(user: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the attributes that an upsert sets, or those that a removal names."""
    yield from _flat(user.get("attributes"))
    removal = user.get("custom")
    if isinstance(removal, dict):
        yield from _flat(removal.get("partial"))
        whole = removal.get("whole")
        yield from ((str(name), "") for name in (whole if isinstance(whole, list) else ()))


def _flat(members: Any) -> Iterator[tuple[str, str]]:
    """Yield names with their values as text; what lies under `custom` counts like the rest."""
    if not isinstance(members, dict):
        return
    for name, value in members.items():
        if name == "custom" and isinstance(value, dict):
            yield from _flat(value)
        else:
            yield name, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
