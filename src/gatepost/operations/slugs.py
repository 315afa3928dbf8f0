"""Slugs: the short names by which audiences are written in filters, templates and addresses."""

import re
import unicodedata
from collections.abc import Collection

from gatepost.core.builtins import BUILTIN_AUDIENCES
from gatepost.model.errors import InvalidInput

LONGEST = 64

_SLUG = re.compile(r"[a-z0-9_][a-z0-9_.-]*")
_OTHER = re.compile(r"[^a-z0-9]+")


def slug_of(name: str) -> str:
    """Return the slug a name gets: lower case, accents dropped, everything else one underscore."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _OTHER.sub("_", plain).strip("_")[:LONGEST].rstrip("_") or "audience"


def checked_slug(slug: str) -> str:
    """Return a slug in lower case; raise InvalidInput when it cannot be written in a filter or is taken."""
    plain = slug.strip().lower()
    if len(plain) > LONGEST or not _SLUG.fullmatch(plain):
        msg = f"{slug!r} is no slug; write up to {LONGEST} of a-z, 0-9 and _, such as weekly_regulars"
        raise InvalidInput(msg, path="slug")
    if plain in BUILTIN_AUDIENCES:
        msg = f"{plain} is an audience that is there by itself; choose another name"
        raise InvalidInput(msg, path="slug")
    return plain


def free_slug(slug: str, taken: Collection[str]) -> str:
    """Return the slug, or the first of `slug_1`, `slug_2` ... that is free."""
    number, candidate = 0, slug
    while candidate in taken:
        number += 1
        candidate = f"{slug}_{number}"
    return candidate
