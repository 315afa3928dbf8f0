"""What a destination would say of a rendered body, before anything is sent."""

import json
from collections.abc import Sequence

import msgspec
from rich.text import Text

from gatepost.cli.failure import CommandError
from gatepost.cli.output import Output
from gatepost.core.templates.sending import request_parts
from gatepost.model.errors import TemplateError
from gatepost.providers.contract import Advice, AdviceLevel, Provider
from gatepost.providers.registry import installed_providers


class OutputCheck(msgspec.Struct, frozen=True):
    """A provider that looks over bodies, and where they would go."""

    provider: Provider
    url: str = ""
    """Empty takes the provider's own for the trigger."""

    def advice(self, printed: str, event: str) -> list[Advice]:
        """Return what the provider says of what a template printed for a trigger; the worst comes first."""
        urls = self.provider.descriptor.urls
        proposed = self.url or urls.get(event) or next(iter(urls.values()), "")
        try:
            parts = request_parts(printed, proposed)
            body = None if parts is None else json.loads(parts.body)
        except (TemplateError, ValueError, RecursionError) as error:
            return [Advice(path="", message=f"the body is no JSON: {error}", level=AdviceLevel.ERROR)]
        return [] if parts is None else self.provider.advice(parts.url, body)


def output_check(name: str, url: str) -> OutputCheck | None:
    """Return the check of a provider by name, or by the URL alone; None when neither is given."""
    if not name and not url:
        return None
    providers = installed_providers()
    provider = providers.by_name(name) if name else providers.by_url(url)
    if provider is None:
        msg = f"there is no provider {name!r}"
        raise CommandError(msg, hint=f"There are: {', '.join(providers.names)}")
    return OutputCheck(provider, url)


def show_advice(out: Output, advice: Sequence[Advice]) -> None:
    """Print what a destination says."""
    for one in advice:
        colour = "red" if one.level is AdviceLevel.ERROR else "yellow"
        out.show(
            Text.assemble((f"{one.level.value}: ", colour), (one.path or "body", "bold"), f": {one.message}")
        )


def told_advice(advice: Sequence[Advice]) -> list[dict[str, str]]:
    """Return what a destination says, for programs."""
    return [{"level": one.level.value, "path": one.path, "message": one.message} for one in advice]


def refuses(advice: Sequence[Advice]) -> bool:
    """Tell whether a destination would refuse the body, or do something else than is wanted."""
    return any(one.level is AdviceLevel.ERROR for one in advice)
