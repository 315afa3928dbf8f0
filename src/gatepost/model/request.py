"""One HTTP exchange, without the network."""

import msgspec

Header = tuple[str, str]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent; `headers` holds secrets, so it is never logged."""

    method: str
    url: str
    headers: tuple[Header, ...] = ()
    body: bytes = b""

    def __repr__(self) -> str:
        names = [name for name, _ in self.headers]
        return f"Request(method={self.method!r}, headers={names}, body={len(self.body)} bytes)"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back."""

    status: int
    headers: dict[str, str] = {}
    """Lower-case names."""
    body: bytes = b""
    truncated: bool = False
    """The body was longer than the limit and was cut."""
