"""Collects generated Python: names are ours, every value of the user's lives in a table beside the code."""

from collections.abc import Callable
from typing import Any

import msgspec

NESTED = 12
"""Levels of brackets in one generated function; Python's own parser gives up at 200."""

PARAMETERS = "get, windows, now, due, memo"
"""What every generated function is handed."""


class Code(msgspec.Struct, frozen=True, gc=False):
    """A generated expression; `total` when it never answers None, `level` how deep its brackets go."""

    text: str
    total: bool = False
    level: int = 0


class Source:
    """One module of generated code under construction."""

    def __init__(self) -> None:
        self._table: dict[str, Any] = {}
        self._lines: list[str] = []
        self._names = 0

    def constant(self, value: object) -> str:
        """Put a value into the table and give its name."""
        name = self.fresh("k")
        self._table[name] = value
        return name

    def fresh(self, prefix: str) -> str:
        """Make a name nothing else has."""
        self._names += 1
        return f"{prefix}{self._names}"

    def flat(self, code: Code) -> Code:
        """Give the code back, moved into a function of its own when its brackets go deep."""
        if code.level < NESTED:
            return code
        name = self.fresh("f")
        self.define(name, PARAMETERS, (f"return {code.text}",))
        return Code(f"{name}({PARAMETERS})", code.total)

    def define(self, name: str, parameters: str, body: tuple[str, ...]) -> None:
        """Write one function."""
        self._lines.append(f"def {name}({parameters}):")
        self._lines.extend(f"    {line}" for line in body)

    def built(self, name: str) -> Callable[..., Any]:
        """Compile everything and give the function of that name."""
        code = compile("\n".join(self._lines), "<filterql>", "exec")
        exec(code, self._table)  # noqa: S102 - generated above from our own words only
        function: Callable[..., Any] = self._table[name]
        return function
