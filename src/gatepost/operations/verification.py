"""One made-up profile through a job's real path: what deliver would do, step by step, shown to a person."""

import msgspec
import orjson

from gatepost.core.applying import read_event
from gatepost.core.authorize import HeaderParamAuth, authorized
from gatepost.core.payloads import answer_event
from gatepost.core.plans import AccountPlan
from gatepost.core.templates.context import generated_entity
from gatepost.model.audience import Audience, Crossing
from gatepost.model.delivery import Delivery, Verdict
from gatepost.model.errors import Conflict, InvalidInput
from gatepost.model.event import Event, RecordKind
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.request import Answer, Request
from gatepost.model.schema import Schema
from gatepost.operations.context import Context, new_id
from gatepost.operations.records import current_schema, job_of
from gatepost.ports.store import Transaction
from gatepost.providers.contract import PlannedRequest
from gatepost.stages.compose import Composed, Draft, NotComposed, compose, draft, message_of, misdirected
from gatepost.stages.courier import Courier, Exchanged
from gatepost.stages.orders import Order, OrderBook

HIDDEN = "***"
_SHOWN_BODY = 64 * 1024


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a verification; not `ok` means that a person should look."""

    name: str
    """`warning`, `render`, `request`, `answer`, `judgement` or `mapped`."""
    ok: bool = True
    text: str = ""
    """One sentence for people."""
    detail: JsonObject = {}


class _Path(msgspec.Struct, frozen=True, kw_only=True):
    """What the job's path is made of."""

    order: Order
    audience: Audience
    schema: Schema


async def verify_job(
    context: Context,
    account: int,
    job_id: str,
    *,
    profile: JsonObject | None = None,
    event: str = "enter",
    record: bool = False,
) -> list[Step]:
    """Send one profile the way the job sends; with `record`, stop before anything leaves."""
    crossing = _crossing(event)
    path = await context.store.read(lambda tx: _path(tx, context, account, job_id))
    item = _draft(context, account, path, profile, crossing)
    (composed,) = await compose(context.renderer, [item], context.clock.wall())
    if isinstance(composed, NotComposed):
        return [Step(name="render", ok=False, text=f"nothing would be sent: {composed.reason}")]
    steps = [_warning(item, composed, record=record), _rendered(context, composed)]
    courier = Courier(context.sender, context.providers, context.log, context.clock, context.allow)
    if refusal := courier.refusal(composed.url) or misdirected(composed.url, path.order):
        return [*steps, Step(name="request", ok=False, text=f"refused before sending: {refusal}")]
    (planned,) = courier.plan([message_of(item.delivery, composed, path.order)])
    steps.append(_requested(planned, path.order.auth))
    if record:
        return steps
    exchanged = await courier.exchange(planned, path.order.auth, [1])
    steps += [_answered(exchanged), _judged(context, composed, exchanged)]
    if exchanged.answer is not None:
        steps.append(_mapped(item, path, exchanged.answer, context.clock.audience()))
    return steps


def _crossing(event: str) -> Crossing:
    try:
        return Crossing(event)
    except ValueError:
        msg = f"there is no event {event!r}; an audience has enter and exit"
        raise InvalidInput(msg, path="event") from None


def _path(tx: Transaction, context: Context, account: int, job_id: str) -> _Path:
    job = job_of(tx, account, job_id)
    orders = OrderBook(context.secrets)
    orders.refresh(tx)
    order = orders.orders.get(job.id)
    if order is None:
        msg = f"the job {job.name!r} was killed; there is nothing to verify"
        raise Conflict(msg)
    ids = job.config.get("segment_ids")
    watched = [str(id_) for id_ in ids] if isinstance(ids, list | tuple) else []
    found = (tx.catalog.get(Audience, account, id_) for id_ in watched)
    audience = next((one for one in found if one is not None and not one.deleted), None)
    if audience is None:
        msg = f"the audiences of the job {job.name!r} are gone; give it another one"
        raise Conflict(msg)
    return _Path(order=order, audience=audience, schema=current_schema(tx, account))


def _draft(
    context: Context, account: int, path: _Path, profile: JsonObject | None, crossing: Crossing
) -> Draft:
    now = context.clock.audience()
    entity = generated_entity(path.schema.fields, now) if profile is None else dict(profile)
    entity.setdefault("_id", "sample-id")
    if profile is None or "_segments" not in profile:
        entity["_segments"] = [path.audience.slug] if crossing is Crossing.ENTER else []
    delivery = Delivery(
        id=new_id(),
        account=account,
        job=path.order.job.id,
        destination=path.order.job.destination,
        profile=0,
        audience=path.audience.number,
        crossing=crossing,
        at=now,
        transition=1,
        snapshot=0,
        attempts=1,
        created=context.clock.wall(),
    )
    return draft(delivery, orjson.dumps(entity), path.order, (path.audience.id, path.audience.slug))


def _warning(item: Draft, composed: Composed, *, record: bool) -> Step:
    identity = {
        name: item.entity[name] for name in ("_id", *item.order.identifier_fields) if name in item.entity
    }
    shown = ", ".join(f"{name} {value}" for name, value in identity.items())
    address = composed.url.partition("?")[0]
    text = (
        f"Nothing is sent. With sending on, {address} would get the test profile {shown}."
        if record
        else f"{address} gets the test profile {shown} for good; remove it there when you are done."
    )
    return Step(name="warning", text=text, detail={"address": address, "identifiers": identity})


def _rendered(context: Context, composed: Composed) -> Step:
    body = composed.body[:_SHOWN_BODY].decode("utf-8", "replace")
    try:
        value: JsonValue = orjson.loads(composed.body) if composed.body else None
        advice = context.providers.by_url(composed.url).advice(composed.url, value)
    except orjson.JSONDecodeError:
        return Step(name="render", text="the body is not JSON", detail={"body": body})
    shown: list[JsonValue] = [{"path": a.path, "message": a.message, "level": a.level.value} for a in advice]
    remarks = f"{len(advice)} remark{'' if len(advice) == 1 else 's'}"
    text = f"rendered, with {remarks}" if advice else "rendered"
    return Step(name="render", text=text, detail={"body": body, "advice": shown})


def _requested(planned: PlannedRequest, auth: HeaderParamAuth) -> Step:
    """Show the request as it goes out, the values of its credentials hidden."""
    hidden = HeaderParamAuth(
        headers=tuple((name, HIDDEN) for name, _ in auth.headers),
        params=tuple((name, HIDDEN) for name, _ in auth.params),
    )
    shown: Request = authorized(planned.request, hidden)
    headers: list[JsonValue] = [f"{name}: {value}" for name, value in shown.headers]
    detail: JsonObject = {"method": shown.method, "url": shown.url, "headers": headers}
    return Step(name="request", text=f"{shown.method} {shown.url}", detail=detail)


def _answered(exchanged: Exchanged) -> Step:
    attempt = exchanged.attempts[0]
    if exchanged.answer is None:
        return Step(name="answer", ok=False, text=f"no answer: {attempt.reason}")
    detail: JsonObject = {
        "status": attempt.status,
        "milliseconds": attempt.duration,
        "body": attempt.answer.decode("utf-8", "replace"),
    }
    return Step(name="answer", text=f"HTTP {attempt.status} after {attempt.duration} ms", detail=detail)


def _judged(context: Context, composed: Composed, exchanged: Exchanged) -> Step:
    outcome = exchanged.outcomes[0]
    provider = context.providers.by_url(composed.url).name
    meaning = _MEANINGS[outcome.verdict]
    text = f"{meaning}: {outcome.reason}" if outcome.reason else meaning
    detail: JsonObject = {"provider": provider, "verdict": outcome.verdict.value}
    return Step(name="judgement", ok=outcome.verdict is Verdict.DELIVERED, text=text, detail=detail)


def _mapped(item: Draft, path: _Path, answer: Answer, now: int) -> Step:
    """Show what the stream's mappings would make of the answer; nothing is stored."""
    stream = path.order.stream
    if not stream:
        return Step(name="mapped", text="the job names no stream, so answers are only read for their outcome")
    body = answer_event(item.entity, path.order.identifier_fields, answer.body)
    if body is None:
        return Step(name="mapped", text="the answer is not JSON, so nothing of it would come back")
    plan = AccountPlan(path.schema, (), (), set())
    reading = read_event(plan, Event(0, RecordKind.EVENT, 0, stream, now, now, body))
    fields: JsonObject = {field.name: value for field, value in reading.values}
    identifiers: JsonObject = dict(reading.identifiers)
    text = (
        f"{stream} would fill {', '.join(fields) or 'no field'}"
        if reading.identifiers
        else f"{stream} maps no identifier from the answer, so it would reach no profile"
    )
    detail: JsonObject = {"stream": stream, "fields": fields, "identifiers": identifiers}
    return Step(name="mapped", ok=bool(reading.identifiers), text=text, detail=detail)


_MEANINGS = {
    Verdict.DELIVERED: "delivered",
    Verdict.REFUSED: "refused for good",
    Verdict.RETRY: "would be tried again",
    Verdict.SPLIT: "would be tried again in smaller requests",
    Verdict.STOP: "the destination would be stopped",
}
