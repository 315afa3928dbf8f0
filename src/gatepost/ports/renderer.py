"""The seam to the template engines, which run outside this process."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class RenderContext(msgspec.Struct, frozen=True, kw_only=True):
    """What one render may read: every member is JSON text."""

    entity: bytes
    """The profile with its fields at the top level, `segment_events` included."""
    job_config: bytes = b"{}"
    auth_config: bytes = b"{}"
    """Never holds secrets; templates see only what the user marked as readable."""


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A render that came out; `text` is exactly what the engine printed."""

    text: str


class RenderFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A render that did not; `message` is the engine's own, `kind` is runtime, limit or engine."""

    message: str
    kind: str = "runtime"


RenderResult = Rendered | RenderFailure


class Renderer(Protocol):
    """Renders templates. One bad template never harms the next render, nor the process that asks."""

    async def check(self, type_: str, source: str) -> None:
        """Parse a template without running it; raise TemplateError with line, column and excerpt."""

    async def render(self, type_: str, source: str, contexts: Sequence[RenderContext]) -> list[RenderResult]:
        """Render one template for several contexts; one result per context, in order."""

    async def close(self) -> None:
        """End the helper processes."""
