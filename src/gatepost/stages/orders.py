"""What deliver needs to know of each job, rebuilt when the catalog's version moves."""

import msgspec
import orjson

from gatepost.core.authorize import NO_AUTH, HeaderParamAuth, parse_header_param_auth
from gatepost.model.audience import Audience
from gatepost.model.catalog import (
    Account,
    Authorization,
    Destination,
    Job,
    JobStatus,
    Template,
    TemplateVersion,
)
from gatepost.model.errors import GatepostError
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.schema import Schema
from gatepost.model.times import Instant
from gatepost.ports.secrets import Secrets
from gatepost.ports.store import Transaction


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One job, ready to send for; never printed, for it holds credentials."""

    job: Job
    auth: HeaderParamAuth
    auth_as_of: Instant = 0
    """When the credentials were last changed."""
    hosts: tuple[str, ...] = ()
    """Hosts besides that of `url` that get the credentials when a template chooses them."""
    broken: str = ""
    """Why nothing can be sent, such as a sealed credential no key opens."""
    template: Template | None
    url_template: Template | None
    method: str
    url: str
    fields: tuple[str, ...]
    do_not_retry: frozenset[int]
    compact: bool
    """Bodies go out without the white space between their parts."""
    stream: str
    workers: int
    """Simultaneous requests; 0 is automatic."""
    config: bytes
    identifier_fields: tuple[str, ...]


class OrderBook:
    """Jobs by id and audiences by number, as of the newest catalog seen."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._version = -1
        self.orders: dict[str, Order] = {}
        self.audiences: dict[int, Audience] = {}
        self.caps: dict[int, int] = {}
        self.paused: set[str] = set()
        self.stopped: set[int] = set()

    def refresh(self, tx: Transaction) -> None:
        """Read the catalog again if it changed."""
        version = tx.catalog.version()
        if version == self._version:
            return
        self.orders, self.caps, self.paused = {}, {}, set()
        self.audiences = {audience.number: audience for audience in tx.catalog.list(Audience)}
        for account in tx.catalog.list(Account):
            self._read_account(tx, account.number)
        self.stopped = {d.number for d in tx.catalog.list(Destination) if d.stopped}
        self._version = version

    def forget(self) -> None:
        """Read everything anew next time, after a failed transaction."""
        self._version = -1

    def _read_account(self, tx: Transaction, account: int) -> None:
        templates = {template.id: template for template in tx.catalog.list(Template, account)}
        auths = {auth.id: auth for auth in tx.catalog.list(Authorization, account)}
        schema = tx.catalog.newest(Schema, account) or Schema()
        identifiers = tuple(field.name for field in schema.fields if field.identifier)
        for job in tx.catalog.list(Job, account):
            if job.status is JobStatus.DELETED:
                continue
            order = _pinned(tx, self._order(job, templates, auths, identifiers))
            self.orders[job.id] = order
            if job.status is JobStatus.PAUSED:
                self.paused.add(job.id)
            if order.workers:
                self.caps[job.destination] = min(order.workers, self.caps.get(job.destination, order.workers))

    def _order(
        self,
        job: Job,
        templates: dict[str, Template],
        auths: dict[str, Authorization],
        identifiers: tuple[str, ...],
    ) -> Order:
        config = job.config
        stored = auths.get(job.auth_ids[0]) if job.auth_ids else None
        auth, broken = self._open(stored) if job.auth_ids else (NO_AUTH, "")
        return Order(
            job=job,
            auth=auth,
            auth_as_of=stored.updated if stored is not None else 0,
            hosts=tuple(_texts(config.get("webhook_url_hosts"))),
            broken=broken,
            template=templates.get(_text(config.get("template_id"))),
            url_template=templates.get(_text(config.get("webhook_url_template_id"))),
            method=_text(config.get("http_method")) or "POST",
            url=_text(config.get("webhook_url")),
            fields=tuple(_texts(config.get("user_fields"))),
            do_not_retry=frozenset(_numbers(config.get("do_not_retry"))),
            compact=config.get("compact") is True,
            stream=_text(config.get("stream")),
            workers=next(iter(_numbers([config.get("worker_count")])), 0),
            config=orjson.dumps(config),
            identifier_fields=identifiers,
        )

    def _open(self, auth: Authorization | None) -> tuple[HeaderParamAuth, str]:
        if auth is None:
            return NO_AUTH, "its authorization is gone; give the job another one"
        if not auth.config:
            return NO_AUTH, ""
        try:
            return parse_header_param_auth(orjson.loads(self._secrets.open(auth.config))), ""
        except GatepostError as error:
            return NO_AUTH, error.message


def _pinned(tx: Transaction, order: Order) -> Order:
    """Let an order render the version of its template that its job stays at."""
    pin, newest = order.job.config.get("template_version"), order.template
    if not pin or newest is None or pin == newest.version:
        return order
    text = tx.catalog.get(TemplateVersion, newest.account, f"{newest.id}@{pin}")
    if text is not None:
        return msgspec.structs.replace(order, template=text)
    broken = f"version {pin} of its template is gone; roll the job back to another one"
    return msgspec.structs.replace(order, broken=order.broken or broken)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: JsonValue) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []


def _numbers(value: JsonValue) -> list[int]:
    if not isinstance(value, list | tuple):
        return []
    return [item for item in value if isinstance(item, int) and not isinstance(item, bool)]
