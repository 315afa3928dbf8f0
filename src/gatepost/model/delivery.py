"""Deliveries: one trigger of one job that has to arrive."""

from enum import StrEnum

import msgspec

from gatepost.model.audience import Crossing
from gatepost.model.times import Instant


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    """Not yet tried."""
    LEASED = "leased"
    """A worker holds it until the lease ends."""
    RETRYING = "retrying"
    """Tried; due again at `due`."""
    PARKED = "parked"
    """Held back because its job is paused or its destination is stopped."""
    DELIVERED = "delivered"
    REFUSED = "refused"
    """The receiver's final no."""
    OMITTED = "omitted"
    """Not sent on purpose: the template asserted, failed or gave null."""
    DEAD = "dead"
    """Given up after the retry window."""
    CANCELLED = "cancelled"


FINISHED = frozenset(
    {
        DeliveryState.DELIVERED,
        DeliveryState.REFUSED,
        DeliveryState.OMITTED,
        DeliveryState.DEAD,
        DeliveryState.CANCELLED,
    }
)


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One trigger of one job on its way out."""

    seq: int = 0
    """Row key; order of triggers."""
    id: str
    """32 hexadecimal digits: the same for the same trigger, sent in a header, stable over retries."""
    account: int
    job: str
    destination: int
    profile: int
    """Profile number: with the destination, the order key."""
    audience: int
    crossing: Crossing
    at: Instant
    """Audience time of the transition."""
    transition: int
    snapshot: int
    hops: int = 0
    """How many answers of deliveries lead to this one."""
    state: DeliveryState = DeliveryState.WAITING
    due: Instant = 0
    """Wall time of the next attempt."""
    attempts: int = 0
    """All that were made, those before a replay too."""
    first_attempt: Instant = 0
    """Wall time; the retry window counts from here."""
    body: bytes | None = None
    """The rendered request (method, URL, body as JSON), stored before the first send; retried byte for byte."""
    created: Instant = 0
    """Wall time."""
    earlier: int = 0
    """The attempts before the last replay; patience with the receiver starts anew after it."""


class Verdict(StrEnum):
    """A provider's reading of one exchange for one delivery."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    RETRY = "retry"
    SPLIT = "split"
    """The request was too large as a whole; send its deliveries in smaller requests."""
    STOP = "stop"
    """The destination itself is wrong (credentials); park everything for it and tell somebody."""


class ErrorClass(StrEnum):
    """What kind of thing kept an attempt from succeeding."""

    DNS = "dns"
    """The name led to no address."""
    CONNECT = "connect"
    """The connection was refused or the way there is closed."""
    TLS = "tls"
    """No connection could be secured: an expired certificate, a wrong name."""
    TIMEOUT_DNS = "timeout_dns"
    TIMEOUT_CONNECT = "timeout_connect"
    TIMEOUT_ANSWER = "timeout_answer"
    """Connected, and no head of an answer in time."""
    TIMEOUT_BODY = "timeout_body"
    """The head of an answer came in time, its body did not."""
    BROKEN = "broken"
    """The connection broke, or what came is no HTTP."""
    STATUS = "status"
    """An answer came, and it is no success."""
    TOO_LARGE = "answer_too_large"
    CREDENTIALS = "credentials"
    """No credentials could be had to send with."""
    RENDER = "render"
    """The template failed or gave nothing to send."""
    GUARD = "refused_by_guard"
    """The address may not be called."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one exchange means for one delivery."""

    verdict: Verdict
    reason: str = ""
    retry_after: int | None = None
    """Milliseconds the receiver asked us to wait."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange as recorded; never holds a secret."""

    delivery: str
    number: int
    started: Instant
    """Wall time."""
    duration: int
    """Milliseconds."""
    status: int = 0
    """HTTP status, 0 when no answer came."""
    verdict: str = ""
    reason: str = ""
    answer: bytes = b""
    """The first 2 KiB of the answer."""
