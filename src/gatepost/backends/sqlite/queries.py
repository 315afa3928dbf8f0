"""Named SQL, one sentence each, kept in `.sql` files beside the code that runs it."""

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def load_queries(file: str) -> dict[str, str]:
    """Return the queries of a file by name."""
    text = (files("gatepost.backends.sqlite") / file).read_text(encoding="utf-8")
    pieces = _NAME.split(text)
    return {name: sql.strip() for name, sql in zip(pieces[1::2], pieces[2::2], strict=True)}
