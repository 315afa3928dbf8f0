import pytest

from gatepost.providers.contract import Message, Provider
from gatepost.providers.webhook.provider import WebhookProvider
from tests.conformance.provider import ProviderSuite


class TestWebhookProvider(ProviderSuite):
    url = "https://api.example.com/hooks/audience"

    @pytest.fixture
    def provider(self) -> Provider:
        return WebhookProvider()


def test_each_delivery_keeps_its_own_method_url_and_headers() -> None:
    messages = [
        Message(delivery="a", method="PUT", url="https://h.example/1", headers=(), body=b"x"),
        Message(delivery="b", method="GET", url="https://h.example/2", headers=(("X-A", "1"),)),
    ]

    first, second = (planned.request for planned in WebhookProvider().plan(messages))

    assert (first.method, first.url, first.body) == ("PUT", "https://h.example/1", b"x")
    assert first.headers == (("Gatepost-Delivery-Id", "a"),)
    assert (second.method, second.url, second.body) == ("GET", "https://h.example/2", b"")
    assert second.headers == (("X-A", "1"), ("Gatepost-Delivery-Id", "b"))
