"""From a claimed delivery to the request that goes out: rendered once, stored, sent byte for byte."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec
import orjson

from gatepost.core.addresses import origin_of
from gatepost.core.authorize import NO_AUTH
from gatepost.core.payloads import default_payload, triggered_entity
from gatepost.core.templates.context import segment_event
from gatepost.core.templates.sending import RequestParts, compacted, request_parts, template_url
from gatepost.model.catalog import Template
from gatepost.model.delivery import Delivery
from gatepost.model.errors import TemplateError
from gatepost.model.jsonvalue import JsonObject
from gatepost.model.request import Header
from gatepost.model.times import Instant
from gatepost.ports.renderer import RenderContext, Rendered, Renderer, RenderFailure, RenderResult
from gatepost.providers.contract import JSON_CONTENT, Message
from gatepost.stages.orders import Order


class Composed(msgspec.Struct, frozen=True, kw_only=True):
    """A rendered request without credentials, as the outbox stores it."""

    method: str
    url: str
    headers: tuple[Header, ...]
    body: bytes


class NotComposed(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is nothing to send."""

    reason: str
    again: bool = False
    """The engine itself failed, so another try may help."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery with what its templates may read."""

    delivery: Delivery
    entity: JsonObject
    order: Order


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Composed).decode


def stored(composed: Composed) -> bytes:
    """Return a request as the outbox keeps it."""
    return _ENCODE(composed)


def restored(body: bytes) -> Composed:
    """Return the request an earlier attempt stored."""
    return _DECODE(body)


def misdirected(url: str, order: Order) -> str:
    """Say why a template's URL may not get the job's credentials; empty when it may."""
    if order.auth == NO_AUTH or (order.url and origin_of(url) == origin_of(order.url)):
        return ""
    host = urlsplit(url).hostname or ""
    if host in order.hosts:
        return ""
    return (
        f"the template chose the host {host}, which is not the job's own, so the authorization is not sent there; "
        "name it in the job's webhook_url_hosts if it may have it"
    )


def message_of(delivery: Delivery, composed: Composed, order: Order) -> Message:
    """Return what a provider plans with."""
    return Message(
        delivery=delivery.id,
        method=composed.method,
        url=composed.url,
        headers=composed.headers,
        body=composed.body,
        do_not_retry=order.do_not_retry,
    )


def draft(delivery: Delivery, snapshot: bytes, order: Order, audience: tuple[str, str]) -> Draft:
    """Return what the templates of a delivery read; `audience` is its id and slug."""
    event = segment_event(*audience, delivery.crossing, delivery.at)
    return Draft(delivery=delivery, entity=triggered_entity(snapshot, event, order.fields), order=order)


async def compose(renderer: Renderer, drafts: Sequence[Draft], now: Instant) -> list[Composed | NotComposed]:
    """Compose requests, one per draft in order; drafts of one job are rendered together."""
    composed: dict[int, Composed | NotComposed] = {}
    by_job: dict[str, list[tuple[int, Draft]]] = {}
    for index, item in enumerate(drafts):
        by_job.setdefault(item.delivery.job, []).append((index, item))
    for group in by_job.values():
        results = await _compose_job(renderer, [item for _, item in group], now)
        composed.update(zip((index for index, _ in group), results, strict=True))
    return [composed[index] for index in range(len(drafts))]


async def _compose_job(
    renderer: Renderer, drafts: Sequence[Draft], now: Instant
) -> list[Composed | NotComposed]:
    order = drafts[0].order
    if order.broken:
        return [NotComposed(reason=order.broken, again=True) for _ in drafts]
    if order.template is None and order.url_template is None:
        return [_plain(item, order.url, now) for item in drafts]
    contexts = [RenderContext(entity=d.entity, job_config=order.config) for d in drafts]
    urls = await _rendered(renderer, order.url_template, contexts)
    bodies = await _rendered(renderer, order.template, contexts)
    return [_assemble(item, url, body, now) for item, url, body in zip(drafts, urls, bodies, strict=True)]


async def _rendered(
    renderer: Renderer, template: Template | None, contexts: Sequence[RenderContext]
) -> Sequence[RenderResult | None]:
    if template is None:
        return [None] * len(contexts)
    return await renderer.render(template.type.value, template.source, contexts)


def _assemble(
    item: Draft, url: RenderResult | None, body: RenderResult | None, now: Instant
) -> Composed | NotComposed:
    for result in (url, body):
        if isinstance(result, RenderFailure):
            return NotComposed(reason=result.message, again=result.kind == "engine")
    try:
        target = _address(item.order, url)
        if body is None:
            return _plain(item, target, now)
        parts = request_parts(_text_of(body), target)
    except TemplateError as error:
        return NotComposed(reason=error.message)
    if parts is None:
        gave = "null" if _text_of(body).strip() else "nothing"
        return NotComposed(reason=f"the template gave {gave}")
    return _from_parts(parts, item.order)


def _address(order: Order, rendered: RenderResult | None) -> str:
    if rendered is None or order.url_template is None:
        return order.url
    return template_url(_text_of(rendered), order.url_template.type)


def _from_parts(parts: RequestParts, order: Order) -> Composed:
    named = {name.lower() for name, _ in parts.headers}
    headers = (*parts.headers, *(header for header in JSON_CONTENT if header[0].lower() not in named))
    body = compacted(parts.body) if order.compact else parts.body
    sent = b"" if order.method == "GET" else body.encode()
    return Composed(method=order.method, url=parts.url, headers=headers, body=sent)


def _plain(item: Draft, url: str, now: Instant) -> Composed:
    payload = default_payload(item.entity, item.order.job.id, now)
    method = item.order.method
    body = b"" if method == "GET" else orjson.dumps(payload)
    return Composed(method=method, url=url, headers=JSON_CONTENT, body=body)


def _text_of(result: RenderResult) -> str:
    assert isinstance(result, Rendered)
    return result.text
