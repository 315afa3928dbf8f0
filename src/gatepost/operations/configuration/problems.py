"""What is wrong with a configuration document: everything at once, each with its place."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from gatepost.model.errors import InvalidInput, SourceError, UserError


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong; `line` and `column` count inside the text at `path`, 0 when unknown."""

    path: str
    """Such as `audiences.weekly_regulars.filter`."""
    message: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = f" line {self.line}, column {self.column}" if self.line else ""
        return f"{self.path}{place}: {self.message}" if self.path else self.message


class ConfigurationInvalid(InvalidInput):
    """A document cannot be applied; nothing of it was."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)), path=self.problems[0].path)


class Problems:
    """Collects problems while a document is looked over."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, path: str, message: str) -> None:
        """Note a problem."""
        self.found.append(Problem(path=path, message=message))

    def note(self, path: str, error: UserError) -> None:
        """Note an error of the user as a problem at a path."""
        if not isinstance(error, SourceError):
            self.add(path, error.message)
            return
        hint = "" if error.hint in error.message else f"; {error.hint}"
        text = f"{error.message}{hint}"
        self.found.append(Problem(path=path, message=text, line=error.line, column=error.column))

    @contextmanager
    def at(self, path: str) -> Iterator[None]:
        """Note an error of the user as a problem at a path, and go on."""
        try:
            yield
        except UserError as error:
            self.note(path, error)

    def check(self) -> None:
        """Raise everything found so far at once."""
        if self.found:
            raise ConfigurationInvalid(self.found)
