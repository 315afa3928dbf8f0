"""The collect routes: bare and short, because every event passes here."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import orjson
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gatepost.app import App
from gatepost.core.events import (
    Collected,
    CollectRules,
    CsvLayout,
    collect_csv,
    collect_json,
    collect_lines,
)
from gatepost.model.errors import InvalidInput
from gatepost.model.event import RecordKind
from gatepost.model.jsonvalue import JsonObject
from gatepost.web.access import CALLER, Caller
from gatepost.web.bodies import header, read_body, text_of
from gatepost.web.envelopes import answer_v1
from gatepost.web.snapshot import CatalogSnapshot

_LARGE = 512 * 1024
"""Bodies from here on are parsed on a thread, so that small ones need not wait."""
_STREAM_LENGTH = 128
_KEY_LENGTH = 200
_TRUE = frozenset({"true", "1", "t", "yes"})
_FALSE = frozenset({"", "false", "0", "f", "no"})
_DELIMITERS = {"": ",", ",": ",", "comma": ",", "t": "\t", "\t": "\t", "tab": "\t", "|": "|"}
_CSV_TYPES = frozenset({"application/csv", "text/csv"})

Reader = Callable[[bytes, CollectRules, "CollectOptions"], Collected]


class CollectOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the query and the headers of a collect request say."""

    content_type: str
    dryrun: bool = False
    drop_errors: bool = False
    triggers: bool = True
    timestamp_field: str = ""
    filename: str = ""
    layout: CsvLayout = CsvLayout()


class CollectRoute:
    """One collect route; an ASGI application of its own."""

    def __init__(self, app: App, snapshot: CatalogSnapshot, reader: Reader) -> None:
        self._app = app
        self._snapshot = snapshot
        self._reader = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, check, append, answer."""
        settings = self._app.settings
        caller: Caller = scope[CALLER]
        account = caller.account.number
        stream = checked_stream(scope["path_params"]["stream"])
        options = self._options(scope, account, stream)
        rules = CollectRules(
            stream=stream,
            now=self._app.clock.audience(),
            timestamp_field=options.timestamp_field,
            event_limit=settings.event_limit,
            request_key=_request_key(scope),
            drop_errors=options.drop_errors,
            kind=RecordKind.EVENT if options.triggers else RecordKind.HISTORY,
        )
        body = await read_body(receive, scope["headers"], settings.body_limit, unpack=True)
        if len(body) < _LARGE:
            collected = self._reader(body, rules, options)
        else:
            collected = await asyncio.to_thread(self._reader, body, rules, options)
        if not options.dryrun:
            await self._app.collect.accept(account, collected.submissions)
        await answer_v1(_counts(collected, options))(scope, receive, send)

    def _options(self, scope: Scope, account: int, stream: str) -> CollectOptions:
        content_type = header(scope["headers"], b"content-type").partition(";")[0].strip().lower()
        configured = self._snapshot.time_field(account, stream)
        if not scope["query_string"]:
            return CollectOptions(content_type=content_type, timestamp_field=configured)
        given = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        return CollectOptions(
            content_type=content_type,
            dryrun=_flag(given, "dryrun"),
            drop_errors=_flag(given, "droperrors"),
            triggers=_flag(given, "triggers", otherwise="true"),
            timestamp_field=given.get("timestamp_field", configured),
            filename=given.get("filename", ""),
            layout=_layout(given),
        )


def collect_routes(app: App, snapshot: CatalogSnapshot) -> list[Route]:
    """Return the collect routes."""
    readers: dict[str, Reader] = {"json": _read_json, "bulk": _read_bulk}
    return [
        Route(
            # The stream may hold an encoded slash, to be refused with a reason.
            f"/collect/{name}/{{stream:path}}",
            CollectRoute(app, snapshot, reader),
            methods=["POST"],
            name=f"collect_{name}",
        )
        for name, reader in readers.items()
    ]


def checked_stream(name: str) -> str:
    """Return a stream's name when it may be one."""
    if 0 < len(name) <= _STREAM_LENGTH and name.isprintable() and "/" not in name and "\ufffd" not in name:
        return name
    msg = f"a stream's name has 1 to {_STREAM_LENGTH} printable characters and no slash"
    raise InvalidInput(msg, path="stream")


def _read_json(body: bytes, rules: CollectRules, _options: CollectOptions) -> Collected:
    return collect_json(body, rules)


def _read_bulk(body: bytes, rules: CollectRules, options: CollectOptions) -> Collected:
    named = options.filename.lower().removesuffix(".gz").endswith(".csv")
    if options.content_type in _CSV_TYPES or named:
        return collect_csv(text_of(body), rules, options.layout)
    return collect_lines(body, rules)


def _counts(collected: Collected, options: CollectOptions) -> dict[str, Any]:
    counts: dict[str, Any] = {
        "message_count": len(collected.submissions),
        "rejected_count": collected.rejected,
        "content-type": options.content_type,
        "droperrors": options.drop_errors,
        "dryrun": options.dryrun,
        "timestamp_field": options.timestamp_field,
        "filename": options.filename,
    }
    if not options.triggers:
        counts["triggers"] = False
    if collected.rejected:
        counts["first_error"] = collected.first_error
    if collected.future:
        counts["future_count"] = collected.future
    return counts


def _request_key(scope: Scope) -> str:
    key = header(scope["headers"], b"idempotency-key")
    if len(key) > _KEY_LENGTH:
        msg = f"Idempotency-Key has {len(key)} characters, {_KEY_LENGTH} are allowed"
        raise InvalidInput(msg)
    return key


def _flag(given: Mapping[str, str], name: str, otherwise: str = "") -> bool:
    text = given.get(name, otherwise).lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    msg = f"{name} is {text[:40]!r}; it can be true or false"
    raise InvalidInput(msg, path=name)


def _layout(given: Mapping[str, str]) -> CsvLayout:
    delimiter = _DELIMITERS.get(given.get("delimiter", ""))
    if delimiter is None:
        msg = f"delimiter is {given['delimiter'][:40]!r}; it can be a comma, | or t for a tab"
        raise InvalidInput(msg, path="delimiter")
    names = tuple(name.strip() for name in given["headers"].split(",")) if given.get("headers") else ()
    if len(set(names)) != len(names) or not all(names):
        msg = "headers needs a distinct, non-empty name for every column, separated by commas"
        raise InvalidInput(msg, path="headers")
    return CsvLayout(delimiter=delimiter, headers=names, append=_append(given.get("append", "")))


def _append(text: str) -> JsonObject:
    try:
        value = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError as error:
        msg = f"append is not valid JSON: {error.msg}"
        raise InvalidInput(msg, path="append") from None
    if not isinstance(value, dict):
        msg = 'append is a JSON object of extra members, such as {"source":"import"}'
        raise InvalidInput(msg, path="append")
    return value
