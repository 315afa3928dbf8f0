"""One request to one destination: vetted, signed with its credentials, sent, judged."""

import asyncio
from collections.abc import Sequence
from functools import lru_cache, partial
from urllib.parse import unquote

import msgspec
import orjson

from gatepost.core.addresses import AllowList, refused_url
from gatepost.core.authorize import HeaderParamAuth, authorized
from gatepost.core.payloads import answer_event
from gatepost.model.delivery import Attempt, Outcome, Verdict
from gatepost.model.errors import Blocked, Unavailable, Unreachable
from gatepost.model.event import Submission
from gatepost.model.request import Answer
from gatepost.ports.clock import Clock
from gatepost.ports.log import EventLog
from gatepost.ports.sender import Sender
from gatepost.providers.contract import Message, PlannedRequest
from gatepost.providers.registry import ProviderRegistry
from gatepost.stages.compose import Draft

_SHORTEST_SECRET = 8
"""Shorter values, such as a partner's name, would blank out half of every answer."""

KEPT_ANSWER = 2 * 1024
"""Bytes of an answer that an attempt remembers."""


class Exchanged(msgspec.Struct, frozen=True, kw_only=True):
    """What one request meant for each delivery it carried."""

    outcomes: list[Outcome]
    attempts: list[Attempt]
    answer: Answer | None = None
    duration: int = 0


class Courier:
    """Sends planned requests; knows nothing of queues and leases."""

    def __init__(
        self, sender: Sender, providers: ProviderRegistry, log: EventLog, clock: Clock, allow: AllowList
    ) -> None:
        self._sender = sender
        self._providers = providers
        self._log = log
        self._clock = clock
        self._refusal = lru_cache(4_096)(partial(refused_url, allow=allow))

    def plan(self, messages: Sequence[Message]) -> list[PlannedRequest]:
        """Turn the messages of one destination into requests."""
        by_provider: dict[str, list[Message]] = {}
        for message in messages:
            by_provider.setdefault(self._providers.by_url(message.url).name, []).append(message)
        return [
            planned
            for group in by_provider.values()
            for planned in self._providers.by_url(group[0].url).plan(group)
        ]

    def refusal(self, url: str) -> str:
        """Return why this final URL may not be called; empty when it may."""
        return self._refusal(url)

    async def exchange(
        self, planned: PlannedRequest, auth: HeaderParamAuth, numbers: Sequence[int]
    ) -> Exchanged:
        """Send a request and judge the answer; `numbers` are the attempt numbers of its deliveries."""
        started = self._clock.wall()
        answer: Answer | None = None
        try:
            answer = _masked(await self._sender.send(authorized(planned.request, auth)), auth)
        except (Unreachable, Blocked) as error:
            outcomes = [Outcome(verdict=Verdict.RETRY, reason=error.message)] * len(planned.deliveries)
        else:
            provider = self._providers.by_url(planned.request.url)
            outcomes = provider.judge(planned, answer, self._clock.wall())
        duration = self._clock.wall() - started
        kept = answer.body[:KEPT_ANSWER] if answer is not None else b""
        attempts = [
            Attempt(
                delivery=delivery,
                number=number,
                started=started,
                duration=duration,
                status=answer.status if answer is not None else 0,
                verdict=outcome.verdict.value,
                reason=outcome.reason,
                answer=kept,
            )
            for delivery, number, outcome in zip(planned.deliveries, numbers, outcomes, strict=True)
        ]
        return Exchanged(outcomes=outcomes, attempts=attempts, answer=answer, duration=duration)

    async def forward(self, draft: Draft, answer: Answer) -> bool:
        """Append an answer to its job's stream under the delivery's id; say whether it is on disk.

        It happens before the settlement: a crash in between repeats the delivery, and the repeat counts once.
        """
        delivery = draft.delivery
        body = answer_event(draft.entity, draft.order.identifier_fields, answer.body, delivery.id)
        if body is None:
            return True
        event = Submission(draft.order.stream, 0, body, f"answer:{delivery.id}", delivery.hops + 1)
        try:
            await asyncio.wrap_future(self._log.append(delivery.account, [event]))
        except Unavailable:
            return False
        return True


def _masked(answer: Answer, auth: HeaderParamAuth) -> Answer:
    """Blank out credentials that a receiver echoes, before anybody judges, stores or forwards its answer."""
    body = answer.body
    for secret in _secrets_of(auth):
        body = body.replace(secret, b"***")
    return answer if body == answer.body else msgspec.structs.replace(answer, body=body)


@lru_cache(256)
def _secrets_of(auth: HeaderParamAuth) -> tuple[bytes, ...]:
    """Return the forms in which credentials may come back: whole, without their scheme, decoded, escaped."""
    texts: set[str] = set()
    for _, value in (*auth.headers, *auth.params):
        texts |= {value, value.rpartition(" ")[2], unquote(value)}
    texts |= {orjson.dumps(text).decode()[1:-1] for text in texts}
    return tuple(
        text.encode() for text in sorted(texts, key=len, reverse=True) if len(text) >= _SHORTEST_SECRET
    )
