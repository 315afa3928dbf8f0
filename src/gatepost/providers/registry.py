"""Which providers there are, and which one a URL belongs to."""

from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points

from gatepost.model.errors import OperatorError
from gatepost.providers.contract import Provider

GROUP = "gatepost.providers"
"""The entry point group: each entry names something callable that returns a Provider."""

FALLBACK = "webhook"


class ProviderRegistry:
    """The providers of this installation, built-in ones and those of third parties alike."""

    def __init__(self, providers: Iterable[Provider]) -> None:
        named = {provider.name: provider for provider in sorted(providers, key=lambda one: one.name)}
        if FALLBACK not in named:
            msg = f"the provider {FALLBACK!r}, which takes every other URL, is missing; reinstall gatepost"
            raise OperatorError(msg)
        self._fallback = named.pop(FALLBACK)
        self._special: Sequence[Provider] = tuple(named.values())

    @property
    def names(self) -> tuple[str, ...]:
        """Every provider's name, the fallback last."""
        return (*(provider.name for provider in self._special), self._fallback.name)

    def by_url(self, url: str) -> Provider:
        """Return the provider of a URL: the first by name that recognises it, else the plain webhook."""
        for provider in self._special:
            if provider.recognises(url):
                return provider
        return self._fallback

    def by_name(self, name: str) -> Provider | None:
        """Return the provider of this name, or None."""
        return next((one for one in (*self._special, self._fallback) if one.name == name), None)


def installed_providers(found: Iterable[EntryPoint] | None = None) -> ProviderRegistry:
    """Return the providers that installed packages offer; raise OperatorError if one does not load."""
    return ProviderRegistry(
        _loaded(entry) for entry in (entry_points(group=GROUP) if found is None else found)
    )


def _loaded(entry: EntryPoint) -> Provider:
    try:
        provider: Provider = entry.load()()
    except (ImportError, AttributeError, TypeError) as error:
        msg = f"the provider {entry.name!r} does not load: {error}; mend or uninstall its package"
        raise OperatorError(msg) from error
    return provider
