"""Any HTTP receiver: one delivery is one request, and the status says it all."""

from collections.abc import Sequence

from gatepost.model.delivery import Outcome
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.request import Answer, Request
from gatepost.model.times import Instant
from gatepost.providers.contract import DELIVERY_HEADER, Advice, Message, PlannedRequest
from gatepost.providers.descriptor import load_descriptor
from gatepost.providers.statuses import outcome_by_status


def request_of(message: Message) -> PlannedRequest:
    """Return the request that carries this one message and its id."""
    request = Request(
        method=message.method,
        url=message.url,
        headers=(*message.headers, (DELIVERY_HEADER, message.delivery)),
        body=message.body,
    )
    return PlannedRequest(request=request, deliveries=(message.delivery,), do_not_retry=message.do_not_retry)


class WebhookProvider:
    """Takes every URL that no other provider recognises."""

    name = "webhook"
    descriptor = load_descriptor("gatepost.providers.webhook")

    def recognises(self, url: str) -> bool:
        """Take any URL."""
        return bool(url)

    def plan(self, messages: Sequence[Message]) -> list[PlannedRequest]:
        """Return one request per message."""
        return [request_of(message) for message in messages]

    def judge(self, planned: PlannedRequest, answer: Answer, now: Instant) -> list[Outcome]:
        """Judge by the status."""
        return [outcome_by_status(planned, answer, now)] * len(planned.deliveries)

    def advice(self, url: str, body: JsonValue) -> list[Advice]:  # noqa: ARG002 - the contract's signature
        """Have no opinion: the receiver may want anything."""
        return []
