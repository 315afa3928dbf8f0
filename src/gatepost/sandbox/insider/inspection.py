"""Looking into the sandbox and steering it, under `/sandbox/`; Insider has nothing like it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gatepost.model.errors import Conflict, InvalidInput, NotFound, UserError
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.times import Instant, parse_duration, to_rfc3339
from gatepost.sandbox.insider.events import unpack
from gatepost.sandbox.insider.faults import Fault
from gatepost.sandbox.insider.journal import RequestRecord
from gatepost.sandbox.insider.profiles import Profile, Profiles
from gatepost.sandbox.insider.sandbox import Sandbox
from gatepost.sandbox.insider.values import rfc3339

Body = TypeVar("Body")
Handler = Callable[[Request], Awaitable[Response]]

_MAX_PAGE = 1_000
_DUMP_CHUNK = 500
_LAST_INSTANT: Instant = 253_402_300_799_999
_MAX_BODY = 100_000


class ClockChange(msgspec.Struct, forbid_unknown_fields=True):
    """Where a manual clock shall stand: at an instant, or a duration further."""

    now: str = ""
    advance: str = ""


class Inspection:
    """The JSON routes of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        """Return the routes, errors already told as JSON."""
        handlers: list[tuple[str, str, Handler]] = [
            ("GET", "/health", self.health),
            ("GET", "/sandbox/stats", self.stats),
            ("GET", "/sandbox/requests", self.requests),
            ("GET", "/sandbox/profiles", self.profiles),
            ("GET", "/sandbox/profiles.ndjson", self.dump),
            ("GET", "/sandbox/profiles/{name}/{value:path}", self.profile),
            ("GET", "/sandbox/faults", self.faults),
            ("POST", "/sandbox/faults", self.add_fault),
            ("DELETE", "/sandbox/faults", self.clear_faults),
            ("GET", "/sandbox/clock", self.clock),
            ("POST", "/sandbox/clock", self.move_clock),
            ("POST", "/sandbox/reset", self.reset),
        ]
        return [Route(path, _told(handler), methods=[method]) for method, path, handler in handlers]

    async def health(self, _request: Request) -> Response:
        """Tell whether the sandbox works and saves."""
        trouble = self._sandbox.writer.trouble
        return _json(
            {"status": "failing", "reason": trouble} if trouble else {"status": "ok"}, 503 if trouble else 200
        )

    async def stats(self, _request: Request) -> Response:
        """Return the totals."""
        return _json(totals(self._sandbox))

    async def requests(self, request: Request) -> Response:
        """Return requests: oldest first after a number, or newest first before one."""
        limit = _whole(request, "limit", 100, _MAX_PAGE)
        journal = self._sandbox.journal
        if "before" in request.query_params:
            records = journal.before(_whole(request, "before", 0), limit)
        else:
            records = journal.after(_whole(request, "after", 0), limit)
        following = records[-1].number if len(records) == limit else None
        return _json({"requests": [request_document(record) for record in records], "next": following})

    async def profiles(self, request: Request) -> Response:
        """Return profiles in the order they were created."""
        limit = _whole(request, "limit", 100, _MAX_PAGE)
        page = self._sandbox.profiles.page(_whole(request, "after", 0), limit)
        following = page[-1].number if len(page) == limit else None
        return _json({"profiles": [profile_document(profile) for profile in page], "next": following})

    async def dump(self, _request: Request) -> Response:
        """Stream all profiles, one JSON document per line."""
        return StreamingResponse(_lines(self._sandbox.profiles), media_type="application/x-ndjson")

    async def profile(self, request: Request) -> Response:
        """Return the profile behind an identifier, of any partner unless one is named."""
        name, value = request.path_params["name"], request.path_params["value"]
        return _json(profile_document(self._find(name, value, request.query_params.get("partner"))))

    def _find(self, name: str, value: str, partner: str | None) -> Profile:
        profiles = self._sandbox.profiles
        for candidate in [partner] if partner else self._sandbox.accounts.by_partner:
            by_id = name in ("id", "insider_id")
            found = (
                profiles.by_number(candidate, value) if by_id else profiles.by_address(candidate, name, value)
            )
            if found:
                return found
        raise NotFound("profile", f"{name}={value}")

    async def faults(self, _request: Request) -> Response:
        """Return the faults still to come."""
        return _json({"faults": msgspec.to_builtins(self._sandbox.faults.pending)})

    async def add_fault(self, request: Request) -> Response:
        """Ask for trouble."""
        self._sandbox.faults.add(await _decoded(request, Fault))
        return await self.faults(request)

    async def clear_faults(self, request: Request) -> Response:
        """Call all faults off."""
        self._sandbox.faults.clear()
        return await self.faults(request)

    async def clock(self, _request: Request) -> Response:
        """Return the time that events are judged against."""
        clock = self._sandbox.clock
        return _json({"now": to_rfc3339(clock.now()), "manual": clock.manual})

    async def move_clock(self, request: Request) -> Response:
        """Move a manual clock."""
        change = await _decoded(request, ClockChange)
        self._sandbox.clock.move_to(_new_time(change, self._sandbox.clock.now()))
        return await self.clock(request)

    async def reset(self, _request: Request) -> Response:
        """Forget everything but the accounts and the clock."""
        await self._sandbox.reset()
        return _json(totals(self._sandbox))


def totals(sandbox: Sandbox) -> JsonObject:
    """Return the counts that the page and scripts read."""
    journal = sandbox.journal
    return {
        "since": to_rfc3339(sandbox.started),
        "requests": journal.totals["requests"],
        "requests_with_warnings": journal.totals["warned"],
        "users_accepted": journal.totals["accepted"],
        "users_rejected": journal.totals["rejected"],
        "by_status": {str(status): count for status, count in sorted(journal.by_status.items())},
        "by_operation": dict(sorted(journal.by_operation.items())),
        "profiles": len(sandbox.profiles),
        "events": sandbox.profiles.event_count,
        "audiences": dict(sandbox.profiles.audience_sizes.most_common()),
    }


def request_document(record: RequestRecord) -> JsonObject:
    """Return one request as the inspection shows it."""
    return {
        "number": record.number,
        "at": to_rfc3339(record.at),
        "operation": record.operation,
        "partner": record.partner,
        "status": record.status,
        "accepted": record.accepted,
        "rejected": record.rejected,
        "errors": dict(record.errors),
        "warnings": dict(record.warnings),
        "note": record.note,
        "microseconds": record.microseconds,
        "bytes": record.size,
        "body": record.body.decode(errors="replace"),
    }


def profile_document(profile: Profile) -> JsonObject:
    """Return one profile as the inspection shows it."""
    return {
        "id": str(profile.number),
        "partner": profile.partner,
        "identifiers": dict(profile.identifiers),
        "attributes": profile.default,
        "custom": profile.custom,
        "audiences": list(profile.audiences),
        "events": [_event_document(event) for event in profile.events],
        "created": to_rfc3339(profile.created),
        "updated": to_rfc3339(profile.updated),
    }


def _event_document(event: bytes) -> JsonValue:
    name, at, parameters = unpack(event)
    return {"event_name": name, "timestamp": to_rfc3339(at), "event_params": parameters}


async def _lines(profiles: Profiles) -> AsyncIterator[bytes]:
    after = 0
    while page := profiles.page(after, _DUMP_CHUNK):
        yield b"".join(
            orjson.dumps(profile_document(profile), option=orjson.OPT_APPEND_NEWLINE) for profile in page
        )
        after = page[-1].number


def _new_time(change: ClockChange, now: Instant) -> Instant:
    if bool(change.now) == bool(change.advance):
        msg = "say either now, such as 2026-11-05T10:15:30Z, or advance, such as 1h30m"
        raise InvalidInput(msg)
    try:
        instant = now + parse_duration(change.advance) if change.advance else rfc3339(change.now)
    except ValueError as error:
        raise InvalidInput(str(error), path="advance") from error
    if instant is None or not 0 <= instant <= _LAST_INSTANT:
        msg = f"{change.now or change.advance!r} is no RFC 3339 time between 1970 and 9999"
        raise InvalidInput(msg, path="now")
    return instant


async def _decoded(request: Request, kind: type[Body]) -> Body:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            msg = f"the body is larger than {_MAX_BODY} bytes"
            raise InvalidInput(msg)
    try:
        return msgspec.json.decode(bytes(body), type=kind)
    except msgspec.DecodeError as error:
        raise InvalidInput(str(error)) from error


def _whole(request: Request, name: str, default: int, most: int = 2**62) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        msg = f"{name} must be a whole number, not {text[:40]!r}"
        raise InvalidInput(msg, path=name)
    return min(int(text), most)


def _told(handler: Handler) -> Handler:
    """Turn errors into JSON answers, and turn away pages of other sites."""

    async def tell(request: Request) -> Response:
        if request.method != "GET" and request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return _json({"error": "a page of another site may not steer the sandbox"}, 403)
        try:
            return await handler(request)
        except UserError as error:
            status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, Conflict) else 400
            return _json({"error": error.message}, status)

    return tell


def _json(document: JsonValue, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")
