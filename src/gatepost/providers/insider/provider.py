"""Insider: users are upserted, or attributes of users deleted, up to a thousand in one request."""

import re
from collections.abc import Sequence

from gatepost.model.delivery import Outcome, Verdict
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.request import Answer, Request
from gatepost.model.times import Instant
from gatepost.providers.contract import Advice, Message, PlannedRequest
from gatepost.providers.descriptor import load_descriptor
from gatepost.providers.insider.advice import advice
from gatepost.providers.insider.answers import error_text, outcomes_of_success
from gatepost.providers.insider.bodies import batches
from gatepost.providers.statuses import outcome_by_status, shown_status
from gatepost.providers.webhook.provider import request_of

_URL = re.compile(
    r"https?://[^/?#]*(?:/[^?#]*)?/api/user/v1/(?:upsert|attribute/delete)/?(?:\?.*)?", re.IGNORECASE
)
_WHOLE_REQUEST = frozenset((400, 413))
_UNKNOWN_PARTNER = "partner is invalid"


class InsiderProvider:
    """Takes `/api/user/v1/upsert` and `/api/user/v1/attribute/delete` on any host."""

    name = "insider"
    descriptor = load_descriptor("gatepost.providers.insider")

    def __init__(self, *, batching: bool = False) -> None:
        self._batching = batching

    def recognises(self, url: str) -> bool:
        """Know Insider by the path, so that a gateway or the sandbox in front is served alike."""
        return _URL.fullmatch(url) is not None

    def plan(self, messages: Sequence[Message]) -> list[PlannedRequest]:
        """Return one request per message, or with batching one per run of single users."""
        if not self._batching or len(messages) == 1:
            return [request_of(message) for message in messages]
        return [
            request_of(group[0]) if body is None else _batch(group, body) for group, body in batches(messages)
        ]

    def judge(self, planned: PlannedRequest, answer: Answer, now: Instant) -> list[Outcome]:
        """Judge by the status, then by the users the answer says it refused."""
        carried = len(planned.deliveries)
        if 200 <= answer.status < 300:
            return outcomes_of_success(answer, carried)
        return [_failure(planned, answer, now)] * carried

    def advice(self, url: str, body: JsonValue) -> list[Advice]:
        """Say what Insider would refuse, ignore or misread."""
        return advice(url, body)


def _batch(group: Sequence[Message], body: bytes) -> PlannedRequest:
    first = group[0]
    return PlannedRequest(
        # No delivery id: a request of many has none, and Insider knows a repeat by its users.
        request=Request(method=first.method, url=first.url, headers=first.headers, body=body),
        deliveries=tuple(message.delivery for message in group),
        do_not_retry=first.do_not_retry,
    )


def _failure(planned: PlannedRequest, answer: Answer, now: Instant) -> Outcome:
    outcome = outcome_by_status(planned, answer, now)
    said = error_text(answer)
    if answer.status == 400 and _UNKNOWN_PARTNER in said.lower():
        reason = f"{shown_status(400)}: {said} Mend X-PARTNER-NAME in the authorization, then resume"
        return Outcome(verdict=Verdict.STOP, reason=reason)
    if answer.status in _WHOLE_REQUEST and len(planned.deliveries) > 1:
        # Too large, or one user spoils it: alone, the others are not to blame.
        return Outcome(verdict=Verdict.SPLIT, reason=f"{shown_status(answer.status)}: {said}".rstrip(": "))
    if not said or said in outcome.reason:
        return outcome
    return Outcome(
        verdict=outcome.verdict, reason=f"{outcome.reason} ({said})", retry_after=outcome.retry_after
    )
