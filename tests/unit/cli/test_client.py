"""What a client says when a server refuses, is busy, is away, or is something else."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from gatepost.cli.client import Client, Refused, Target, Unreached, path_of
from gatepost.cli.failure import CommandError
from gatepost.cli.sending import Sending

Answers = Callable[[httpx.Request], httpx.Response]


def client_of(answers: Answers, token: str = "") -> Client:
    return Client(Target("http://127.0.0.1:8400", token), httpx.MockTransport(answers))


def refused_with(answer: httpx.Response, token: str = "") -> Refused:
    with pytest.raises(Refused) as caught:
        client_of(lambda _: answer, token).get("/v2/job")
    return caught.value


def test_the_message_of_the_server_is_shown_with_its_excerpt_and_hint() -> None:
    problem = {"message": "no field nme", "excerpt": "nme = 1\n^", "hint": "did you mean name?"}

    refused = refused_with(httpx.Response(400, json={"message": "no field nme", "errors": [problem]}))

    assert (refused.message, refused.excerpt, refused.hint) == (
        "no field nme",
        "nme = 1\n^",
        "did you mean name?",
    )


def test_without_a_token_the_ways_to_give_one_are_named() -> None:
    refused = refused_with(httpx.Response(401, json={"message": "Not authorized", "status": 401}))

    assert "GATEPOST_TOKEN" in refused.hint
    assert "--data" in refused.hint


def test_a_token_that_is_not_taken_is_never_repeated() -> None:
    refused = refused_with(httpx.Response(401, json={"message": "Not authorized"}), token="at.secret")

    assert "at.secret" not in refused.message + refused.hint
    assert "does not take this token" in refused.hint


def test_a_page_of_some_other_server_is_not_taken_for_an_answer() -> None:
    with pytest.raises(CommandError, match="something that is no JSON"):
        client_of(lambda _: httpx.Response(200, text="<html>")).get("/v2/job")


def test_a_server_that_knows_no_such_path_and_speaks_no_json_is_hardly_a_gatepost() -> None:
    refused = refused_with(httpx.Response(404, text="<html>Not Found</html>"))

    assert "not as a gatepost does" in refused.message
    assert "Is that address a gatepost?" in refused.hint


def test_a_server_that_answers_json_of_its_own_is_hardly_a_gatepost() -> None:
    refused = refused_with(httpx.Response(404, json={"detail": "Not Found"}))

    assert "Is that address a gatepost?" in refused.hint
    with pytest.raises(CommandError, match="not as a gatepost does"):
        client_of(lambda _: httpx.Response(200, json={"jobs": []})).get("/v2/job")


def test_a_server_that_is_not_there_is_named_with_the_way_to_start_one() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(Unreached, match="no gatepost answers at http:") as caught:
        client_of(away).get("/v2/job")

    assert "gatepost up" in caught.value.hint


def test_pages_are_read_to_the_end_or_to_what_was_asked_for() -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("start", 0))
        size = int(request.url.params["limit"])
        items = list(range(start, min(start + size, 250)))
        return httpx.Response(
            200, json={"data": items, "_next": str(start + size) if start + size < 250 else ""}
        )

    client = client_of(answers)

    assert len(list(client.pages("/api/segment/all/scan"))) == 250
    assert len(list(client.pages("/api/segment/all/scan", at_most=120))) == 120


def test_values_in_paths_cannot_leave_their_place() -> None:
    assert path_of("api", "entity", "user", "email", "a/../b?c") == "/api/entity/user/email/a%2F..%2Fb%3Fc"


def test_a_data_folder_lends_its_token_only_to_this_machine(tmp_path: Path) -> None:
    (tmp_path / "admin-token").write_text("at.secret\n")

    here = Target.found("http://127.0.0.1:8400", "", tmp_path)
    elsewhere = Target.found("https://gatepost.example.com", "", tmp_path)

    assert (here.token, elsewhere.token) == ("at.secret", "")


def test_a_busy_server_is_asked_again_under_the_same_key() -> None:
    keys: list[str] = []
    waited: list[float] = []

    def answers(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) < 3:
            return httpx.Response(503, json={"message": "busy"}, headers={"Retry-After": "2"})
        return httpx.Response(200, json={"data": {"message_count": 5}})

    sending = Sending(client_of(answers), "/collect/bulk/web", {}, "application/x-ndjson", waited.append)
    sending.send(b"...")

    assert (sending.accepted, waited, len(set(keys))) == (5, [2, 2], 1)


def test_a_refused_body_is_not_sent_again() -> None:
    waited: list[float] = []
    answer = httpx.Response(400, json={"message": "line 3: not valid JSON"})

    sending = Sending(client_of(lambda _: answer), "/collect/bulk/web", {}, "text/csv", waited.append)

    with pytest.raises(Refused):
        sending.send(b"...")
    assert waited == []
