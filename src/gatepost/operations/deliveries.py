"""Deliveries to look at: what is on its way, what became of it, and once more from the start."""

import re
from collections.abc import Iterable, Sequence

import msgspec

from gatepost.model.audience import Audience
from gatepost.model.catalog import Destination, Job, JobStatus
from gatepost.model.delivery import FINISHED, Attempt, Delivery, DeliveryState
from gatepost.model.errors import Conflict, InvalidInput, NotFound
from gatepost.model.profile import Profile
from gatepost.operations.context import Context
from gatepost.operations.records import current_schema, destinations_of, job_of
from gatepost.operations.replays import replay_of
from gatepost.ports.outbox import DeliveryFilter, Listed
from gatepost.ports.store import Transaction

MOST_LISTED = 500

_PREFIX = re.compile("[0-9a-f]{4,32}")


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery with the names people know things by; empty where the thing is gone."""

    listed: Listed
    profile_id: str = ""
    """The profile's `_id`."""
    audience_id: str = ""
    audience_slug: str = ""
    job_name: str = ""
    known_by: str = ""
    """The profile's highest-ranked identifier, such as `email=ada@example.com`."""
    reason: str = ""
    """Why it ended, or why it is parked."""

    @property
    def delivery(self) -> Delivery:
        """The delivery itself."""
        return self.listed.delivery


class DeliveryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries to list; empty members do not narrow."""

    job: str = ""
    state: str = ""
    profile_id: str = ""
    """The profile's `_id`."""
    before: int = 0
    """The `seq` of the last delivery of the page before."""
    limit: int = 50
    id_prefix: str = ""
    """The beginning of an id, four digits or more; the others do not count beside it."""


_EVERYTHING = DeliveryQuery()


async def list_deliveries(
    context: Context, account: int, query: DeliveryQuery = _EVERYTHING
) -> list[DeliveryView]:
    """Return deliveries, newest first."""
    if not 0 < query.limit <= MOST_LISTED:
        msg = f"limit is {query.limit}; it must be from 1 to {MOST_LISTED}"
        raise InvalidInput(msg, path="limit")
    if query.state and query.state not in set(DeliveryState):
        msg = f"there is no state {query.state!r}; there are {', '.join(DeliveryState)}"
        raise InvalidInput(msg, path="state")

    if query.id_prefix and not _PREFIX.fullmatch(query.id_prefix):
        msg = f"{query.id_prefix!r} begins no id; ids are hexadecimal digits, and four or more of them are enough"
        raise InvalidInput(msg, path="id")

    def work(tx: Transaction) -> list[DeliveryView]:
        if query.id_prefix:
            return _views(tx, account, tx.deliveries.beginning_with(account, query.id_prefix, query.limit))
        profile = _profile_number(tx, account, query.profile_id) if query.profile_id else 0
        wanted = DeliveryFilter(
            account=account,
            job=query.job,
            state=query.state,
            profile=profile,
            before=query.before,
            limit=query.limit,
        )
        return _views(tx, account, tx.deliveries.listed(wanted))

    return await context.store.read(work)


async def get_delivery(context: Context, account: int, id_: str) -> DeliveryView:
    """Return one delivery."""
    return await context.store.read(lambda tx: _views(tx, account, [_listed(tx, account, id_)])[0])


async def delivery_attempts(context: Context, account: int, id_: str) -> list[Attempt]:
    """Return a delivery's attempts in order."""

    def work(tx: Transaction) -> list[Attempt]:
        _listed(tx, account, id_)
        return tx.deliveries.attempts(account, id_)

    return await context.store.read(work)


async def delivery_counts(context: Context, account: int, job: str = "") -> dict[str, int]:
    """Count deliveries by state, of one job or of all."""

    def work(tx: Transaction) -> dict[str, int]:
        if job:
            job_of(tx, account, job)
        return tx.deliveries.counts(account, job)

    return await context.store.read(work)


async def replay_delivery(context: Context, account: int, id_: str) -> DeliveryView:
    """Send a finished delivery once more, rendered anew, under the same id."""

    def work(tx: Transaction) -> DeliveryView:
        listed = _listed(tx, account, id_)
        delivery = listed.delivery
        job = _replayable(tx, listed)
        again = replay_of(tx, context.secrets, delivery)
        if again is None:
            msg = f"what the delivery {id_} said is no longer kept, so it cannot be sent again"
            raise Conflict(msg)
        tx.deliveries.replay(account, id_, again)
        destination = destinations_of(tx, account).get(delivery.destination)
        if job.status is JobStatus.PAUSED or (destination is not None and destination.stopped):
            tx.outbox.hold(account, job=job.id, held=True)
        return _views(tx, account, [_listed(tx, account, id_)])[0]

    view = await context.store.write(work)
    context.wake_deliver([view.delivery.destination])
    return view


def _listed(tx: Transaction, account: int, id_: str) -> Listed:
    found = tx.deliveries.get(account, id_)
    if found is None:
        raise NotFound("delivery", id_)
    return found


def _replayable(tx: Transaction, listed: Listed) -> Job:
    delivery = listed.delivery
    if delivery.state not in FINISHED:
        msg = f"the delivery {delivery.id} is {delivery.state.value}; only a finished one can be sent again"
        raise Conflict(msg)
    job = tx.catalog.get(Job, delivery.account, delivery.job)
    if job is None or job.status is JobStatus.DELETED:
        msg = f"the job of the delivery {delivery.id} was killed, so it cannot be sent again"
        raise Conflict(msg)
    if delivery.state is DeliveryState.CANCELLED:
        why = f" ({listed.reason})" if listed.reason else ""
        msg = f"the delivery {delivery.id} was cancelled{why}, and what was cancelled is not sent again"
        raise Conflict(msg)
    return job


def _profile_number(tx: Transaction, account: int, profile_id: str) -> int:
    number = tx.profiles.find(account, [("_id", profile_id)]).get(("_id", profile_id))
    if number is None:
        raise NotFound("profile", profile_id)
    return number


def _views(tx: Transaction, account: int, listed: Iterable[Listed]) -> list[DeliveryView]:
    found = list(listed)
    profiles = tx.profiles.load(account, {item.delivery.profile for item in found})
    audiences = {audience.number: audience for audience in tx.catalog.list(Audience, account)}
    jobs = {job.id: job for job in tx.catalog.list(Job, account)}
    ranks, destinations = current_schema(tx, account).ranks, destinations_of(tx, account)
    views = []
    for item in found:
        delivery = item.delivery
        profile, audience = profiles.get(delivery.profile), audiences.get(delivery.audience)
        job, destination = jobs.get(delivery.job), destinations.get(delivery.destination)
        is_parked = delivery.state is DeliveryState.PARKED
        views.append(
            DeliveryView(
                listed=item,
                profile_id=profile.id if profile else "",
                audience_id=audience.id if audience else "",
                audience_slug=audience.slug if audience else "",
                job_name=job.name if job else "",
                known_by=_known_by(profile, ranks) if profile else "",
                reason=_why_parked(job, destination) if is_parked else item.reason,
            )
        )
    return views


def _known_by(profile: Profile, ranks: Sequence[str]) -> str:
    for field in ranks:
        for value in profile.identifiers.get(field, ()):
            return f"{field}={value}"
    return ""


def _why_parked(job: Job | None, destination: Destination | None) -> str:
    if job is not None and job.status is JobStatus.PAUSED:
        return f"the job {job.name} is paused"
    if destination is not None and destination.stopped:
        return f"its destination is stopped: {destination.stopped}"
    return ""
