import msgspec
import pytest

from gatepost.model.catalog import Destination, Job
from gatepost.model.delivery import Attempt, DeliveryState
from gatepost.model.errors import Conflict, InvalidInput, NotFound
from gatepost.model.jsonvalue import JsonObject
from gatepost.operations import audiences, deliveries, jobs, profiles
from gatepost.operations.audiences import AudienceDraft
from gatepost.operations.deliveries import DeliveryQuery, DeliveryView
from gatepost.operations.jobs import JobDraft
from gatepost.ports.outbox import Claim, Settlement
from gatepost.ports.store import Transaction
from tests.unit.operations.desk import NEIGHBOUR, SHOP, Desk


@pytest.fixture
def job(shop: Desk) -> Job:
    """A job with three deliveries waiting."""
    shop.run(audiences.create_audience(shop.context, SHOP, AudienceDraft("Rich", "spend > 100")))
    config: JsonObject = {"segment_ids": ["rich"], "webhook_url": "https://example.com/hook"}
    draft = JobDraft("Tell", "webhook_triggers", config)
    made = shop.run(jobs.create_job(shop.context, SHOP, draft))
    shop.fold()
    baskets: list[JsonObject] = [{"card": card, "total": 500} for card in "abc"]
    shop.collect("baskets", *baskets)
    return made


def listed(desk: Desk, **query: object) -> list[DeliveryView]:
    wanted = DeliveryQuery(**query)  # type: ignore[arg-type]  # members by name
    return desk.run(deliveries.list_deliveries(desk.context, SHOP, wanted))


def finish(desk: Desk, job: Job, state: DeliveryState) -> str:
    """Let a worker end one delivery; return its id."""

    def work(tx: Transaction) -> str:
        (delivery,) = tx.outbox.claim("test", [Claim(destination=job.destination, limit=1)], 1, 10**15)
        attempt = Attempt(
            delivery=delivery.id, number=1, started=1, duration=5, status=404, verdict="refused"
        )
        settled = Settlement(delivery=delivery, state=state, reason="HTTP 404", attempt=attempt)
        tx.outbox.settle("test", [settled], 2)
        return delivery.id

    done: str = desk.write(work)
    return done


def test_deliveries_are_listed_newest_first_with_names_people_know(shop: Desk, job: Job) -> None:
    found = shop.run(profiles.find_entity(shop.context, SHOP, "card", "c"))

    views = listed(shop)

    assert found is not None
    newest = views[0]
    assert len(views) == 3
    assert newest.profile_id == found["data"]["_id"]
    assert (newest.audience_slug, newest.job_name) == ("rich", job.name)
    assert [view.delivery.seq for view in views] == sorted((v.delivery.seq for v in views), reverse=True)


def test_a_delivery_says_whom_it_is_about_and_why_it_is_parked(shop: Desk, job: Job) -> None:
    shop.run(jobs.command_job(shop.context, SHOP, job.id, "pause"))
    paused = listed(shop)

    def stop(tx: Transaction) -> None:
        (destination,) = tx.catalog.list(Destination, SHOP)
        stopped = msgspec.structs.replace(destination, stopped="HTTP 401")
        tx.catalog.put(SHOP, str(destination.number), stopped)

    shop.run(jobs.command_job(shop.context, SHOP, job.id, "resume"))
    shop.write(stop)
    shop.write(lambda tx: tx.outbox.hold(SHOP, destination=job.destination, held=True))
    stopped = listed(shop)

    assert [view.known_by for view in paused] == ["card=c", "card=b", "card=a"]
    assert {view.reason for view in paused} == {"the job Tell is paused"}
    assert {view.reason for view in stopped} == {"its destination is stopped: HTTP 401"}


def test_a_list_is_narrowed_and_paged(shop: Desk, job: Job) -> None:
    done = finish(shop, job, DeliveryState.REFUSED)
    everything = listed(shop)

    assert [view.delivery.id for view in listed(shop, state="refused")] == [done]
    assert len(listed(shop, profile_id=everything[0].profile_id)) == 1
    assert listed(shop, limit=1, before=everything[1].delivery.seq) == everything[2:]
    assert listed(shop, job=job.id) == everything


@pytest.mark.parametrize("query", [{"state": "lost"}, {"limit": 0}, {"limit": 501}])
def test_a_query_that_makes_no_sense_is_refused(shop: Desk, query: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        listed(shop, **query)


def test_a_delivery_tells_its_attempts_and_why_it_ended(shop: Desk, job: Job) -> None:
    done = finish(shop, job, DeliveryState.REFUSED)

    view = shop.run(deliveries.get_delivery(shop.context, SHOP, done))
    attempts = shop.run(deliveries.delivery_attempts(shop.context, SHOP, done))

    assert view.listed.reason == "HTTP 404"
    assert [attempt.status for attempt in attempts] == [404]
    counts = shop.run(deliveries.delivery_counts(shop.context, SHOP, job.id))
    assert (counts["refused"], counts["waiting"]) == (1, 2)


def test_a_refused_delivery_can_be_sent_again_under_its_id(shop: Desk, job: Job) -> None:
    done = finish(shop, job, DeliveryState.REFUSED)

    again = shop.run(deliveries.replay_delivery(shop.context, SHOP, done))

    assert (again.delivery.id, again.delivery.state) == (done, DeliveryState.WAITING)
    assert shop.woken[-1] == job.destination


def test_a_replay_for_a_paused_job_waits_with_it(shop: Desk, job: Job) -> None:
    done = finish(shop, job, DeliveryState.OMITTED)
    shop.run(jobs.command_job(shop.context, SHOP, job.id, "pause"))

    again = shop.run(deliveries.replay_delivery(shop.context, SHOP, done))

    assert again.delivery.state is DeliveryState.PARKED


def test_what_is_unfinished_or_of_a_killed_job_cannot_be_sent_again(shop: Desk, job: Job) -> None:
    done = finish(shop, job, DeliveryState.REFUSED)
    waiting = listed(shop, state="waiting")[0].delivery.id

    with pytest.raises(Conflict, match="waiting"):
        shop.run(deliveries.replay_delivery(shop.context, SHOP, waiting))
    shop.run(jobs.command_job(shop.context, SHOP, job.id, "kill"))
    with pytest.raises(Conflict, match="killed"):
        shop.run(deliveries.replay_delivery(shop.context, SHOP, done))


def test_a_neighbour_finds_nothing(shop: Desk, job: Job) -> None:
    done = finish(shop, job, DeliveryState.REFUSED)

    for work in (
        deliveries.get_delivery(shop.context, NEIGHBOUR, done),
        deliveries.replay_delivery(shop.context, NEIGHBOUR, done),
        deliveries.delivery_attempts(shop.context, NEIGHBOUR, done),
        deliveries.delivery_counts(shop.context, NEIGHBOUR, job.id),
    ):
        with pytest.raises(NotFound):
            shop.run(work)

    assert shop.run(deliveries.list_deliveries(shop.context, NEIGHBOUR)) == []


def test_a_delivery_is_found_by_the_beginning_of_its_id(shop: Desk, job: Job) -> None:
    everything = listed(shop)
    done = finish(shop, job, DeliveryState.REFUSED)

    assert [view.delivery.id for view in listed(shop, id_prefix=done[:12])] == [done]
    assert listed(shop, id_prefix="ffff0000ffff") == []
    assert len(everything) == 3
    for nonsense in ("abc", "xyzu", "0" * 33):
        with pytest.raises(InvalidInput):
            listed(shop, id_prefix=nonsense)


def test_a_cancelled_delivery_says_why_it_cannot_be_sent_again(shop: Desk, job: Job) -> None:
    done = finish(shop, job, DeliveryState.CANCELLED)

    with pytest.raises(Conflict, match=r"was cancelled \(HTTP 404\)"):
        shop.run(deliveries.replay_delivery(shop.context, SHOP, done))


def test_a_replay_keeps_what_is_known_of_the_attempts_before(shop: Desk, job: Job) -> None:
    done = finish(shop, job, DeliveryState.REFUSED)
    before = shop.run(deliveries.get_delivery(shop.context, SHOP, done)).delivery

    again = shop.run(deliveries.replay_delivery(shop.context, SHOP, done)).delivery

    assert (again.created, again.attempts) == (before.created, before.attempts)
    assert len(shop.run(deliveries.delivery_attempts(shop.context, SHOP, done))) == 1
