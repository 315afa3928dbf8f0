import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.core.addresses import AllowList, check_url
from gatepost.model.delivery import Outcome, Verdict
from gatepost.model.request import Answer
from gatepost.providers.contract import Message, PlannedRequest, Provider
from gatepost.providers.insider.bodies import MOST_USERS
from gatepost.providers.insider.provider import InsiderProvider
from tests.conformance.provider import NOW, ProviderSuite

UPSERT = "https://unification.useinsider.com/api/user/v1/upsert"
DELETE = "https://unification.useinsider.com/api/user/v1/attribute/delete"
ANSWERS = {
    "delivered": {"data": {"successful": {"count": 1}, "fail": {}}},
    "refused": {
        "data": {
            "successful": {},
            "fail": {
                "count": 1,
                "errors": {
                    "users.0.identifiers.required": ["either one must be there"],
                    "users.0.insider_id.required": ["either one must be there"],
                    "users.0.events.0.event_name.*.regexp(^[a-z]$)": ["invalid event name: Big"],
                },
            },
        }
    },
}


class TestInsiderProvider(ProviderSuite):
    url = UPSERT

    @pytest.fixture
    def provider(self) -> Provider:
        return InsiderProvider()


def message(number: int, *, url: str = UPSERT, body: str | None = None) -> Message:
    text = body or json.dumps({"users": [{"identifiers": {"email": f"u{number}@example.com"}}]})
    return Message(delivery=f"d{number}", url=url, body=text.encode())


def batch(count: int) -> PlannedRequest:
    [planned] = InsiderProvider(batching=True).plan([message(number) for number in range(count)])
    return planned


def failed(count: int, errors: dict[str, list[str]]) -> Answer:
    body = {"data": {"successful": {}, "fail": {"count": count, "errors": errors}}}
    return Answer(status=200, body=json.dumps(body).encode())


def judged(planned: PlannedRequest, answer: Answer) -> list[Outcome]:
    return InsiderProvider().judge(planned, answer, NOW)


@pytest.mark.parametrize(
    "url",
    [
        UPSERT,
        DELETE,
        "http://127.0.0.1:8099/api/user/v1/upsert",
        "https://gateway.example.com/insider/api/user/v1/attribute/delete/?x=1",
        "https://gateway.example.com/API/user/v1/Upsert",
    ],
)
def test_insider_is_known_by_its_path_on_any_host(url: str) -> None:
    assert InsiderProvider().recognises(url)


def test_the_urls_it_proposes_are_its_own_and_pass_the_guard() -> None:
    insider = InsiderProvider()

    urls = insider.descriptor.urls

    assert urls == {"enter": UPSERT, "exit": DELETE}
    assert all(insider.recognises(url) and check_url(url, AllowList()).url == url for url in urls.values())


@pytest.mark.parametrize(
    "url",
    [
        "https://unification.useinsider.com/api/user/v1/profile",
        "https://unification.useinsider.com/api/user/v1/upsert/more",
        "https://api.example.com/hook?next=/api/user/v1/upsert",
        "https://api.example.com/hook#/api/user/v1/upsert",
        "",
    ],
)
def test_other_paths_are_not_insiders(url: str) -> None:
    assert not InsiderProvider().recognises(url)


@pytest.mark.parametrize("body", [b"{}", b"", b" ", json.dumps(ANSWERS["delivered"]).encode()])
def test_all_the_answers_insider_gives_on_success_count_as_delivered(body: bytes) -> None:
    [outcome] = judged(batch(1), Answer(status=200, body=body))

    assert outcome.verdict is Verdict.DELIVERED


def test_a_200_that_refuses_the_user_is_a_refusal_with_each_message_once() -> None:
    [outcome] = judged(batch(1), Answer(status=200, body=json.dumps(ANSWERS["refused"]).encode()))

    assert outcome.verdict is Verdict.REFUSED
    assert outcome.reason == "either one must be there; invalid event name: Big"


def test_a_refusal_without_a_message_still_is_one() -> None:
    [outcome] = judged(batch(1), failed(1, {}))

    assert outcome.verdict is Verdict.REFUSED
    assert outcome.reason


def test_in_a_batch_only_the_user_named_by_its_index_is_refused() -> None:
    outcomes = judged(batch(12), failed(2, {"users.1.x": ["no"], "users.11.y": ["nor this"]}))

    refused = {index: one.reason for index, one in enumerate(outcomes) if one.verdict is Verdict.REFUSED}
    assert refused == {1: "no", 11: "nor this"}
    assert [one.verdict for one in outcomes].count(Verdict.DELIVERED) == 10


def test_when_insider_counts_more_refusals_than_it_names_the_rest_is_sent_in_smaller_requests() -> None:
    outcomes = judged(batch(3), failed(2, {"users.1.x": ["no"], "users.77.x": ["who"], "odd": ["?"]}))

    assert [one.verdict for one in outcomes] == [Verdict.SPLIT, Verdict.REFUSED, Verdict.SPLIT]


@pytest.mark.parametrize("status", [400, 413])
def test_a_batch_that_is_too_large_is_split_and_a_single_user_is_not(status: int) -> None:
    answer = Answer(status=status, body=b'{"error":"request body is bigger than maximum allowed size"}')

    several, alone = judged(batch(4), answer), judged(batch(1), answer)

    assert [one.verdict for one in several] == [Verdict.SPLIT] * 4
    assert [one.verdict for one in alone] == [Verdict.REFUSED]
    assert "bigger than maximum" in alone[0].reason


def test_an_unknown_partner_name_stops_the_destination_instead_of_losing_its_deliveries() -> None:
    answer = Answer(status=400, body=b'{"success":false,"message":"Partner is invalid."}')

    outcomes = judged(batch(2), answer)

    assert [one.verdict for one in outcomes] == [Verdict.STOP] * 2
    assert "X-PARTNER-NAME" in outcomes[0].reason


def test_what_insider_says_about_a_failure_is_kept() -> None:
    answer = Answer(status=429, headers={"retry-after": "7"}, body=b'{"error":"rejected: too many requests"}')

    [outcome] = judged(batch(1), answer)

    assert outcome.verdict is Verdict.RETRY
    assert outcome.retry_after == 7_000
    assert "rejected: too many requests" in outcome.reason


def test_an_answer_that_is_not_insiders_is_not_taken_for_success() -> None:
    page = Answer(status=200, body=b"<html>please sign in</html>")
    endless = Answer(status=200, body=b'{"data":', truncated=True)

    assert [one.verdict for one in judged(batch(2), page)] == [Verdict.RETRY] * 2
    assert [one.verdict for one in judged(batch(2), endless)] == [Verdict.SPLIT] * 2
    assert [one.verdict for one in judged(batch(1), endless)] == [Verdict.REFUSED]


def test_without_batching_every_delivery_is_a_request_of_its_own() -> None:
    planned = InsiderProvider().plan([message(1), message(2)])

    assert [one.deliveries for one in planned] == [("d1",), ("d2",)]


def test_with_batching_users_are_joined_byte_for_byte() -> None:
    odd = '{ "users" : [ {"insider_id": "1",  "attributes":{"age":1.50}} ] }'

    [planned] = InsiderProvider(batching=True).plan([message(1), message(2, body=odd)])

    assert planned.deliveries == ("d1", "d2")
    assert planned.request.body == (
        b'{"users":[{"identifiers": {"email": "u1@example.com"}},'
        b'{"insider_id": "1",  "attributes":{"age":1.50}}]}'
    )
    assert planned.request.headers == (("Content-Type", "application/json"),)


@pytest.mark.parametrize(
    "odd",
    [
        message(2, url=DELETE),
        message(2, body='{"users":[{"insider_id":"1"},{"insider_id":"2"}]}'),
        message(2, body='{"users":[{"insider_id":"1"}],"skip_hook":true}'),
        message(2, body='{"users":[]}'),
        message(2, body="not json"),
        message(1),
        msgspec.structs.replace(message(2), do_not_retry=frozenset((503,))),
        msgspec.structs.replace(message(2), headers=(("X-PLATFORM-NAME", "x"),)),
    ],
)
def test_what_cannot_share_a_request_goes_in_one_of_its_own(odd: Message) -> None:
    planned = InsiderProvider(batching=True).plan([message(1), odd, message(3)])

    assert [delivery for one in planned for delivery in one.deliveries] == ["d1", odd.delivery, "d3"]
    assert planned[0].deliveries == ("d1",)
    assert planned[0].request.body == message(1).body


@given(count=st.integers(min_value=0, max_value=2 * MOST_USERS + 1))
def test_no_batch_passes_insiders_limit_of_users(count: int) -> None:
    planned = InsiderProvider(batching=True).plan([message(number) for number in range(count)])

    assert sum(len(one.deliveries) for one in planned) == count
    assert all(len(one.deliveries) <= MOST_USERS for one in planned)
    assert len(planned) == -(-count // MOST_USERS)


def test_no_batch_passes_insiders_limit_of_bytes() -> None:
    fat = [
        message(number, body=json.dumps({"users": [{"insider_id": str(number), "x": "y" * 999_000}]}))
        for number in range(9)
    ]

    planned = InsiderProvider(batching=True).plan(fat)

    assert [len(one.deliveries) for one in planned] == [4, 4, 1]
    assert max(len(one.request.body) for one in planned) < 5_000_000
