import msgspec
import pytest

from gatepost.core.addresses import AllowList
from gatepost.model.audience import Audience
from gatepost.model.catalog import Destination, Job, JobStatus
from gatepost.model.errors import Conflict, InvalidInput, NotFound, UnsafeUrl
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.operations import audiences, authorizations, jobs, templates
from gatepost.operations.audiences import AudienceDraft
from gatepost.operations.authorizations import AuthorizationDraft
from gatepost.operations.jobs import JobDraft
from gatepost.operations.templates import TemplateDraft
from gatepost.ports.store import Transaction
from tests.unit.operations.desk import NEIGHBOUR, NOON, SHOP, Desk

URL = "https://unification.useinsider.com/api/user/v1/upsert"


@pytest.fixture
def rich(shop: Desk) -> Audience:
    return shop.run(audiences.create_audience(shop.context, SHOP, AudienceDraft("Rich", "spend > 100")))


def draft_of(called: str = "Tell", **config: JsonValue) -> JobDraft:
    settings: JsonObject = {"segment_ids": ["rich"], "webhook_url": URL, **config}
    return JobDraft(called, "webhook_triggers", settings)


def made(desk: Desk, draft: JobDraft | None = None, *, run: bool = True) -> Job:
    return desk.run(jobs.create_job(desk.context, SHOP, draft or draft_of(), run=run))


def counts(desk: Desk) -> dict[str, int]:
    counted = desk.read(lambda tx: tx.deliveries.counts(SHOP))
    return {state: amount for state, amount in counted.items() if amount}


def test_a_new_job_is_stored_in_full_and_runs(shop: Desk, rich: Audience) -> None:
    job = made(shop, draft_of(email_field="email", http_method="put"))

    assert job.status is JobStatus.RUNNING
    assert job.config == {
        "segment_ids": [rich.id],
        "webhook_url": URL,
        "http_method": "PUT",
        "audience_events": "",
        "user_fields": [],
        "withbackfill": False,
        "email_field": "email",
    }
    shop.collect("baskets", {"card": "a", "total": 500})
    assert counts(shop) == {"waiting": 1}


def test_jobs_with_one_authorization_and_host_share_a_destination(shop: Desk, rich: Audience) -> None:
    del rich
    auth = shop.run(
        authorizations.create_authorization(
            shop.context, SHOP, AuthorizationDraft("Key", config={"webhook_request_headers": "X-Key: 1"})
        )
    )
    bare = made(shop)
    with_key = made(shop, msgspec.structs.replace(draft_of(), auth_ids=(auth.id,)))
    exits = msgspec.structs.replace(
        draft_of(webhook_url="https://unification.useinsider.com/api/user/v1/attribute/delete"),
        auth_ids=(auth.id,),
    )
    elsewhere = msgspec.structs.replace(
        draft_of(webhook_url="https://example.com:8443/x"), auth_ids=(auth.id,)
    )

    numbers = [bare.destination, with_key.destination, made(shop, exits).destination]
    numbers.append(made(shop, elsewhere).destination)

    assert numbers[1] == numbers[2]
    assert len(set(numbers)) == 3
    places = shop.run(jobs.list_destinations(shop.context, SHOP))
    assert places[numbers[3]].origin_url == "https://example.com:8443"


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"segment_ids": []}, "config.segment_ids"),
        ({"segment_ids": "rich"}, "config.segment_ids"),
        ({"segment_ids": ["rich", "poor"]}, "config.segment_ids.1"),
        ({"webhook_url": ""}, "config.webhook_url"),
        ({"webhook_url": 5}, "config.webhook_url"),
        ({"webhook_url": "http://example.com/"}, "config.webhook_url"),
        ({"webhook_url": "https://10.0.0.1/"}, "config.webhook_url"),
        ({"webhook_url": "https://unification.useinsider.com/api/user/v1/delete"}, "config.webhook_url"),
        ({"webhook_url": "https://proxy.example/%61pi/user/v1/%64elete"}, "config.webhook_url"),
        ({"webhook_url": "0" * 32}, "config.webhook_url_template_id"),
        ({"webhook_url_hosts": "api.example.com"}, "config.webhook_url_hosts"),
        ({"webhook_url_hosts": ["https://api.example.com"]}, "config.webhook_url_hosts.0"),
        ({"template_id": "0" * 32}, "config.template_id"),
        ({"http_method": "TRACE"}, "config.http_method"),
        ({"audience_events": "both"}, "config.audience_events"),
        ({"user_fields": "spend"}, "config.user_fields"),
        ({"withbackfill": "yes"}, "config.withbackfill"),
        ({"worker_count": 1000}, "config.worker_count"),
        ({"worker_count": "5"}, "config.worker_count"),
        ({"do_not_retry": 404}, "config.do_not_retry"),
        ({"do_not_retry": [4040]}, "config.do_not_retry"),
        ({"stream": "no/slash"}, "config.stream"),
        ({"batch_requests": True}, "config.batch_requests"),
        ({"field_changes": ["spend"]}, "config.field_changes"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_by_its_key(
    shop: Desk, rich: Audience, config: JsonObject, path: str
) -> None:
    del rich

    with pytest.raises(InvalidInput) as refused:
        made(shop, draft_of("Tell", **config))

    assert refused.value.path == path
    assert shop.run(jobs.list_jobs(shop.context, SHOP)) == []


def test_the_exit_address_of_the_guide_is_refused_with_the_right_one(shop: Desk, rich: Audience) -> None:
    del rich

    with pytest.raises(UnsafeUrl, match="/api/user/v1/attribute/delete"):
        made(shop, draft_of(webhook_url="https://unification.useinsider.com/api/user/v1/delete"))


def test_a_template_may_give_the_address(shop: Desk, rich: Audience) -> None:
    del rich
    template = shop.run(
        templates.create_template(
            shop.context, SHOP, TemplateDraft("address", "jsonnet", "'https://example.com/x'")
        )
    )

    job = made(shop, draft_of(webhook_url=template.id))

    assert (job.config["webhook_url"], job.config["webhook_url_template_id"]) == ("", template.id)
    place = shop.run(jobs.list_destinations(shop.context, SHOP))[job.destination]
    assert place.origin_url == f"template:{template.id}"


def test_credentials_need_the_hosts_that_a_template_may_choose(shop: Desk, rich: Audience) -> None:
    del rich
    address = TemplateDraft("address", "jsonnet", "'https://example.com/x'")
    template = shop.run(templates.create_template(shop.context, SHOP, address))
    auth = shop.run(
        authorizations.create_authorization(
            shop.context, SHOP, AuthorizationDraft("key", config={"webhook_request_headers": "X-Key: 1"})
        )
    )

    open_ended = msgspec.structs.replace(draft_of(webhook_url=template.id), auth_ids=(auth.id,))
    named = draft_of(webhook_url=template.id, webhook_url_hosts=["Example.com"])

    with pytest.raises(InvalidInput) as refused:
        made(shop, open_ended)
    job = made(shop, msgspec.structs.replace(named, auth_ids=(auth.id,)))

    assert refused.value.path == "config.webhook_url_hosts"
    assert job.config["webhook_url_hosts"] == ["example.com"]


@pytest.mark.parametrize("workflow", ["webhook_triggers", "webhook-triggers"])
def test_a_workflow_is_known_in_both_spellings(shop: Desk, rich: Audience, workflow: str) -> None:
    del rich

    job = made(shop, msgspec.structs.replace(draft_of(), workflow=workflow))

    assert job.workflow == "webhook_triggers"
    assert shop.run(jobs.list_jobs(shop.context, SHOP, workflow=workflow)) == [job]


def test_other_workflows_are_refused(shop: Desk, rich: Audience) -> None:
    del rich

    with pytest.raises(InvalidInput, match="webhook_triggers"):
        made(shop, msgspec.structs.replace(draft_of(), workflow="webhook-enrichment"))
    with pytest.raises(NotFound):
        made(shop, msgspec.structs.replace(draft_of(), workflow="coffee"))


def test_backfill_sends_the_members_there_are_once(shop: Desk, rich: Audience) -> None:
    del rich
    shop.fold()
    shop.collect("baskets", {"card": "a", "total": 500}, {"card": "b", "total": 5})

    made(shop, draft_of(withbackfill=True))
    shop.fold()
    shop.collect("baskets", {"card": "b", "total": 500})

    assert counts(shop) == {"waiting": 2}


def test_an_update_backfills_only_audiences_the_job_did_not_watch(shop: Desk, rich: Audience) -> None:
    local = shop.run(audiences.create_audience(shop.context, SHOP, AudienceDraft("Local", 'town = "Bruges"')))
    shop.fold()
    shop.collect("baskets", {"card": "a", "total": 500, "town": "Bruges"})
    job = made(shop, draft_of(withbackfill=True))
    shop.fold()

    both = draft_of(withbackfill=True, segment_ids=[rich.id, local.id])
    shop.run(jobs.update_job(shop.context, SHOP, job.id, both))
    shop.fold()

    listed = shop.read(lambda tx: tx.deliveries.counts(SHOP, job.id))
    assert listed["waiting"] == 2


def test_a_paused_job_keeps_its_triggers_and_a_resumed_one_sends_them(shop: Desk, rich: Audience) -> None:
    del rich
    shop.fold()
    job = made(shop)
    shop.collect("baskets", {"card": "a", "total": 500})

    shop.run(jobs.command_job(shop.context, SHOP, job.id, "pause"))
    shop.collect("baskets", {"card": "b", "total": 500})
    held = counts(shop)
    shop.run(jobs.command_job(shop.context, SHOP, job.id, "pause"))
    resumed = shop.run(jobs.command_job(shop.context, SHOP, job.id, "resume"))

    assert held == {"parked": 2}
    assert counts(shop) == {"waiting": 2}
    assert resumed.status is JobStatus.RUNNING
    assert shop.woken[-1] == job.destination


def test_a_job_that_is_not_to_run_yet_waits_with_its_triggers(shop: Desk, rich: Audience) -> None:
    del rich
    shop.fold()

    job = made(shop, run=False)
    shop.collect("baskets", {"card": "a", "total": 500})

    assert job.status is JobStatus.PAUSED
    assert counts(shop) == {"parked": 1}


@pytest.mark.parametrize("command", ["resume", "bounce", "release"])
def test_a_stopped_destination_is_opened_by_hand_but_paused_jobs_stay_paused(
    shop: Desk, rich: Audience, command: str
) -> None:
    del rich
    shop.fold()
    job, other = made(shop, draft_of("One")), made(shop, draft_of("Two"))
    paused = shop.run(jobs.command_job(shop.context, SHOP, other.id, "pause"))
    _stop(shop, job.destination)
    shop.collect("baskets", {"card": "a", "total": 500})
    places = shop.run(jobs.list_destinations(shop.context, SHOP))
    assert [jobs.status_of(one, places) for one in (job, paused)] == ["failed", "paused"]

    shop.run(jobs.command_job(shop.context, SHOP, job.id, command))

    places = shop.run(jobs.list_destinations(shop.context, SHOP))
    assert jobs.status_of(job, places) == "running"
    assert counts(shop) == {"waiting": 1, "parked": 1}


def test_bouncing_a_paused_job_is_refused(shop: Desk, rich: Audience) -> None:
    del rich
    job = made(shop, run=False)

    with pytest.raises(Conflict, match="resume it"):
        shop.run(jobs.command_job(shop.context, SHOP, job.id, "bounce"))


def test_a_killed_job_cancels_what_waits_and_does_nothing_ever_after(shop: Desk, rich: Audience) -> None:
    del rich
    shop.fold()
    job = made(shop)
    shop.collect("baskets", {"card": "a", "total": 500})

    killed = shop.run(jobs.command_job(shop.context, SHOP, job.id, "kill"))
    shop.collect("baskets", {"card": "b", "total": 500})

    assert killed.status is JobStatus.DELETED
    assert counts(shop) == {"cancelled": 1}
    assert shop.run(jobs.list_jobs(shop.context, SHOP)) == []
    assert shop.run(jobs.list_jobs(shop.context, SHOP, show_deleted=True)) == [killed]
    assert shop.run(jobs.command_job(shop.context, SHOP, job.id, "kill")) == killed
    with pytest.raises(Conflict, match="killed"):
        shop.run(jobs.command_job(shop.context, SHOP, job.id, "resume"))
    with pytest.raises(Conflict, match="killed"):
        shop.run(jobs.update_job(shop.context, SHOP, job.id, draft_of()))


def test_the_log_tells_what_people_did(shop: Desk, rich: Audience) -> None:
    del rich
    job = made(shop)
    for command in ("pause", "resume", "kill"):
        shop.run(jobs.command_job(shop.context, SHOP, job.id, command))

    log = shop.run(jobs.job_logs(shop.context, SHOP, job.id))

    assert [entry.message for entry in log] == ["created", "started", "paused", "resumed", "killed"]
    assert log[-1].context == {"cancelled": 0}
    assert log[0].at > NOON


def test_an_unknown_command_is_refused_with_those_there_are(shop: Desk, rich: Audience) -> None:
    del rich
    job = made(shop)

    with pytest.raises(InvalidInput, match="pause, resume"):
        shop.run(jobs.command_job(shop.context, SHOP, job.id, "stop"))


def test_an_update_replaces_everything_but_the_state(shop: Desk, rich: Audience) -> None:
    del rich
    job = made(shop, draft_of(email_field="email"), run=False)

    changed = shop.run(
        jobs.update_job(shop.context, SHOP, job.id, draft_of("Tell more", user_fields=["card"]))
    )

    assert changed.status is JobStatus.PAUSED
    assert "email_field" not in changed.config
    assert (changed.name, changed.config["user_fields"]) == ("Tell more", ["card"])


def test_a_job_outlives_an_audience_it_watched(shop: Desk, rich: Audience) -> None:
    local = shop.run(audiences.create_audience(shop.context, SHOP, AudienceDraft("Local", 'town = "Bruges"')))
    shop.fold()
    job = made(shop, draft_of(segment_ids=["rich", "local"]))
    shop.collect("baskets", {"card": "a", "total": 5, "town": "Bruges"})

    shop.run(audiences.delete_audience(shop.context, SHOP, ["local"]))
    while_leaving = shop.run(
        jobs.update_job(shop.context, SHOP, job.id, draft_of(segment_ids=[rich.id, local.id]))
    )
    shop.fold()
    afterwards = shop.run(
        jobs.update_job(shop.context, SHOP, job.id, draft_of(segment_ids=[rich.id, local.id]))
    )

    assert while_leaving.config["segment_ids"] == [rich.id, local.id]
    assert counts(shop) == {"waiting": 2}
    assert afterwards.config["segment_ids"] == [rich.id]


def test_a_job_that_moves_away_lets_its_old_destination_go_on(shop: Desk, rich: Audience) -> None:
    del rich
    shop.fold()
    job = made(shop)
    _stop(shop, job.destination)
    shop.collect("baskets", {"card": "a", "total": 500})

    moved = shop.run(
        jobs.update_job(shop.context, SHOP, job.id, draft_of(webhook_url="https://example.com/hook"))
    )

    assert moved.destination != job.destination
    assert counts(shop) == {"waiting": 1}
    assert set(shop.woken[-2:]) == {job.destination, moved.destination}


def test_a_neighbour_finds_nothing(shop: Desk, rich: Audience) -> None:
    del rich
    job = made(shop)

    for work in (
        jobs.get_job(shop.context, NEIGHBOUR, job.id),
        jobs.command_job(shop.context, NEIGHBOUR, job.id, "kill"),
        jobs.job_logs(shop.context, NEIGHBOUR, job.id),
    ):
        with pytest.raises(NotFound):
            shop.run(work)

    assert shop.run(jobs.list_jobs(shop.context, NEIGHBOUR)) == []


def _stop(desk: Desk, number: int) -> None:
    def work(tx: Transaction) -> None:
        place = tx.catalog.get(Destination, SHOP, str(number))
        assert place is not None
        tx.catalog.put(SHOP, str(number), msgspec.structs.replace(place, stopped="HTTP 401 Unauthorized"))

    desk.write(work)


def test_a_start_without_its_allow_list_names_the_jobs_that_cannot_send(shop: Desk, rich: Audience) -> None:
    del rich
    made(shop, draft_of("near", webhook_url="http://127.0.0.1:8090/hook"))
    made(shop, draft_of("far"))

    with_it = shop.read(lambda tx: jobs.unsendable(tx, shop.context.allow))
    ((job, reason),) = shop.read(lambda tx: jobs.unsendable(tx, AllowList()))

    assert [] == with_it
    assert "near" == job.name
    assert "--allow-host 127.0.0.1:8090" in reason
