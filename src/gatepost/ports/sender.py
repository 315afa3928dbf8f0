"""The seam to the network."""

from typing import Protocol

from gatepost.model.request import Answer, Request


class Sender(Protocol):
    """Sends one request and brings the answer; the address guard is inside."""

    async def send(self, request: Request) -> Answer:
        """Send, without following redirects; raise Unreachable when no whole answer came, Blocked by the guard."""

    async def close(self) -> None:
        """Close every connection."""
