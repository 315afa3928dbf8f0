"""The configuration of a job: read key by key, refused with the key's name, unknown keys kept for templates."""

import re
from collections.abc import Collection, Mapping
from typing import NoReturn, Protocol

import msgspec

from gatepost.core.addresses import AllowList, check_url
from gatepost.model.catalog import Template
from gatepost.model.errors import InvalidInput, NotFound, UnsafeUrl
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.operations.records import audience_of, still_leaving
from gatepost.operations.templateversions import version_at
from gatepost.ports.store import Transaction

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
AUDIENCE_EVENTS = ("", "enters_only", "exits_only")
MOST_WORKERS = 256
MOST_VERSIONS = 2**31

_TEMPLATE_ID = re.compile(r"[0-9a-f]{32}")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9])?|[0-9a-f:]{2,39}")
_STREAM = re.compile(r"[\w.-]{1,255}")
_NOT_HERE = ("batch_requests", "cloudevents", "field_changes", "include_segs", "user_limit")
"""Lytics' settings that change what is sent, and that this version cannot follow; empty ones do no harm."""


class CheckedConfig(msgspec.Struct, frozen=True):
    """A job's configuration as it is stored, and the origin its requests go to."""

    config: JsonObject
    origin: str
    """Such as `https://host:443`, or `template:<id>` when a template gives the URL."""


class Known(Protocol):
    """What a configuration may name."""

    def audience_id(self, name: str) -> str:
        """Return the id of an audience by id or slug; raise NotFound."""

    def has_template(self, id_: str) -> bool:
        """Say whether there is a template of this id."""

    def has_version(self, id_: str, number: int) -> bool:
        """Say whether a text of a template is kept under a number."""


class Stored:
    """What an account has; audiences that are on their way out go on being watched by who watched them."""

    def __init__(self, tx: Transaction, account: int, watched: Collection[str] = ()) -> None:
        self._tx = tx
        self._account = account
        self._watched = watched

    def audience_id(self, name: str) -> str:
        """Return the id of an audience by id or slug; raise NotFound."""
        leaving = name in self._watched and still_leaving(self._tx, self._account, name)
        return name if leaving else audience_of(self._tx, self._account, name).id

    def has_template(self, id_: str) -> bool:
        """Say whether there is a template of this id."""
        return self._tx.catalog.get(Template, self._account, id_) is not None

    def has_version(self, id_: str, number: int) -> bool:
        """Say whether a text of a template is kept under a number."""
        template = self._tx.catalog.get(Template, self._account, id_)
        return template is not None and version_at(self._tx, template, number) is not None


def checked_config(
    known: Known, allow: AllowList, config: JsonObject, *, authorized: bool = False
) -> CheckedConfig:
    """Return a configuration fit to be stored; raise InvalidInput with the path of the key that is not.

    `authorized` says that the job has credentials, which go only to hosts that the configuration names.
    """
    for key in _NOT_HERE:
        if config.get(key):
            _refuse(key, f"{key} is not part of this version; leave it out")
    checked = dict(config)
    checked["segment_ids"] = _audiences(known, config)
    checked["http_method"] = _choice(str(config.get("http_method") or "POST").upper(), "http_method", METHODS)
    checked["audience_events"] = _choice(
        config.get("audience_events") or "", "audience_events", AUDIENCE_EVENTS
    )
    checked["user_fields"] = texts(config.get("user_fields"), "user_fields")
    checked["withbackfill"] = _flag(config, "withbackfill")
    if "compact" in config:
        checked["compact"] = _flag(config, "compact")
    _check_template(known, config.get("template_id"), "template_id")
    _check_version(known, config)
    _check_whole(config.get("worker_count"), "worker_count", (0, MOST_WORKERS))
    _check_statuses(config.get("do_not_retry"))
    _check_stream(config.get("stream"))
    checked["webhook_url_hosts"] = hosts = _hosts(config)
    if not hosts:
        del checked["webhook_url_hosts"]
    address = _address(known, allow, checked)
    if authorized and not hosts and not checked["webhook_url"]:
        _refuse(
            "webhook_url_hosts",
            "a template chooses where the authorization goes; name the hosts that may have it in webhook_url_hosts",
        )
    return CheckedConfig(checked, address)


def _audiences(known: Known, config: JsonObject) -> list[str]:
    named = texts(config.get("segment_ids"), "segment_ids")
    if not named:
        _refuse("segment_ids", "a job needs at least one audience; give the ids of audiences")
    ids: dict[str, None] = {}
    for place, name in enumerate(named):
        try:
            ids[known.audience_id(name)] = None
        except NotFound as error:
            raise InvalidInput(error.message, path=f"config.segment_ids.{place}") from error
    return list(ids)


def _address(known: Known, allow: AllowList, checked: JsonObject) -> str:
    """Settle where requests go: a URL that passed the guard, or a template that prints one."""
    url = checked.get("webhook_url") or ""
    template = checked.get("webhook_url_template_id") or ""
    if not isinstance(url, str):
        _refuse("webhook_url", "webhook_url is one text, such as https://example.com/hook")
    if _TEMPLATE_ID.fullmatch(url.strip()):
        template, url = url.strip(), ""
    if template:
        _check_template(known, template, "webhook_url_template_id")
        checked.update({"webhook_url": "", "webhook_url_template_id": template})
        return f"template:{template}"
    if not url.strip():
        _refuse("webhook_url", "a job needs the URL to send to, such as https://example.com/hook")
    try:
        safe = check_url(url, allow)
    except UnsafeUrl as error:
        raise UnsafeUrl(f"webhook_url: {error.message}", path="config.webhook_url") from error
    checked["webhook_url"] = safe.url
    checked.pop("webhook_url_template_id", None)
    return safe.origin


def _hosts(config: JsonObject) -> list[str]:
    """Return the hosts that a template may lead the job's credentials to."""
    hosts = [host.strip().lower() for host in texts(config.get("webhook_url_hosts"), "webhook_url_hosts")]
    for place, host in enumerate(hosts):
        if not _HOST.fullmatch(host):
            msg = f"{host!r} is no host; give its name alone, such as api.example.com"
            raise InvalidInput(msg, path=f"config.webhook_url_hosts.{place}")
    return hosts


def _check_template(known: Known, id_: JsonValue, key: str) -> None:
    if not id_:
        return
    if not isinstance(id_, str) or not known.has_template(id_):
        _refuse(key, f"there is no template {id_!r} in this account; {key} takes the id of one")


def _check_version(known: Known, config: JsonObject) -> None:
    id_, number = config.get("template_id"), config.get("template_version")
    _check_whole(number, "template_version", (1, MOST_VERSIONS))
    if not isinstance(number, int):
        return
    if not isinstance(id_, str) or not known.has_version(id_, number):
        _refuse(
            "template_version",
            f"there is no version {number} of the template {id_!r}; leave template_version out for the newest",
        )


def _choice(value: JsonValue, key: str, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        shown = ", ".join(choice or '""' for choice in choices)
        _refuse(key, f"{key} is {value!r}; it must be one of {shown}")
    return value


def _flag(config: Mapping[str, JsonValue], key: str) -> bool:
    value = config.get(key)
    if value not in (None, True, False):
        _refuse(key, f"{key} is {value!r}; it must be true or false")
    return value is True


def texts(value: JsonValue, key: str) -> list[str]:
    """Return a list of texts; raise InvalidInput with its key when it is something else."""
    items = [] if value is None else value
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) and item for item in items):
        _refuse(key, f"{key} is a list of texts")
    return [str(item) for item in items]


def _check_whole(value: JsonValue, key: str, bounds: tuple[int, int]) -> None:
    low, high = bounds
    whole = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    if value is not None and not whole:
        _refuse(key, f"{key} is {value!r}; it must be a whole number from {low} to {high}")


def _check_statuses(value: JsonValue) -> None:
    items = [] if value is None else value
    if not isinstance(items, list | tuple):
        _refuse("do_not_retry", "do_not_retry is a list of HTTP statuses, such as [409, 422]")
    for status in items:
        _check_whole(status if status is not None else "null", "do_not_retry", (100, 599))


def _check_stream(value: JsonValue) -> None:
    if value and not (isinstance(value, str) and _STREAM.fullmatch(value)):
        _refuse("stream", f"stream is {value!r}; a stream's name has letters, digits, _, - and . only")


def _refuse(key: str, message: str) -> NoReturn:
    raise InvalidInput(message, path=f"config.{key}")
