"""The two programs as the demo sees them: over HTTP, like anybody else."""

import asyncio
from collections.abc import Iterable
from http import HTTPMethod, HTTPStatus
from typing import Any, TypeVar

import aiohttp
import msgspec

from gatepost.demo.comparison import Memberships
from gatepost.model.audience import AudienceSize
from gatepost.model.errors import OperatorError
from gatepost.model.times import Instant, to_rfc3339

Answer = TypeVar("Answer")

_PATIENCE = 60
"""Times a request is repeated while the server says it is too busy."""
_PAGE = 100
_ANSWER_SHOWN = 300


class Status(msgspec.Struct, frozen=True):
    """What `GET /api/status` tells."""

    events_collected: int = 0
    events_applied: int = 0
    lag: int = 0
    profiles: int = 0
    now: str = ""
    audiences: dict[str, AudienceSize] = {}
    deliveries: dict[str, int] = {}

    @property
    def moving(self) -> int:
        """Deliveries that gatepost is still working on."""
        return sum(self.deliveries.get(state, 0) for state in ("waiting", "leased", "retrying"))

    @property
    def pending(self) -> int:
        """Deliveries not yet settled, the parked ones included."""
        return self.moving + self.deliveries.get("parked", 0)


class _StatusAnswer(msgspec.Struct):
    data: Status


class _MembersPage(msgspec.Struct):
    data: list[dict[str, Any]]
    following: str = msgspec.field(default="", name="_next")


class _SandboxProfile(msgspec.Struct):
    identifiers: dict[str, list[str]] = {}
    custom: dict[str, Any] = {}


class GatepostClient:
    """Talks to one gatepost with its admin token."""

    def __init__(self, session: aiohttp.ClientSession, address: str, token: str) -> None:
        self._http = _Http(session, address, {"Authorization": token})

    async def collect(self, stream: str, events: Iterable[bytes]) -> None:
        """Send events in one bulk request; a busy server is asked again, and counts each event once."""
        await self._http.post(f"/collect/bulk/{stream}", b"\n".join(events), "application/x-ndjson")

    async def move_clock(self, now: Instant) -> None:
        """Move audience time."""
        await self._http.post("/api/clock", msgspec.json.encode({"now": to_rfc3339(now)}), "application/json")

    async def status(self) -> Status:
        """Return the totals."""
        return _decoded(await self._http.get("/api/status"), _StatusAnswer, "/api/status").data

    async def members(self, slug: str, field: str) -> set[str]:
        """Return the members of an audience by a profile field."""
        path = f"/api/segment/{slug}/scan"
        members: set[str] = set()
        start = ""
        while True:
            query = {"limit": str(_PAGE), "fields": field, "start": start}
            page = _decoded(await self._http.get(path, query), _MembersPage, path)
            members.update(str(profile.get(field, "?")) for profile in page.data)
            if not page.following or page.following == start:
                return members
            start = page.following


class SandboxClient:
    """Talks to one Insider sandbox."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._http = _Http(session, address, {})

    async def move_clock(self, now: Instant) -> None:
        """Move the time that events are judged against."""
        await self._http.post(
            "/sandbox/clock", msgspec.json.encode({"now": to_rfc3339(now)}), "application/json"
        )

    async def memberships(self, attribute: str) -> Memberships:
        """Return uuid -> the values of an array attribute, for every profile."""
        path = "/sandbox/profiles.ndjson"
        lines = (await self._http.get(path)).splitlines()
        profiles = (_decoded(line, _SandboxProfile, path) for line in lines if line)
        return {
            uuid: frozenset(profile.custom.get(attribute) or ())
            for profile in profiles
            for uuid in profile.identifiers.get("uuid", ["?"])
        }


class _Http:
    """Requests to one address, with answers other than 200 turned into errors that say what was asked."""

    def __init__(self, session: aiohttp.ClientSession, address: str, headers: dict[str, str]) -> None:
        self._session = session
        self._address = address
        self._headers = headers

    async def get(self, path: str, query: dict[str, str] | None = None) -> bytes:
        return await self._ask(HTTPMethod.GET, path, params=query)

    async def post(self, path: str, body: bytes, content_type: str) -> bytes:
        return await self._ask(
            HTTPMethod.POST, path, data=body, headers={**self._headers, "Content-Type": content_type}
        )

    async def _ask(self, method: HTTPMethod, path: str, **request: Any) -> bytes:
        request.setdefault("headers", self._headers)
        for _ in range(_PATIENCE):
            async with self._session.request(method, self._address + path, **request) as answer:
                body = await answer.read()
                if answer.status == HTTPStatus.OK:
                    return body
                if answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
                    break
                await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
        told = body[:_ANSWER_SHOWN].decode(errors="replace")
        msg = f"{method} {self._address}{path} answered {answer.status}: {told}"
        raise OperatorError(msg)


def _decoded(body: bytes, kind: type[Answer], path: str) -> Answer:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        msg = f"{path} answered something else than expected: {error}"
        raise OperatorError(msg) from error
