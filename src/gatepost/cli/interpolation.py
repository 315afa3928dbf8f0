"""Fills `${NAME}` and `${NAME:-default}` in a text from the environment."""

import re
from collections.abc import Mapping

from gatepost.model.errors import InvalidInput

_REFERENCE = re.compile(
    r"\$(?P<escaped>\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(:-(?P<default>[^}]*))?\}|\$\{"
)


def interpolated(text: str, environment: Mapping[str, str]) -> str:
    """Return the text with every reference filled; `$${` stands for `${`. Raise InvalidInput when one cannot be."""

    def filled(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "${"
        name, default = match["name"], match["default"]
        if name is None:
            msg = "write ${NAME} or ${NAME:-default}; for the characters themselves write $${"
            raise InvalidInput(msg)
        value = environment.get(name)
        if default is not None:
            return value or default
        if value is None:
            msg = (
                f"the environment variable {name} is not set; "
                f"set it, or give a default as in ${{{name}:-default}}"
            )
            raise InvalidInput(msg)
        return value

    return _REFERENCE.sub(filled, text)


def refers(text: str) -> bool:
    """Tell whether a text takes anything from the environment."""
    return any(match["name"] for match in _REFERENCE.finditer(text))
