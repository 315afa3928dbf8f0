"""What every provider promises, written once; a provider's own tests subclass the suite."""

import json

import msgspec
import pytest

from gatepost.model.delivery import Verdict
from gatepost.model.request import Answer
from gatepost.providers.contract import DELIVERY_HEADER, Message, PlannedRequest, Provider

NOW = 1_700_000_000_000


class ProviderSuite:
    """Subclass it, and give `provider` and a `url` the provider recognises."""

    url: str

    @pytest.fixture
    def provider(self) -> Provider:
        raise NotImplementedError

    def message(self, number: int) -> Message:
        user = {"identifiers": {"email": f"user{number}@example.com"}, "attributes": {"age": number}}
        body = json.dumps({"users": [user]}).encode()
        return Message(delivery=f"{number:032x}", url=self.url, body=body)

    def planned(self, provider: Provider, count: int) -> list[PlannedRequest]:
        return provider.plan([self.message(number) for number in range(count)])

    def verdicts(self, provider: Provider, answer: Answer, **changes: object) -> list[Verdict]:
        planned = [msgspec.structs.replace(one, **changes) for one in self.planned(provider, 3)]
        return [outcome.verdict for one in planned for outcome in provider.judge(one, answer, NOW)]

    def test_it_recognises_its_url(self, provider: Provider) -> None:
        assert provider.recognises(self.url)

    def test_its_descriptor_carries_its_name(self, provider: Provider) -> None:
        assert provider.descriptor.name == provider.name
        assert provider.descriptor.title
        assert provider.descriptor.fields

    @pytest.mark.parametrize("count", [0, 1, 2, 7])
    def test_every_delivery_is_in_exactly_one_request_in_order(self, provider: Provider, count: int) -> None:
        planned = self.planned(provider, count)

        carried = [delivery for one in planned for delivery in one.deliveries]

        assert carried == [self.message(number).delivery for number in range(count)]

    def test_a_message_alone_goes_out_byte_for_byte_with_its_id(self, provider: Provider) -> None:
        message = self.message(7)

        [planned] = provider.plan([message])

        assert planned.request.body == message.body
        assert (planned.request.method, planned.request.url) == ("POST", self.url)
        assert (DELIVERY_HEADER, message.delivery) in planned.request.headers
        assert ("Content-Type", "application/json") in planned.request.headers

    def test_planning_twice_gives_the_same_requests(self, provider: Provider) -> None:
        assert self.planned(provider, 5) == self.planned(provider, 5)

    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_success_delivers_every_delivery_of_the_request(self, provider: Provider, status: int) -> None:
        verdicts = self.verdicts(provider, Answer(status=status, body=b"{}"))

        assert verdicts == [Verdict.DELIVERED] * 3

    @pytest.mark.parametrize("status", [400, 404, 413])
    def test_a_single_delivery_the_receiver_will_never_take_is_refused(
        self, provider: Provider, status: int
    ) -> None:
        [planned] = self.planned(provider, 1)

        [outcome] = provider.judge(planned, Answer(status=status), NOW)

        assert outcome.verdict is Verdict.REFUSED
        assert str(status) in outcome.reason

    @pytest.mark.parametrize("status", [401, 403])
    def test_bad_credentials_stop_the_destination(self, provider: Provider, status: int) -> None:
        verdicts = self.verdicts(provider, Answer(status=status))

        assert verdicts == [Verdict.STOP] * 3

    @pytest.mark.parametrize(
        "status", [301, 302, 307, 308, 405, 408, 409, 410, 429, 500, 502, 503, 504, 520, 599]
    )
    def test_everything_else_is_tried_again(self, provider: Provider, status: int) -> None:
        verdicts = self.verdicts(provider, Answer(status=status))

        assert verdicts == [Verdict.RETRY] * 3

    @pytest.mark.parametrize("status", [401, 409, 503])
    def test_a_job_may_call_any_failure_final(self, provider: Provider, status: int) -> None:
        verdicts = self.verdicts(provider, Answer(status=status), do_not_retry=frozenset((401, 409, 503)))

        assert verdicts == [Verdict.REFUSED] * 3

    @pytest.mark.parametrize("status", [429, 500, 503])
    @pytest.mark.parametrize(
        ("wish", "wait"), [("120", 120_000), ("Tue, 14 Nov 2023 22:14:20 GMT", 60_000), ("later", None)]
    )
    def test_the_wait_a_receiver_asks_for_is_passed_on(
        self, provider: Provider, status: int, wish: str, wait: int | None
    ) -> None:
        [planned] = self.planned(provider, 1)

        [outcome] = provider.judge(planned, Answer(status=status, headers={"retry-after": wish}), NOW)

        assert outcome.retry_after == wait

    def test_a_redirect_is_a_failure_that_says_where_it_led_without_its_secrets(
        self, provider: Provider
    ) -> None:
        [planned] = self.planned(provider, 1)
        answer = Answer(
            status=302, headers={"location": "https://new.example.com/hook?token=hunter2#hunter2"}
        )

        [outcome] = provider.judge(planned, answer, NOW)

        assert "https://new.example.com/hook" in outcome.reason
        assert "hunter2" not in outcome.reason

    @pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 413, 429, 500])
    @pytest.mark.parametrize(
        "body", [b"", b"\xff\xfe", b"<html>", b"[]", b"null", b'{"data":7}', b"{" * 5_000]
    )
    def test_a_strange_body_is_never_an_error_and_every_delivery_has_an_outcome(
        self, provider: Provider, status: int, body: bytes
    ) -> None:
        verdicts = self.verdicts(provider, Answer(status=status, body=body, truncated=True))

        assert len(verdicts) == 3

    @pytest.mark.parametrize("body", [None, True, 7, "text", [], {}, {"users": 7}, {"users": [None, [], {}]}])
    def test_advice_on_a_strange_body_is_never_an_error(self, provider: Provider, body: object) -> None:
        advice = provider.advice(self.url, json.loads(json.dumps(body)))

        assert all(one.message for one in advice)
