"""Credentials reach the job's own destination only, and nothing that is kept or shown."""

import asyncio

import msgspec

from gatepost.core.addresses import parse_allow_list
from gatepost.core.authorize import NO_AUTH, HeaderParamAuth
from gatepost.model.catalog import Authorization, Destination
from gatepost.model.delivery import Attempt, DeliveryState, Verdict
from gatepost.model.request import Answer, Request
from gatepost.ports.outbox import Claim, Enqueued, Settlement
from gatepost.providers.contract import PlannedRequest
from gatepost.providers.registry import installed_providers
from gatepost.stages.books import Entries, Stop, keep
from gatepost.stages.compose import misdirected
from gatepost.stages.courier import Courier
from gatepost.stages.orders import Order
from tests.factories import ACCOUNT, make_delivery
from tests.pipeline import Pipeline, make_job

NOW = 1_700_000_000_000
TOKEN = "a-long-secret/token"
AUTH = HeaderParamAuth(
    headers=(("Authorization", f"Bearer {TOKEN}"),), params=(("key", "parameter%2Dsecret"),)
)


class Echo:
    """A receiver that says back what it was sent."""

    def __init__(self, status: int, body: bytes) -> None:
        self._answer = Answer(status=status, body=body)

    async def send(self, _request: Request) -> Answer:
        return self._answer

    async def close(self) -> None:
        return


def make_order(**given: object) -> Order:
    honest = Order(
        job=make_job(1),
        auth=AUTH,
        template=None,
        url_template=None,
        method="POST",
        url="https://own.example.com/hook",
        fields=(),
        do_not_retry=frozenset(),
        compact=False,
        stream="",
        workers=0,
        config=b"{}",
        identifier_fields=(),
    )
    return msgspec.structs.replace(honest, **given)


def test_what_a_receiver_echoes_is_blanked_out_of_all_that_is_kept(pipeline: Pipeline) -> None:
    body = f'{{"error":"bad token {TOKEN} and parameter-secret"}}'.encode()
    courier = Courier(
        Echo(400, body), installed_providers(), pipeline.log, pipeline.clock, parse_allow_list(())
    )
    url = "https://unification.useinsider.com/api/user/v1/upsert"
    planned = PlannedRequest(request=Request(method="POST", url=url), deliveries=("d",))

    exchanged = asyncio.run(courier.exchange(planned, AUTH, [1]))

    assert exchanged.answer is not None
    for kept in (
        exchanged.answer.body.decode(),
        exchanged.attempts[0].answer.decode(),
        exchanged.attempts[0].reason,
        exchanged.outcomes[0].reason,
    ):
        assert TOKEN not in kept
        assert "parameter-secret" not in kept
    assert Verdict.REFUSED == exchanged.outcomes[0].verdict
    assert "***" in exchanged.outcomes[0].reason


def test_a_template_cannot_lead_the_credentials_to_another_host() -> None:
    order = make_order()

    assert misdirected("https://own.example.com/other", order) == ""
    assert "webhook_url_hosts" in misdirected("https://elsewhere.example.com/hook", order)
    assert "webhook_url_hosts" in misdirected("https://own.example.com:8443/hook", order)


def test_a_host_that_the_job_names_may_have_them_and_without_credentials_any_may() -> None:
    named = make_order(url="", hosts=("elsewhere.example.com",))
    without = make_order(auth=NO_AUTH)

    assert misdirected("https://elsewhere.example.com/hook", named) == ""
    assert misdirected("https://third.example.com/hook", named) != ""
    assert misdirected("https://third.example.com/hook", without) == ""


def claimed(pipeline: Pipeline) -> Settlement:
    """A delivery under way whose receiver has just refused the credentials."""
    delivery = make_delivery()
    claims = [Claim(destination=5, limit=1)]
    pipeline.store.write_blocking(lambda tx: tx.outbox.enqueue([Enqueued(b"{}", (delivery,))]))
    (held,) = pipeline.store.write_blocking(lambda tx: tx.outbox.claim("up", claims, NOW, NOW + 60_000))
    attempt = Attempt(delivery=held.id, number=1, started=NOW, duration=1, status=401)
    return Settlement(delivery=held, state=DeliveryState.PARKED, reason="401", attempt=attempt)


def put_destination(pipeline: Pipeline, *, changed: int) -> None:
    authorization = Authorization(
        id="auth", account=ACCOUNT, label="shop", type="header_param_auth", updated=changed
    )
    destination = Destination(
        number=5, account=ACCOUNT, authorization="auth", origin_url="https://own.example.com:443"
    )
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, "auth", authorization))
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, "5", destination))


def outcome_of(pipeline: Pipeline, entries: Entries) -> tuple[dict[str, int], str]:
    pipeline.store.write_blocking(lambda tx: keep(tx, "up", entries, NOW, 60_000))
    counts = pipeline.store.write_blocking(lambda tx: tx.deliveries.counts(ACCOUNT))
    stored = pipeline.store.write_blocking(lambda tx: tx.catalog.get(Destination, ACCOUNT, "5"))
    return {state: n for state, n in counts.items() if n}, stored.stopped if stored else ""


def test_refused_credentials_stop_their_destination(pipeline: Pipeline) -> None:
    put_destination(pipeline, changed=NOW)
    stop = Stop(reason="401", authorization="auth", as_of=NOW)

    found = outcome_of(pipeline, Entries(settlements=[claimed(pipeline)], stops={5: stop}))

    assert ({"parked": 1}, "401") == found


def test_a_late_refusal_of_old_credentials_does_not_stop_the_mended_ones(pipeline: Pipeline) -> None:
    put_destination(pipeline, changed=NOW + 1)
    stop = Stop(reason="401", authorization="auth", as_of=NOW)

    found = outcome_of(pipeline, Entries(settlements=[claimed(pipeline)], stops={5: stop}))

    assert ({"retrying": 1}, "") == found


def test_a_job_paused_while_its_delivery_is_under_way_tries_nothing_again(pipeline: Pipeline) -> None:
    put_destination(pipeline, changed=NOW)
    failed = msgspec.structs.replace(
        claimed(pipeline), state=DeliveryState.RETRYING, due=NOW + 1_000, reason="500"
    )

    found = outcome_of(pipeline, Entries(settlements=[failed], paused=[failed.delivery.job]))

    assert ({"parked": 1}, "") == found


def test_what_was_under_way_when_its_job_moved_is_tried_again_at_the_new_place(pipeline: Pipeline) -> None:
    put_destination(pipeline, changed=NOW)
    stop = Stop(reason="401", authorization="auth", as_of=NOW)
    refused = claimed(pipeline)
    entries = Entries(settlements=[refused], stops={5: stop}, homes={refused.delivery.job: 6})

    found = outcome_of(pipeline, entries)
    claims = [Claim(destination=6, limit=1)]
    (again,) = pipeline.store.write_blocking(lambda tx: tx.outbox.claim("up", claims, NOW, NOW + 60_000))

    assert ({"retrying": 1}, "401") == found
    assert (again.id, again.attempts) == (refused.delivery.id, 2)
