"""What the sandbox found in one user of a request: refusals, losses and remarks."""

from collections.abc import Iterable

from gatepost.model.jsonvalue import JsonValue

Finding = tuple[str, str]
"""A key as Insider prints it, and a message."""

_LONGEST_VALUE = 120


class Verdict:
    """Collects findings about one user; in strict mode a lost value refuses the whole user."""

    __slots__ = ("_strict", "refusals", "warnings")

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self.refusals: list[Finding] = []
        self.warnings: list[Finding] = []

    @property
    def refused(self) -> bool:
        """Tell whether the user is refused as a whole."""
        return bool(self.refusals)

    def refuse(self, key: str, message: str) -> None:
        """Refuse the user, as Insider documents it."""
        self.refusals.append((key, message))

    def lose(self, key: str, message: str) -> None:
        """Drop a value without an error, as Insider does; refuse the user in strict mode."""
        (self.refusals if self._strict else self.warnings).append((key, message))

    def remark(self, key: str, message: str) -> None:
        """Mention something that loses no data."""
        self.warnings.append((key, message))


def grouped(findings: Iterable[Finding], prefix: str, into: dict[str, list[str]]) -> None:
    """Add findings to a map from prefixed key to messages."""
    for key, message in findings:
        into.setdefault(prefix + key, []).append(message)


def shown(value: JsonValue) -> str:
    """Print a value inside a message: short, and never a whole document."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    text = str(value)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "..."
