"""Somebody asks what is held on her and then to be forgotten: over HTTP, and with the command."""

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import StartServer
from tests.acceptance.running import RunningServer
from tests.acceptance.test_cli import Gatepost, awaited, configured, gatepost, read
from tests.receiving import Received, Receiver, Reply, receiving

__all__ = ["configured", "gatepost"]

MAIL, NAME = "ada.lovelace@example.com", "Augusta Ada Byron"
DECLARATION = {
    "schema": {
        "ranks": ["email", "_uid"],
        "fields": {
            "email": {"identifier": True},
            "_uid": {"type": "string", "identifier": True},
            "name": {"pii": True},
            "spend": {"type": "number", "merge": "sum"},
            "towns": {"type": "[]string"},
        },
        "mappings": [
            {"stream": "web", "field": "email", "expression": "email(mail)"},
            {"stream": "web", "field": "_uid", "expression": "_uid"},
            {"stream": "web", "field": "name", "expression": "name"},
            {"stream": "web", "field": "spend", "expression": "tonumber(total)", "if": "total > 0"},
            {"stream": "web", "field": "towns", "expression": "town"},
        ],
    },
    "audiences": {
        "buyers": {"filter": "FILTER spend > 10", "public": True},
        "silent": {"filter": "FILTER *"},
    },
}


class Shop:
    """A gatepost with one job, and everything that is on its disk."""

    def __init__(self, server: RunningServer, api: httpx.Client, receiver: Receiver) -> None:
        self.server, self.api, self.receiver = server, api, receiver
        declaration: dict[str, Any] = DECLARATION | {
            "jobs": {"hook": {"audiences": ["buyers"], "url": receiver.url()}}
        }
        answer = api.post("/v2/config", json=declaration)
        assert answer.is_success, answer.text

    def collect(self, **event: Any) -> None:
        self.api.post("/collect/json/web", json=event).raise_for_status()

    def ask(self, path: str, **query: Any) -> Any:
        answer = self.api.get(path, params=query)
        assert answer.is_success, answer.text
        return answer.json()

    def erase(self, path: str = f"/api/entity/user/email/{MAIL}") -> str:
        answer = self.api.delete(path)
        assert answer.is_success, answer.text
        return str(answer.json()["data"]["request_id"])

    def until_erased(self, request: str) -> dict[str, Any]:
        awaited(lambda: self.ask(f"/api/entity/deletestatus/{request}")["data"]["complete"])
        receipt: dict[str, Any] = self.ask(f"/v2/erasure/{request}", verify=True)["data"]
        return receipt

    def on_disk(self) -> bytes:
        """Every byte of the data folder's databases and their write-ahead logs, in lower case."""
        names = ("state", "state-wal", "log", "log-wal")
        files = [self.server.data / name for name in names if (self.server.data / name).exists()]
        return b"".join(file.read_bytes() for file in files).lower()


Answering = Callable[[Received, int], Reply | None]


@pytest.fixture
def open_shop(gatepost_server: StartServer) -> Iterator[Callable[..., Shop]]:
    """Open a shop whose receiver answers as told."""
    opened: list[Any] = []

    def open_(answering: Answering | None = None) -> Shop:
        context = receiving(answering) if answering is not None else receiving()
        receiver = context.__enter__()
        server = gatepost_server(clock="wall", allow_hosts=["127.0.0.1"])
        api = server.client()
        opened.append((context, api))
        return Shop(server, api, receiver)

    yield open_
    for context, api in opened:
        api.close()
        context.__exit__(None, None, None)


def test_a_person_is_shown_with_the_documented_parameters(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    path = f"/api/entity/user/email/{MAIL}"
    shop.collect(mail=MAIL, name=NAME, total=20, _uid="c-1")

    whole = shop.ask(path, wait=True)
    narrow = shop.ask(path, fields="name,spend", fieldBlocklist="spend", meta=False, allsegments=True)

    assert (whole["data"]["name"], whole["data"]["segments"]) == (NAME, ["buyers"])
    assert whole["meta"] == {"by_fields": ["_uid", "email"], "conflicts": 0, "format": "json", "name": "user"}
    assert sorted(narrow["data"]) == ["_id", "name", "segments", "segments_all"]
    assert 2 == len(narrow["data"]["segments_all"])
    assert ("meta" in narrow) is False
    assert {"segments": ["buyers"]} == shop.ask(f"/api/entity/user/segments/email/{MAIL}")["data"]
    assert (
        NAME
        == shop.ask("/api/entity/user/c-1")["data"]["name"]
        == shop.ask("/api/me/_uid/c-1")["data"]["name"]
    )
    nobody = shop.ask("/api/entity/user/email/nobody@example.com")
    assert ({"segments": ["not_found", "all"]}, "Not Found") == (nobody["data"], nobody["message"])
    download = shop.api.get(path, params={"download": True})
    assert "attachment" in download.headers["content-disposition"]


def test_every_field_names_the_event_and_the_mapping_that_gave_it(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.collect(mail=MAIL, name="Ada", total=20, town="London")
    shop.collect(mail=MAIL, name=NAME, total=5, town="Paris")
    shop.collect(mail=MAIL, total=0, town="Rome")

    found = shop.ask(f"/api/entity/user/email/{MAIL}", wait=True, explain=True)["data"]

    sources = found["field_sources"]
    assert ["entity", "field_sources", "fragments", "keys", "missing_events"] == sorted(found)
    assert [{"key": "email", "value": MAIL}] == found["keys"]
    (name,) = sources["name"]["sources"]
    assert ("latest", NAME, "name", "web") == (
        sources["name"]["operator"],
        name["value"],
        name["expression"],
        name["stream"],
    )
    assert (2, [5, 20]) == (sources["spend"]["events"], [one["value"] for one in sources["spend"]["sources"]])
    assert "total > 0" == sources["spend"]["sources"][0]["guard"]
    assert [["Rome"], ["Paris"], ["London"]] == [one["value"] for one in sources["towns"]["sources"]]
    assert 3 == len({one["event"] for one in sources["towns"]["sources"]})
    assert "email(mail)" == sources["email"]["sources"][0]["expression"]
    assert found["field_sources"] == shop.ask(f"/v2/identity/user/email/{MAIL}")["data"]["field_sources"]
    assert 404 == shop.api.get("/v2/identity/user/email/nobody@example.com").status_code


def test_somebody_puts_right_what_a_profile_holds_and_jobs_are_told(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.collect(mail=MAIL, name="Ada", total=5, town="London")
    shop.ask(f"/api/entity/user/email/{MAIL}", wait=True)
    path = f"/v2/attributes/user/email/{MAIL}"

    put = shop.api.put(path, json={"spend": 50, "towns": ["Paris"]}).json()
    patched = shop.api.patch(path, json={"towns": ["Rome"], "name": NAME}).json()["data"]
    shop.receiver.wait_for(1)
    emptied = shop.api.delete(path, params={"fields": "spend,name"}).json()["data"]

    id_ = put["data"].pop("_id")
    assert {"email": MAIL, "name": "Ada", "spend": 50, "towns": ["Paris"]} == put["data"]
    assert (NAME, ["Paris", "Rome"]) == (patched["name"], patched["towns"])
    assert {"_id": id_, "email": MAIL, "towns": ["Paris", "Rome"]} == emptied == shop.ask(path)["data"]
    assert {"_id": id_, "towns": ["Paris", "Rome"]} == shop.ask(path, fields="_id,towns")["data"]
    shop.receiver.wait_for(2)
    refused = [
        shop.api.put(path, json={"email": "bob@example.com"}),
        shop.api.put(path, json={"spent": 1}),
        shop.api.patch(path, json={"spend": "much"}),
        shop.api.put("/v2/attributes/user/email/nobody@example.com", json={"spend": 1}),
        shop.api.get("/v2/attributes/company/email/nobody@example.com"),
    ]
    assert [400, 400, 400, 404, 404] == [one.status_code for one in refused]
    assert "did you mean spend" in refused[1].text


def test_an_identity_names_what_is_in_conflict_and_many_are_looked_up_at_once(
    open_shop: Callable[..., Shop],
) -> None:
    shop = open_shop()
    shop.collect(mail=MAIL, _uid="c-1", name=NAME)
    shop.collect(mail="bob@example.com", _uid="c-2")
    # One browser is never two people's: the stronger identifier decides, and the other stays where it was.
    shop.collect(mail=MAIL, _uid="c-2")
    shop.ask(f"/api/entity/user/email/{MAIL}", wait=True)
    keys = [{"key": "email", "value": MAIL}, {"key": "email", "value": "nobody@example.com"}]

    (ada, nobody) = shop.api.post("/v2/identity/lookup", json={"identities": keys}).json()["data"]
    none = shop.api.post("/v2/identity/lookup", json={"identities": []})

    (fragment,) = ada["identity"]["fragments"]
    assert (True, [{"key": "_uid", "value": "c-2"}]) == (fragment["conflict"], fragment["conflicts_with"])
    assert NAME == ada["identity"]["entity"]["name"]
    assert (nobody["identity"], none.status_code) == (None, 400)


def test_all_that_is_held_on_a_person_comes_in_one_document(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.collect(mail=MAIL, name=NAME, total=20)
    shop.collect(_uid="c-1", total=1)
    shop.collect(mail=MAIL, _uid="c-1")
    shop.receiver.wait_for(1)
    awaited(lambda: shop.ask("/v2/delivery/counts")["data"]["delivered"] == 1)

    held = shop.ask(f"/v2/profile/export/{MAIL}")

    assert NAME == held["profile"]["name"]
    assert [("_uid", "c-1"), ("email", MAIL)] == sorted(
        (one["key"], one["value"]) for one in held["identifiers"]
    )
    assert {"buyers", "silent"} == {one["audience"] for one in held["memberships"] if one["member"]}
    assert [NAME, None, None] == [one["body"].get("name") for one in held["events"]]
    (delivery,) = held["deliveries"]
    assert ("enter", "delivered", 200) == (
        delivery["event"],
        delivery["state"],
        delivery["attempts"][0]["status"],
    )
    assert "{}" == delivery["attempts"][0]["answer"]
    (merge,) = held["merges"]
    assert [{"key": "_uid", "value": "c-1"}] == merge["absorbed"]["keys"]


def test_after_an_erasure_no_byte_on_disk_tells_of_her(open_shop: Callable[..., Shop]) -> None:
    def quoting(received: Received, _times: int) -> Reply:
        return Reply(status=400, body=json.dumps({"unknown person": received.profile["email"]}).encode())

    shop = open_shop(quoting)
    shop.collect(mail=MAIL, name=NAME, total=20, messageId=f"{MAIL}-1")
    shop.collect(mail="bob@example.com", total=20)
    shop.receiver.wait_for(2)
    awaited(lambda: shop.ask("/v2/delivery/counts")["data"]["refused"] == 2)
    assert MAIL.encode() in shop.on_disk()

    request = shop.erase()
    receipt = shop.until_erased(request)

    left = shop.on_disk()
    assert [word for word in (MAIL, NAME) if word.lower().encode() in left] == []
    assert b"bob@example.com" in left
    assert "Not Found" == shop.ask(f"/api/entity/user/email/{MAIL}")["message"]
    assert {"genuine": True, "found": {}, "quoted": {}, "returned": False, "searched": 0} == receipt["audit"]
    assert (1, 1, 1) == tuple(receipt["counts"][kind] for kind in ("profiles", "events", "deliveries"))
    assert 1 == len(shop.ask("/v2/delivery")["data"])
    assert {"enter"} == {one.crossing for one in shop.receiver.received}


def test_a_delivery_that_waits_for_its_answer_is_not_sent_again(open_shop: Callable[..., Shop]) -> None:
    def busy(_received: Received, _times: int) -> Reply:
        return Reply(status=503, headers={"Retry-After": "1"})

    shop = open_shop(busy)
    shop.collect(mail=MAIL, name=NAME, total=20)
    shop.receiver.wait_for(1)

    shop.until_erased(shop.erase())
    seen = len(shop.receiver.received)
    # Bob's delivery begins later and is tried twice: by then hers would have been, too.
    shop.collect(mail="bob@example.com", total=20)
    shop.receiver.wait_for(seen + 2)

    later = [one.profile.get("email") for one in shop.receiver.received[seen:]]
    assert {"bob@example.com"} == set(later)
    assert MAIL.encode() not in shop.on_disk()


def test_what_is_under_way_when_she_goes_is_not_settled_nor_tried_again(
    open_shop: Callable[..., Shop],
) -> None:
    def silent(received: Received, _times: int) -> Reply | None:
        return None if received.profile["email"] == MAIL else Reply()

    shop = open_shop(silent)
    shop.collect(mail=MAIL, name=NAME, total=20)
    shop.receiver.wait_for(1)

    shop.until_erased(shop.erase())

    assert 0 == sum(shop.ask("/v2/delivery/counts")["data"].values())
    assert 1 == len(shop.receiver.received)
    assert MAIL.encode() not in shop.on_disk()


def test_her_past_stays_out_and_what_she_does_next_begins_anew(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.collect(mail=MAIL, name=NAME, total=20)
    path = f"/v2/identity/user/email/{MAIL}"
    shop.ask(f"/api/entity/user/email/{MAIL}", wait=True)
    answer = shop.api.delete(path)
    request = answer.json()["data"]["request_id"]
    shop.until_erased(request)
    again = shop.api.delete(path).status_code

    shop.api.post(
        "/collect/json/web?timestamp_field=at", json={"mail": MAIL, "total": 7, "at": "2020-01-01"}
    ).raise_for_status()
    past = shop.ask(f"/api/entity/user/email/{MAIL}", wait=True)["message"]
    shop.collect(mail=MAIL, total=3)
    new = shop.ask(f"/api/entity/user/email/{MAIL}", wait=True)["data"]

    assert (202, 404, "Not Found") == (answer.status_code, again, past)
    assert (3, 1) == (new["spend"], new["_num_events"])
    audit = shop.ask(f"/v2/erasure/{request}", verify=True)["data"]["audit"]
    assert {"genuine": True, "found": {}, "quoted": {}, "returned": True, "searched": 0} == audit


def test_many_are_erased_with_one_request_and_asking_again_tells_the_same(
    open_shop: Callable[..., Shop],
) -> None:
    shop = open_shop()
    for mail in (MAIL, "bob@example.com", "eve@example.com"):
        shop.collect(mail=mail, total=20)
    shop.ask(f"/api/entity/user/email/{MAIL}", wait=True)
    path = "/v2/identity/queue/bulk/user/email"
    wanted = [MAIL, "bob@example.com", "nobody@example.com"]

    queued = shop.api.request("DELETE", path, json={"values": wanted})
    asked = queued.json()["successes"]
    receipts = [shop.until_erased(request) for request in asked.values()]
    again = shop.api.request("DELETE", path, json={"values": wanted}).json()
    bare = shop.api.request("DELETE", path, json=wanted)

    assert (202, wanted[:2]) == (queued.status_code, list(asked))
    assert {"nobody@example.com": "nobody has this email"} == queued.json()["errors"] == again["errors"]
    assert asked == again["successes"]
    assert ["done", "done"] == [one["state"] for one in receipts]
    assert 400 == bare.status_code
    assert 1 == shop.ask("/api/status")["data"]["profiles"]
    overview = shop.ask("/v2/identity/deletestatus/overview")["data"]
    assert {"initial": 0, "primary": 0, "archive": 0, "secondary": 0, "done": 2, "completed": 2} == overview
    listed = shop.ask("/v2/identity/deletestatus/list")["data"]
    assert {*asked.values()} == {one["id"] for one in listed}


def test_a_soft_delete_hides_for_good_and_what_is_hidden_can_be_handed_out_and_erased(
    open_shop: Callable[..., Shop],
) -> None:
    shop = open_shop()
    path = f"/api/entity/user/email/{MAIL}"
    shop.collect(mail=MAIL, name=NAME, total=20)
    shop.ask(path, wait=True)

    hidden = shop.api.delete(f"/api/entity/softdelete/user/email/{MAIL}")
    again = shop.api.post(f"/api/entity/softdelete/user/email/{MAIL}")
    shop.collect(mail=MAIL, total=50)

    assert [(200, {"hidden": True}), (200, {"hidden": False})] == [
        (one.status_code, one.json()["data"]) for one in (hidden, again)
    ]
    assert "Not Found" == shop.ask(path, wait=True)["message"]
    assert 404 == shop.api.get(f"/v2/identity/user/email/{MAIL}").status_code
    assert ["enter", "exit"] == [one.crossing for one in shop.receiver.wait_for(2)]
    found = shop.api.post("/api/segment/size", content="FILTER spend > 10").json()["data"]
    assert 0 == found["size"]
    assert NAME == shop.ask(f"/v2/profile/export/{MAIL}")["profile"]["name"]
    shop.until_erased(shop.erase(f"{path}?conflicts=false"))
    assert MAIL.encode() not in shop.on_disk()


def test_an_auditor_who_knows_whom_it_was_has_every_byte_searched(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.collect(mail=MAIL, name=NAME, total=20)
    request = shop.erase()
    shop.until_erased(request)

    verified = shop.api.post(f"/v2/erasure/{request}/verify", json={"known": [MAIL.upper()]})
    strange = shop.api.post(f"/v2/erasure/{request}/verify", json={"known": ["bob@example.com"]})

    audit = verified.json()["data"]["audit"]
    assert {"genuine": True, "found": {}, "quoted": {}, "returned": False, "searched": 1} == audit
    assert 400 == strange.status_code
    assert "bob" not in strange.text


def test_with_the_command_somebody_is_handed_out_shown_and_erased(
    configured: Gatepost, tmp_path: Path
) -> None:
    (tmp_path / "orders.ndjson").write_text(
        "\n".join(json.dumps({"email": MAIL, "number": n}) for n in (1, 2))
    )
    read(configured("collect", "orders", "orders.ndjson", "--json"))
    awaited(lambda: configured("profile", "show", "email", MAIL).returncode == 0)

    explained = configured("profile", "explain", MAIL, "--field", "orders")
    exported = configured("profile", "export", MAIL, "--out", "ada.json")
    dry = configured("profile", "erase", MAIL, "--dry-run")
    unasked = configured("profile", "erase", MAIL)
    erased = read(configured("profile", "erase", MAIL, "--yes", "--json"))
    awaited(lambda: read(configured("profile", "receipt", erased["request_id"], "--json"))["complete"])
    verified = configured("profile", "receipt", erased["request_id"], "--verify")
    knowing = configured("profile", "receipt", erased["request_id"], "--known", MAIL)
    listed = configured("profile", "erasures")

    assert "orders is 2  count" in explained.stdout
    assert "by number" in explained.stdout
    assert 0 == exported.returncode, exported.stderr
    assert [1, 2] == [
        one["body"]["number"] for one in json.loads((tmp_path / "ada.json").read_text())["events"]
    ]
    assert 0o600 == stat.S_IMODE((tmp_path / "ada.json").stat().st_mode)
    assert "nothing was changed" in dry.stdout
    assert (1, True) == (unasked.returncode, "--yes" in unasked.stderr)
    assert 0 == verified.returncode, verified.stdout
    assert "Nothing of what was erased is found." in verified.stdout
    assert "Every byte of both files was searched" in knowing.stdout
    assert erased["request_id"] in listed.stdout
    assert configured("profile", "show", "email", MAIL).returncode != 0


def test_with_the_command_somebody_puts_right_what_a_profile_holds(
    configured: Gatepost, tmp_path: Path
) -> None:
    (tmp_path / "orders.ndjson").write_text(json.dumps({"email": MAIL, "number": 1}))
    read(configured("collect", "orders", "orders.ndjson", "--json"))
    awaited(lambda: configured("profile", "show", "email", MAIL).returncode == 0)

    planned = configured("profile", "set", MAIL, "orders=7", "--dry-run")
    written = read(configured("profile", "set", MAIL, "orders=7", "--json"))
    merged = read(configured("profile", "set", f"email={MAIL}", "orders=2", "--merge", "--json"))
    emptied = configured("profile", "set", MAIL, "--empty", "orders")
    wrong = [
        configured("profile", "set", MAIL, *given)
        for given in (["orders"], ["oders=1"], ["email=x@example.com"], ["orders=1", "--empty", "orders"], [])
    ]

    assert ["field   holds  would hold", "orders  1      7"] == planned.stdout.splitlines()[:2]
    assert "nothing was changed" in planned.stdout
    assert ({"orders": 1}, {"orders": 7}) == (written["before"], written["after"])
    assert ({"orders": 7}, {"orders": 9}) == (merged["before"], merged["after"])
    assert ["field   held  holds", "orders  9     -"] == emptied.stdout.splitlines()
    assert [1] * 5 == [one.returncode for one in wrong]
    for one, told in zip(
        wrong,
        ("NAME=VALUE", "did you mean orders?", "identifies profiles", "named twice", "Name at least one"),
        strict=True,
    ):
        assert told in one.stderr
