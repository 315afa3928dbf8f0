"""What a provider is: the kind of receiver, told apart by the URL a job names."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from gatepost.model.delivery import Outcome
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.request import Answer, Header, Request
from gatepost.model.times import Instant
from gatepost.providers.descriptor import Descriptor

DELIVERY_HEADER = "Gatepost-Delivery-Id"
"""Carries the delivery's id, the same over retries, so that a receiver can drop a repeat."""

JSON_CONTENT: tuple[Header, ...] = (("Content-Type", "application/json"),)


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One rendered delivery, before anybody decided which request carries it."""

    delivery: str
    """The delivery's id."""
    method: str = "POST"
    url: str
    headers: tuple[Header, ...] = JSON_CONTENT
    """Without credentials; those are added to the planned request."""
    body: bytes = b""
    do_not_retry: frozenset[int] = frozenset()
    """HTTP statuses that the job takes for a final no."""


class PlannedRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One request and the deliveries it carries, in the order of its body."""

    request: Request
    deliveries: tuple[str, ...]
    do_not_retry: frozenset[int] = frozenset()


class AdviceLevel(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """The receiver refuses it, or does something else than the user wants."""
    WARNING = "warning"
    """The receiver takes it, but a value is lost or misleads."""


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing about a rendered body that its author should know before it is sent."""

    path: str
    """Where in the body, such as `users.0.attributes.email`; empty for the body as a whole."""
    message: str
    level: AdviceLevel = AdviceLevel.WARNING


class Provider(Protocol):
    """Knows how to talk to one kind of receiver. Pure: the network, the clock and the store are elsewhere."""

    @property
    def name(self) -> str:
        """The name in settings, logs and pages."""

    @property
    def descriptor(self) -> Descriptor:
        """How pages show this provider and what they ask for."""

    def recognises(self, url: str) -> bool:
        """Say whether a job with this URL is this provider's."""

    def plan(self, messages: Sequence[Message]) -> list[PlannedRequest]:
        """Turn messages for one destination into requests; each message is in exactly one, order kept.

        After a SPLIT the caller plans each half of the request's messages by itself.
        """

    def judge(self, planned: PlannedRequest, answer: Answer, now: Instant) -> list[Outcome]:
        """Read an answer: one outcome per delivery of the request, in its order."""

    def advice(self, url: str, body: JsonValue) -> list[Advice]:
        """Look over a rendered body before anything is sent; an empty list means nothing to say."""
