"""Sends bodies of events one after the other, with patience for a server that is busy or away for a moment."""

import uuid
from collections.abc import Callable
from typing import Any

from gatepost.cli.client import Client, Refused, Unreached
from gatepost.cli.failure import CommandError

_PATIENCE = 20
"""Times a body is sent again."""
_LONGEST_WAIT = 15.0


class Sending:
    """Events on their way into one stream; counts what the server took."""

    def __init__(
        self,
        client: Client,
        path: str,
        query: dict[str, object],
        content_type: str,
        wait: Callable[[float], None],
    ) -> None:
        self._client = client
        self._path = path
        self._query = query
        self._content_type = content_type
        self._wait = wait
        self._reached = False
        self.accepted = 0
        self.rejected = 0
        self.first_error = ""

    def send(self, body: bytes) -> None:
        """Send a body until the server takes it; raise CommandError when it refuses or stays away."""
        # The same key on every try: a body whose answer was lost counts once.
        headers = {"Content-Type": self._content_type, "Idempotency-Key": uuid.uuid4().hex}
        tried = 0
        while True:
            try:
                answer = self._client.call(
                    "POST", self._path, query=self._query, content=body, headers=headers
                )
            except (Refused, Unreached) as error:
                tried += 1
                self._wait(self._pause(error, tried))
            else:
                self._reached = True
                self._count(answer.get("data") or {})
                return

    def _pause(self, error: CommandError, tried: int) -> float:
        """Return how long to wait before the next try; raise the error when there is to be none."""
        is_busy = isinstance(error, Refused) and error.retry_after > 0
        # One that was never there is a wrong address; one that went away may come back.
        is_away = isinstance(error, Unreached) and self._reached
        if tried > _PATIENCE or not (is_busy or is_away):
            raise error
        return min(error.retry_after if isinstance(error, Refused) else 0.5 * 2**tried, _LONGEST_WAIT)

    def _count(self, counts: dict[str, Any]) -> None:
        self.accepted += int(counts.get("message_count", 0))
        self.rejected += int(counts.get("rejected_count", 0))
        self.first_error = self.first_error or str(counts.get("first_error", ""))
