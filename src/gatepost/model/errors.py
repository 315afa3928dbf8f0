"""What can go wrong, drawn as a tree and split by who has to act.

GatepostError
    UserError              the caller can mend it; shown as it is, with a 4xx or exit code 1
        InvalidInput       a value is not acceptable
            InvalidEvent   an event or a collect body
            FilterError    FilterQL or an expression: line, column, excerpt, what was expected
            TemplateError  a template does not parse or does not render: line, column, excerpt
            UnsafeUrl      the guard refuses an address, or the path erases people
        NotFound           no such thing in this account
        Conflict           the thing is in use, or its state forbids the wish
        Unauthorized       no token, a bad one, or one without the scope
        Unavailable        too busy or out of space; try again after a while
    DeliveryError          the receiver's side; becomes an attempt, never an alarm
        Unreachable        try again
        Blocked            the guard said no at the time of sending
    OperatorError          this installation: data folder, version, key ring, a missing part
"""

from gatepost.model.delivery import ErrorClass


class GatepostError(Exception):
    """Root of everything gatepost raises on purpose; the text is safe to show."""

    @property
    def message(self) -> str:
        """The sentence to show."""
        return str(self)


class UserError(GatepostError):
    """The caller can mend it."""


class InvalidInput(UserError):
    """A value is not acceptable; `path` says where in the body, as `users.0.email`."""

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class InvalidEvent(InvalidInput):
    """An event or a collect body is not acceptable; `line` counts from 1 in a bulk body."""

    def __init__(self, message: str, *, path: str = "", line: int = 0) -> None:
        super().__init__(message, path=path)
        self.line = line


class SourceError(InvalidInput):
    """A text in some language is wrong at a place; `line` and `column` count from 1, 0 when unknown."""

    def __init__(
        self, message: str, *, line: int = 0, column: int = 0, excerpt: str = "", hint: str = ""
    ) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.excerpt = excerpt
        self.hint = hint


class FilterError(SourceError):
    """FilterQL or a mapping expression does not parse, or does not fit the schema."""


class TemplateError(SourceError):
    """A template does not parse or does not render; `repaired` holds a text that would parse, if known."""

    repaired: str | None = None


class UnsafeUrl(InvalidInput):
    """The guard refuses this address, or its path erases people."""


class NotFound(UserError):
    """No such thing in this account."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"no {kind} {name!r} in this account")
        self.kind = kind
        self.name = name


class Conflict(UserError):
    """The thing is in use, or its state forbids the wish."""


class Unauthorized(UserError):
    """No token, a bad one, or one without the scope."""


class Unavailable(UserError):
    """Too busy or out of space; `retry_after` is in whole seconds."""

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeliveryError(GatepostError):
    """The receiver's side; becomes an attempt."""


class Unreachable(DeliveryError):
    """No whole answer came; `error_class` says in which phase it failed."""

    def __init__(self, message: str, *, error_class: ErrorClass) -> None:
        super().__init__(message)
        self.error_class = error_class


class Blocked(DeliveryError):
    """The guard refused the address at the time of sending."""


class OperatorError(GatepostError):
    """This installation needs a hand."""
