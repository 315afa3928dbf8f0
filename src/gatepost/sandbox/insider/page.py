"""The page on which a person watches the sandbox."""

import json
from pathlib import Path
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gatepost.model.jsonvalue import JsonObject
from gatepost.model.times import Instant, to_rfc3339
from gatepost.sandbox.insider.digest import digest_of
from gatepost.sandbox.insider.inspection import profile_document, totals
from gatepost.sandbox.insider.journal import RequestRecord
from gatepost.sandbox.insider.options import USUAL_PARTNER, USUAL_TOKEN
from gatepost.sandbox.insider.profiles import Profile
from gatepost.sandbox.insider.sandbox import Sandbox

_PAGES = Path(__file__).parent / "pages"
_ROWS = 25
_EVENTS_SHOWN = 5
_NEWEST = 2**62
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_ASSETS = {"page.css": "text/css", "page.js": "text/javascript"}


class Page:
    """Renders requests and profiles; everything that came in from outside is escaped."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        environment = Environment(
            loader=FileSystemLoader(_PAGES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["thousands"] = lambda number: f"{number:,}"
        environment.filters["clock"] = _clock
        self._assets = {name: (_PAGES / name).read_bytes() for name in _ASSETS}
        self._template = environment.get_template("page.html")

    def routes(self) -> list[Route]:
        """Return the page and its two assets."""
        return [
            Route("/", self.home, methods=["GET"]),
            Route("/sandbox", self.show, methods=["GET"]),
            Route("/sandbox/{asset}", self.asset, methods=["GET"]),
        ]

    async def home(self, _request: Request) -> Response:
        """Lead to the page."""
        return RedirectResponse("/sandbox")

    async def show(self, request: Request) -> Response:
        """Render requests, or profiles, newest first."""
        view = "profiles" if request.query_params.get("view") == "profiles" else "requests"
        before = _number(request.query_params.get("before", "")) or _NEWEST
        rows: list[JsonObject]
        if view == "profiles":
            profiles = self._profiles(request, before)
            rows, last = [_profile_row(found) for found in profiles], profiles[-1].number if profiles else 0
        else:
            records = self._sandbox.journal.before(before, _ROWS)
            rows, last = [_request_row(record) for record in records], records[-1].number if records else 0
        html = self._template.render(
            view=view,
            rows=rows,
            totals=totals(self._sandbox),
            query=request.query_params.get("q", ""),
            older=_link(view, last) if len(rows) == _ROWS else "",
            newest=before == _NEWEST,
            clock=to_rfc3339(self._sandbox.clock.now()) if self._sandbox.clock.manual else "",
            address=str(request.base_url).rstrip("/"),
            partner=USUAL_PARTNER,
            token=USUAL_TOKEN,
        )
        headers = {"content-security-policy": _POLICY, "referrer-policy": "no-referrer"}
        return Response(html, media_type="text/html", headers=headers | {"cache-control": "no-store"})

    def _profiles(self, request: Request, before: int) -> list[Profile]:
        query = request.query_params.get("q", "").strip()
        profiles = self._sandbox.profiles
        if not query:
            return profiles.newest(before, _ROWS)
        names = sorted(profiles.identifier_names)
        partners = self._sandbox.accounts.by_partner
        found = [profiles.by_address(partner, name, query) for partner in partners for name in names]
        found += [profiles.by_number(partner, query) for partner in partners]
        return list(dict.fromkeys(profile for profile in found if profile))

    async def asset(self, request: Request) -> Response:
        """Return the style sheet or the script."""
        name = request.path_params["asset"]
        if name not in _ASSETS:
            return Response(status_code=404)
        return Response(self._assets[name], media_type=_ASSETS[name])


def _request_row(record: RequestRecord) -> JsonObject:
    digest = digest_of(record.body)
    return {
        "who": digest.who,
        "others": digest.others,
        "values": [list(pair) for pair in digest.values],
        "number": record.number,
        "at": record.at,
        "operation": record.operation.replace("_", " "),
        "partner": record.partner,
        "status": record.status,
        "verdict": _verdict(record),
        "accepted": record.accepted,
        "rejected": record.rejected,
        "errors": [(key, message) for key, messages in record.errors.items() for message in messages],
        "warnings": [(key, message) for key, messages in record.warnings.items() for message in messages],
        "note": record.note,
        "microseconds": record.microseconds,
        "size": record.size,
        "body": record.body.decode(errors="replace"),
        "cut": record.size > len(record.body),
    }


def _verdict(record: RequestRecord) -> str:
    if record.status != 200 or (record.rejected and not record.accepted):
        return "refused"
    if record.rejected:
        return "partly refused"
    return "warned" if record.warnings else "accepted"


def _profile_row(profile: Profile) -> JsonObject:
    events = list(profile.events)[-_EVENTS_SHOWN:]
    seen = Profile(
        profile.number,
        profile.partner,
        profile.created,
        profile.updated,
        profile.identifiers,
        profile.default,
        profile.custom,
        dict.fromkeys(reversed(events)),
    )
    document = profile_document(seen)
    name, value = next(profile.addresses(), ("id", str(profile.number)))
    return {
        "number": profile.number,
        "partner": profile.partner,
        "identifiers": list(profile.addresses()),
        "audiences": list(profile.audiences),
        "events": len(profile.events),
        "updated": profile.updated,
        "fields": json.dumps({**profile.default, **profile.custom}, indent=2, ensure_ascii=False),
        "latest": document["events"],
        "link": f"/sandbox/profiles/{quote(name, safe='')}/{quote(value, safe='')}",
    }


def _link(view: str, last: int) -> str:
    return "/sandbox?" + urlencode({"view": view, "before": last})


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _clock(instant: Instant) -> str:
    return to_rfc3339(instant)[11:19]
