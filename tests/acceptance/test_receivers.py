"""Receivers that refuse, stall, redirect, babble or are gone; each has one clear answer, and nothing is lost.

The first retry comes a second after the failure, so a test that waits for one takes about that long.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from gatepost.backends.clock import HandClock
from gatepost.model.catalog import Scope
from gatepost.operations.tokens import put_token
from tests.acceptance.conftest import StartServer
from tests.factories import ACCOUNT
from tests.pipeline import START, Pipeline, audience_id
from tests.receiving import OK, PATIENCE_SECONDS, Received, Receiver, Reply, receiving

INSIDER = "/api/user/v1/upsert"
SPENDERS = "AND ( spend > 50, spend < 100 )"


class Shop:
    """A gatepost whose audience people enter above 50 and leave at 100."""

    def __init__(self, api: httpx.Client) -> None:
        self.api = api

    def buy(self, user: str, total: int) -> None:
        """Let somebody spend."""
        self.api.post("/collect/json/web", json={"user": user, "total": total}).raise_for_status()

    def send_to(self, url: str, *, auth: str = "", **config: Any) -> str:
        """Make a job that watches the audience, and return its id."""
        wish = {
            "name": f"to {url}",
            "workflow": "webhook_triggers",
            "auth_ids": [auth] if auth else [],
            "config": {"segment_ids": [audience_id(1)], "webhook_url": url, **config},
        }
        return str(self._data(self.api.post("/v2/job", json=wish))["id"])

    def save_template(self, source: str, id_: str = "") -> str:
        """Store a template, or another text of one, and return its id."""
        query = {"name": "body", "type": "jsonnet"}
        method, path = ("PUT", f"/v2/template/{id_}") if id_ else ("POST", "/v2/template")
        return str(self._data(self.api.request(method, path, params=query, content=source))["id"])

    def roll_back(self, id_: str, version: int) -> None:
        """Let a job stay at a version of its template."""
        job = self.job(id_)
        wish = {key: job[key] for key in ("name", "workflow", "auth_ids")}
        config = {**job["config"], "template_version": version}
        self.api.put(f"/v2/job/{id_}", json={**wish, "config": config}).raise_for_status()

    def authorization(self, secret: str) -> str:
        """Store credentials, and return their id."""
        made = self.api.post("/v2/auth/header_param_auth", json=self._credentials(secret))
        return str(self._data(made)["id"])

    def mend(self, auth: str, secret: str) -> None:
        """Store better credentials."""
        path = f"/v2/auth/header_param_auth/{auth}"
        self.api.put(path, json=self._credentials(secret)).raise_for_status()

    def job(self, id_: str) -> Any:
        """A job as it is shown."""
        return self._data(self.api.get(f"/v2/job/{id_}"))

    def wait_for(self, state: str, count: int = 1) -> list[Any]:
        """Return the deliveries in a state, oldest first and with their attempts, once there are so many."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(listed := self._data(self.api.get("/v2/delivery", params={"state": state}))) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(listed)} of {count} deliveries became {state}")
            time.sleep(0.02)
        return [self._data(self.api.get(f"/v2/delivery/{one['id']}")) for one in reversed(listed)]

    def counts(self) -> Any:
        """How many deliveries are in which state."""
        return self._data(self.api.get("/v2/delivery/counts"))

    def _credentials(self, secret: str) -> dict[str, Any]:
        return {"label": "shop", "config": {"webhook_request_headers": f"X-Token: {secret}"}}

    def _data(self, answer: httpx.Response) -> Any:
        assert answer.is_success, answer.text
        return answer.json()["data"]


OpenShop = Callable[..., Shop]


@pytest.fixture
def open_shop(gatepost_server: StartServer, tmp_path: Path) -> Iterator[OpenShop]:
    """Open one shop; keywords are settings."""
    clients: list[httpx.Client] = []

    def open_(**settings: Any) -> Shop:
        data = tmp_path / "shop"
        prepare(data)
        server = gatepost_server(clock="wall", allow_hosts=["127.0.0.1"], data=data, **settings)
        clients.append(server.client())
        return Shop(clients[-1])

    yield open_
    for client in clients:
        client.close()


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    return open_shop()


def prepare(data: Path) -> None:
    """Fill a new data folder with the schema, the audience and a token."""
    data.mkdir()
    pipeline = Pipeline(data, HandClock(START))
    pipeline.configure(SPENDERS, jobs=False)
    token = pipeline.store.write_blocking(lambda tx: put_token(tx, ACCOUNT, "test", Scope.ADMIN, START)[1])
    pipeline.close()
    (data / "admin-token").write_text(token)


def at_first(*replies: Reply | None) -> Callable[[Received, int], Reply | None]:
    """Answer a delivery's first attempts with these, and then with 200."""
    return lambda _received, times: replies[times - 1] if times <= len(replies) else OK


@pytest.mark.parametrize("status", [400, 404, 413])
def test_a_final_no_is_not_tried_again_and_its_reason_is_kept(shop: Shop, status: int) -> None:
    with receiving(lambda _received, _times: Reply(status=status, body=b"no such shelf")) as receiver:
        shop.send_to(receiver.url())

        shop.buy("ada", 60)
        [refused] = shop.wait_for("refused")

        [attempt] = refused["attempt_list"]
        assert status == attempt["status"]
        assert str(status) in refused["reason"]
        assert "no such shelf" in str(attempt)
        assert 1 == len(receiver.received)


def test_a_receiver_that_asks_for_time_gets_it(shop: Shop) -> None:
    wish = Reply(status=429, headers={"Retry-After": "2"})
    with receiving(at_first(wish)) as receiver:
        shop.send_to(receiver.url())

        shop.buy("ada", 60)
        first, second = receiver.wait_for(2)

        assert second.at - first.at >= 2
        assert [429, 200] == statuses(shop.wait_for("delivered"))


def test_a_receiver_in_trouble_gets_the_same_bytes_again(shop: Shop) -> None:
    with receiving(at_first(Reply(status=500))) as receiver:
        shop.send_to(receiver.url())

        shop.buy("ada", 60)
        first, second = receiver.wait_for(2)

        assert (first.delivery, first.body) == (second.delivery, second.body)
        assert [500, 200] == statuses(shop.wait_for("delivered"))


def test_what_is_rendered_is_sent_as_it_was_when_its_template_is_taken_back_meanwhile(shop: Shop) -> None:
    template = shop.save_template("{ version: 1 }")
    shop.save_template("{ version: 2 }", template)
    with receiving(at_first(Reply(status=500))) as receiver:
        job = shop.send_to(receiver.url(), template_id=template)

        shop.buy("ada", 60)
        receiver.wait_for(1)
        shop.roll_back(job, 1)
        receiver.wait_for(2)
        shop.buy("bob", 60)
        bodies = [orjson.loads(received.body)["version"] for received in receiver.wait_for(4)]

        assert bodies == [2, 2, 1, 1]


def test_a_receiver_that_never_answers_is_given_up_on_and_tried_again(open_shop: OpenShop) -> None:
    shop = open_shop(request_timeout=300)
    with receiving(at_first(None)) as receiver:
        shop.send_to(receiver.url())

        shop.buy("ada", 60)
        [delivered] = shop.wait_for("delivered")

        assert [0, 200] == statuses([delivered])
        assert "no whole answer within 0.3 s" in delivered["attempt_list"][0]["reason"]


def test_a_receiver_that_is_down_gets_everything_once_it_is_up(shop: Shop) -> None:
    receiver = Receiver()
    try:
        shop.send_to(receiver.url())
        shop.buy("ada", 60)
        shop.buy("bob", 60)
        waiting = shop.wait_for("retrying", 2)

        receiver.open()
        delivered = shop.wait_for("delivered", 2)

        assert all(0 == one["attempt_list"][0]["status"] for one in waiting)
        assert {one["id"] for one in waiting} == {one["id"] for one in delivered}
        assert 2 == len(receiver.received)
    finally:
        receiver.close()


def test_a_redirect_is_not_followed_and_says_where_it_leads(shop: Shop) -> None:
    with receiving(lambda _received, _times: Reply(status=302, headers={"Location": "/other"})) as receiver:
        shop.send_to(receiver.url())

        shop.buy("ada", 60)
        [retrying] = shop.wait_for("retrying")

        assert "/other" in retrying["attempt_list"][0]["reason"]
        assert {"/hook"} == {one.path for one in receiver.received}


def test_an_endless_answer_is_cut_and_its_status_counts(open_shop: OpenShop) -> None:
    shop = open_shop(answer_limit=10_000)
    with receiving(lambda _received, _times: Reply(body=b"a" * 3_000_000)) as receiver:
        shop.send_to(receiver.url())

        shop.buy("ada", 60)
        [delivered] = shop.wait_for("delivered")

        assert [200] == statuses([delivered])
        assert 1 == len(receiver.received)


def test_insider_says_200_and_means_no(shop: Shop) -> None:
    failure = {"count": 1, "errors": {"users.0.identifiers": ["email is not valid"]}}
    body = orjson.dumps({"data": {"successful": {"count": 0}, "fail": failure}})
    with receiving(lambda _received, _times: Reply(body=body)) as receiver:
        shop.send_to(receiver.url(INSIDER))

        shop.buy("ada", 60)
        [refused] = shop.wait_for("refused")

        assert "email is not valid" in refused["reason"]
        assert [200] == statuses([refused])
        assert 1 == len(receiver.received)


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials_stop_the_destination_until_they_are_mended(shop: Shop, status: int) -> None:
    def answer(received: Received, _times: int) -> Reply:
        return OK if received.headers["x-token"] == "right" else Reply(status=status)

    with receiving(answer) as receiver:
        auth = shop.authorization("wrong")
        job = shop.send_to(receiver.url(), auth=auth)
        shop.buy("ada", 60)
        [first] = shop.wait_for("parked")
        while_stopped = shop.job(job)["status"]
        shop.buy("bob", 60)
        shop.wait_for("parked", 2)
        tried = len(receiver.received)

        shop.mend(auth, "right")
        delivered = shop.wait_for("delivered", 2)

        assert ("failed", "running") == (while_stopped, shop.job(job)["status"])
        assert 1 == tried, "bob's waited unsent"
        assert [status, 200] == statuses([one for one in delivered if one["id"] == first["id"]])


def test_a_stopped_job_goes_on_when_a_person_resumes_it(shop: Shop) -> None:
    with receiving(at_first(Reply(status=401))) as receiver:
        job = shop.send_to(receiver.url())
        shop.buy("ada", 60)
        shop.wait_for("parked")

        shop.api.post(f"/v2/job/{job}/resume").raise_for_status()

        assert [401, 200] == statuses(shop.wait_for("delivered"))
        assert "running" == shop.job(job)["status"]


def test_a_destination_that_never_answers_delays_no_other(shop: Shop) -> None:
    users = [f"u{number}" for number in range(40)]
    with receiving(lambda _received, _times: None) as stuck, receiving() as well:
        slow = shop.send_to(stuck.url())
        fast = shop.send_to(well.url())

        for user in users:
            shop.buy(user, 60)

        assert {one.profile["user"] for one in well.wait_for(len(users))} == set(users)
        delivered = shop.wait_for("delivered", len(users))
        assert {fast} == {one["job_id"] for one in delivered}
        assert {slow} == {one["job_id"] for one in shop.wait_for("leased", len(users))}


def test_an_exit_waits_for_its_enter_although_another_job_sends_it(shop: Shop) -> None:
    with receiving(at_first(Reply(status=503))) as receiver:
        shop.send_to(receiver.url("/enter"), audience_events="enters_only")
        shop.send_to(receiver.url("/exit"), audience_events="exits_only")
        shop.buy("ada", 60)
        shop.wait_for("retrying")

        shop.buy("ada", 60)
        shop.buy("bob", 60)
        shop.wait_for("delivered", 3)

        adas = [one.path for one in receiver.received if one.profile["user"] == "ada"]
        assert ["/enter", "/enter", "/exit", "/exit"] == adas


def statuses(deliveries: list[Any]) -> list[int]:
    """The statuses of every attempt of the only delivery."""
    [delivery] = deliveries
    return [attempt["status"] for attempt in delivery["attempt_list"]]


def test_a_deleted_audiences_members_are_taken_out_at_the_destination_too(shop: Shop) -> None:
    with receiving(at_first()) as receiver:
        shop.send_to(receiver.url())
        for user in ("ada", "bob"):
            shop.buy(user, 60)
        shop.wait_for("delivered", 2)

        shop.api.delete(f"/v2/segment/{audience_id(1)}").raise_for_status()
        delivered = shop.wait_for("delivered", 4)

    assert ["enter", "enter", "exit", "exit"] == [one["event"] for one in delivered]
    assert {"a1"} == {one["audience"] for one in delivered}
    assert shop.api.get("/v2/segment").json()["data"] == []
