import msgspec
import pytest

from gatepost.model.catalog import Authorization, Destination
from gatepost.model.errors import Conflict, InvalidInput, NotFound
from gatepost.model.jsonvalue import JsonObject
from gatepost.operations import audiences, authorizations, jobs
from gatepost.operations.authorizations import AuthorizationDraft
from gatepost.ports.store import Transaction
from tests.unit.operations.desk import NEIGHBOUR, SHOP, Desk

SECRET = "hunter2-hunter2"
HEADERS: JsonObject = {"webhook_request_headers": f"X-PARTNER-NAME: shop\nX-REQUEST-TOKEN: {SECRET}"}


def made(desk: Desk, **members: object) -> Authorization:
    draft = msgspec.structs.replace(AuthorizationDraft("Insider", config=HEADERS), **members)
    return desk.run(authorizations.create_authorization(desk.context, SHOP, draft))


def test_credentials_are_sealed_and_shown_nowhere(desk: Desk) -> None:
    stored = made(desk)

    draft = AuthorizationDraft("Insider", config=HEADERS)

    assert SECRET.encode() not in stored.config
    assert SECRET not in repr(stored) + repr(draft)
    assert desk.context.secrets.open(stored.config).count(SECRET.encode()) == 1
    assert stored.fingerprint


@pytest.mark.parametrize(
    ("spelling", "type_"),
    [
        ("header_param_auth", "header_param_auth"),
        ("header-param-auth", "header_param_auth"),
        ("HeaderParamAuth", "header_param_auth"),
        ("Webhook_NoAuth", "no_auth"),
        ("no-auth", "no_auth"),
        ("noauth", "no_auth"),
    ],
)
def test_every_spelling_of_a_type_is_understood(spelling: str, type_: str) -> None:
    assert authorizations.authorization_type(spelling) == type_


def test_an_unknown_type_is_refused_with_those_there_are(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="header_param_auth and no_auth"):
        made(desk, type="oauth2_client_credentials")


def test_a_bad_header_line_is_refused_without_repeating_it(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="line 1") as refused:
        made(desk, config={"webhook_request_headers": f"X-TOKEN {SECRET}"})

    assert SECRET not in str(refused.value)
    assert refused.value.path == "config.webhook_request_headers"


def test_none_takes_no_credentials(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="no configuration"):
        made(desk, type="no_auth")


def test_a_new_label_keeps_the_credentials(desk: Desk) -> None:
    stored = made(desk)

    renamed = desk.run(
        authorizations.update_authorization(
            desk.context, SHOP, stored.id, AuthorizationDraft("Insider EU", description="Europe")
        )
    )

    assert (renamed.label, renamed.description) == ("Insider EU", "Europe")
    assert (renamed.config, renamed.fingerprint) == (stored.config, stored.fingerprint)


def test_new_credentials_open_the_destination_that_bad_ones_had_stopped(shop: Desk) -> None:
    auth = made(shop)
    everybody = shop.run(
        audiences.create_audience(shop.context, SHOP, audiences.AudienceDraft("Everybody", "*"))
    )
    config: JsonObject = {"segment_ids": [everybody.id], "webhook_url": "https://example.com/hook"}
    draft = jobs.JobDraft("Tell", "webhook_triggers", config, auth_ids=(auth.id,))
    job = shop.run(jobs.create_job(shop.context, SHOP, draft))
    _stop(shop, job.destination)
    shop.collect("baskets", {"card": "1", "total": 5})

    new = AuthorizationDraft("Insider", config={"webhook_request_headers": "X-REQUEST-TOKEN: better"})
    shop.run(authorizations.update_authorization(shop.context, SHOP, auth.id, new))

    places = shop.run(jobs.list_destinations(shop.context, SHOP))
    assert places[job.destination].stopped == ""
    assert shop.read(lambda tx: tx.deliveries.counts(SHOP))["waiting"] == 1
    assert shop.woken[-1:] == [job.destination]


def test_the_same_credentials_again_open_nothing(shop: Desk) -> None:
    auth = made(shop)

    shop.run(
        authorizations.update_authorization(
            shop.context, SHOP, auth.id, AuthorizationDraft("Insider", config=HEADERS)
        )
    )

    assert shop.woken == []


def test_an_authorization_in_use_stays(shop: Desk) -> None:
    auth = made(shop)
    everybody = shop.run(
        audiences.create_audience(shop.context, SHOP, audiences.AudienceDraft("Everybody", "*"))
    )
    config: JsonObject = {"segment_ids": [everybody.id], "webhook_url": "https://example.com/hook"}
    draft = jobs.JobDraft("Tell", "webhook_triggers", config, auth_ids=(auth.id,))
    job = shop.run(jobs.create_job(shop.context, SHOP, draft))

    with pytest.raises(Conflict, match="Tell"):
        shop.run(authorizations.delete_authorization(shop.context, SHOP, auth.id))
    shop.run(jobs.command_job(shop.context, SHOP, job.id, "kill"))
    shop.run(authorizations.delete_authorization(shop.context, SHOP, auth.id))

    assert shop.run(authorizations.list_authorizations(shop.context, SHOP)) == []


def test_a_neighbour_finds_nothing(desk: Desk) -> None:
    stored = made(desk)

    with pytest.raises(NotFound):
        desk.run(authorizations.get_authorization(desk.context, NEIGHBOUR, stored.id))
    with pytest.raises(NotFound):
        desk.run(authorizations.delete_authorization(desk.context, NEIGHBOUR, stored.id))

    assert desk.run(authorizations.list_authorizations(desk.context, NEIGHBOUR)) == []


def _stop(desk: Desk, number: int) -> None:
    def work(tx: Transaction) -> None:
        place = tx.catalog.get(Destination, SHOP, str(number))
        assert place is not None
        stopped = msgspec.structs.replace(place, stopped="HTTP 401 Unauthorized")
        tx.catalog.put(SHOP, str(number), stopped)

    desk.write(work)
