"""What a sender of events gets back."""

import gzip
import json

import httpx
import pytest

from tests.acceptance.conftest import StartServer
from tests.acceptance.running import RunningServer

NDJSON = b'{"email": "ada@example.com"}\n{"email": "joan@example.com"}\n'


def test_a_single_object_and_an_array_are_both_accepted(api: httpx.Client) -> None:
    one = api.post("/collect/json/web", json={"email": "ada@example.com"})
    two = api.post("/collect/json/web", json=[{"email": "ada@example.com"}, {"email": "joan@example.com"}])

    assert one.json() == {
        "status": 200,
        "message": "success",
        "data": {
            "message_count": 1,
            "rejected_count": 0,
            "content-type": "application/json",
            "droperrors": False,
            "dryrun": False,
            "timestamp_field": "",
            "filename": "",
        },
    }
    assert two.json()["data"]["message_count"] == 2


def test_a_packed_bulk_body_is_unpacked(api: httpx.Client) -> None:
    headers = {"Content-Encoding": "gzip"}

    answer = api.post(
        "/collect/bulk/web", content=gzip.compress(NDJSON[:29]) + gzip.compress(NDJSON[29:]), headers=headers
    )

    assert answer.json()["data"]["message_count"] == 2


def test_csv_is_known_by_its_type_or_by_its_file_name(api: httpx.Client) -> None:
    csv = b"email|age\nada@example.com|36\njoan@example.com|\n"

    by_type = api.post("/collect/bulk/people?delimiter=|", content=csv, headers={"Content-Type": "text/csv"})
    by_name = api.post("/collect/bulk/people?delimiter=|&filename=people.csv", content=csv)

    assert by_type.json()["data"]["message_count"] == 2
    assert by_name.json()["data"] == {**by_type.json()["data"], "content-type": "", "filename": "people.csv"}


def test_a_header_row_can_be_given_beside_a_csv_body_and_extra_members_put_on_every_row(
    api: httpx.Client,
) -> None:
    answer = api.post(
        "/collect/bulk/people",
        params={"headers": "email,age", "append": '{"source": "import"}'},
        content=b"ada@example.com,36\n",
        headers={"Content-Type": "application/csv"},
    )

    assert answer.json()["data"]["message_count"] == 1


def test_a_bad_line_refuses_the_whole_body_and_is_named(api: httpx.Client) -> None:
    answer = api.post("/collect/bulk/web", content=NDJSON + b'{"email": \n')

    assert answer.status_code == 400
    assert answer.json()["data"] is None
    assert answer.json()["message"].startswith("line 3: ")
    assert answer.json()["errors"][0]["line"] == 3
    assert api.get("/api/status").json()["data"]["events_collected"] == 0


def test_bad_lines_can_be_left_out(api: httpx.Client) -> None:
    answer = api.post("/collect/bulk/web?droperrors=true", content=NDJSON + b"[]\n")

    counts = answer.json()["data"]
    assert (counts["message_count"], counts["rejected_count"]) == (2, 1)
    assert counts["first_error"].startswith("line 3: ")


def test_a_dry_run_counts_and_keeps_nothing(api: httpx.Client) -> None:
    answer = api.post("/collect/bulk/web?dryrun=true", content=NDJSON)

    assert answer.json()["data"]["message_count"] == 2
    assert api.get("/api/status").json()["data"]["events_collected"] == 0


def test_a_request_sent_twice_under_one_key_counts_once(api: httpx.Client) -> None:
    answers = [
        api.post("/collect/bulk/web", content=NDJSON, headers={"Idempotency-Key": "a1"}) for _ in range(2)
    ]

    assert [answer.json()["data"]["message_count"] for answer in answers] == [2, 2]
    assert api.get("/api/status").json()["data"]["events_collected"] == 2


@pytest.mark.parametrize(
    ("path", "body", "headers", "says"),
    [
        ("/collect/json/web", b"", {}, "not valid JSON"),
        ("/collect/json/web", b"{", {}, "not valid JSON"),
        ("/collect/json/web", b"\xff\xfe", {}, "not valid JSON"),
        ("/collect/json/web", b"3", {}, "an event is a JSON object, not a number"),
        ("/collect/json/web", b"[[1]]", {}, "an event is a JSON object, not an array"),
        ("/collect/json/web", b'[{"a": 1}, null]', {}, "[1]: an event is a JSON object, not null"),
        ("/collect/json/web", b'{"a": [{"b": 1}]}', {}, "a[0] is an object"),
        ("/collect/json/web", b'{"a": "\\ud800"}', {}, "not valid JSON"),
        ("/collect/json/web", b"[" * 100_000, {}, "not valid JSON"),
        ("/collect/bulk/web", b"\xff", {"Content-Type": "text/csv"}, "not UTF-8: byte 0 is 0xff"),
        ("/collect/bulk/web", b"a,a\n1,2\n", {"Content-Type": "text/csv"}, "distinct"),
        ("/collect/bulk/web", b"a,b\n1\n", {"Content-Type": "text/csv"}, "1 cells, but the header names 2"),
        ("/collect/bulk/web?delimiter=;", b"", {}, "a comma, | or t"),
        ("/collect/bulk/web?headers=a,,b", b"", {}, "distinct, non-empty name"),
        ("/collect/bulk/web?append=[]", b"", {}, "append is a JSON object"),
        ("/collect/bulk/web?append={", b"", {}, "append is not valid JSON"),
        ("/collect/bulk/web?dryrun=maybe", b"", {}, "it can be true or false"),
        ("/collect/bulk/web?triggers=none", b"", {}, "it can be true or false"),
        ("/collect/bulk/web", b"no gzip", {"Content-Encoding": "gzip"}, "not valid gzip"),
        (
            "/collect/bulk/web",
            gzip.compress(NDJSON, mtime=0)[:-4],
            {"Content-Encoding": "gzip"},
            "ends too early",
        ),
        ("/collect/bulk/web", b"", {"Content-Encoding": "br"}, "send gzip or no encoding"),
        ("/collect/bulk/a%2Fb", b"", {}, "no slash"),
        ("/collect/bulk/a%00b", b"", {}, "printable"),
        ("/collect/bulk/a%FFb", b"", {}, "printable"),
        ("/collect/bulk/" + "a" * 129, b"", {}, "1 to 128"),
        ("/collect/bulk/", b"", {}, "1 to 128"),
    ],
)
def test_what_cannot_be_an_event_is_refused_with_a_reason(
    standing_api: httpx.Client, path: str, body: bytes, headers: dict[str, str], says: str
) -> None:
    answer = standing_api.post(path, content=body, headers=headers)

    assert answer.status_code == 400
    assert says in answer.json()["message"]
    assert answer.json()["data"] is None


def test_a_number_too_large_for_a_computer_does_no_harm(api: httpx.Client) -> None:
    answer = api.post("/collect/json/web", content=b'{"email": "a@example.com", "n": 1' + b"0" * 400 + b"}")

    assert answer.status_code in {200, 400}
    assert api.get("/health").status_code == 200


def test_bodies_have_limits_packed_or_not(gatepost_server: StartServer) -> None:
    server = gatepost_server(body_limit=10_000, event_limit=1_000)
    large = json.dumps([{"text": "a" * 900}] * 20).encode()

    with server.client() as api:
        plain = api.post("/collect/json/web", content=large)
        streamed = api.post("/collect/json/web", content=iter([large[:6_000], large[6_000:]]))
        packed = api.post(
            "/collect/json/web", content=gzip.compress(large), headers={"Content-Encoding": "gzip"}
        )
        event = api.post("/collect/json/web", json={"text": "a" * 1_000})
        right = api.post(
            "/collect/json/web",
            content=gzip.compress(large[:0] + b"{}" + b" " * 9_998),
            headers={"Content-Encoding": "gzip"},
        )

    assert [plain.status_code, streamed.status_code, packed.status_code] == [413, 413, 413]
    assert "10,000 bytes" in plain.json()["message"]
    assert event.status_code == 400
    assert "1,000 are allowed" in event.json()["message"]
    assert right.status_code == 200


def test_a_restart_finds_what_was_accepted(gatepost_server: StartServer) -> None:
    first = gatepost_server()
    with first.client() as api:
        api.post("/collect/bulk/web", content=NDJSON)
    first.stop()

    second: RunningServer = gatepost_server(data=first.data)

    with second.client() as api:
        assert api.get("/api/status").json()["data"]["events_collected"] == 2
