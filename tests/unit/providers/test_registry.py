from importlib.metadata import EntryPoint

import pytest

from gatepost.model.errors import OperatorError
from gatepost.providers.insider.provider import InsiderProvider
from gatepost.providers.registry import GROUP, ProviderRegistry, installed_providers
from gatepost.providers.webhook.provider import WebhookProvider


def test_the_installed_package_offers_insider_and_the_plain_webhook() -> None:
    assert installed_providers().names == ("insider", "webhook")


def test_the_url_chooses_the_provider() -> None:
    registry = ProviderRegistry([WebhookProvider(), InsiderProvider()])

    assert registry.by_url("https://unification.useinsider.com/api/user/v1/upsert").name == "insider"
    assert registry.by_url("https://api.example.com/hook").name == "webhook"


def test_a_provider_is_found_by_its_name() -> None:
    registry = ProviderRegistry([WebhookProvider()])

    found = registry.by_name("webhook")

    assert found is not None
    assert found.descriptor.title == "Webhooks"
    assert registry.by_name("insider") is None


def test_a_third_party_registers_as_the_built_in_ones_do() -> None:
    entries = [
        EntryPoint("webhook", "gatepost.providers.webhook.provider:WebhookProvider", GROUP),
        EntryPoint("insider", "gatepost.providers.insider.provider:InsiderProvider", GROUP),
    ]

    assert installed_providers(entries).names == ("insider", "webhook")


@pytest.mark.parametrize(
    "value", ["no_such_package:Thing", "gatepost.providers.registry:NoSuchThing", "json:loads"]
)
def test_a_provider_that_does_not_load_is_named(value: str) -> None:
    with pytest.raises(OperatorError, match="'acme' does not load"):
        installed_providers([EntryPoint("acme", value, GROUP)])


def test_an_installation_without_the_plain_webhook_is_broken() -> None:
    with pytest.raises(OperatorError, match="reinstall gatepost"):
        ProviderRegistry([InsiderProvider()])
