"""The seam to the template engines, which run outside this process."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from gatepost.model.jsonvalue import JsonObject, JsonValue


class RenderContext:
    """What one render may read: the profile with its fields at the top level, `segment_events` included, and more.

    It is given as an object or as JSON text and read as either; each form is made once, when it is asked for.
    """

    __slots__ = ("_entity", "_fields", "auth_config", "job_config")

    def __init__(
        self, *, entity: bytes | JsonObject, job_config: bytes = b"{}", auth_config: bytes = b"{}"
    ) -> None:
        self._entity = entity if isinstance(entity, bytes) else None
        self._fields: JsonValue = None if isinstance(entity, bytes) else entity
        self.job_config = job_config
        self.auth_config = auth_config
        """Never holds secrets; templates see only what the user marked as readable."""

    @property
    def entity(self) -> bytes:
        """The profile as JSON text."""
        if self._entity is None:
            self._entity = msgspec.json.encode(self._fields)
        return self._entity

    @property
    def fields(self) -> JsonValue:
        """The profile as an object; raise msgspec.DecodeError when the text is not JSON."""
        if self._fields is None and self._entity is not None:
            self._fields = msgspec.json.decode(self._entity)
        return self._fields


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A render that came out; `text` is exactly what the engine printed."""

    text: str


class RenderFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A render that did not; `message` is the engine's own.

    `kind` is runtime, limit or engine, or source when what was given is no template at all.
    """

    message: str
    kind: str = "runtime"


RenderResult = Rendered | RenderFailure


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """What renders a template: `compiled` or `reference`; with the latter, why."""

    name: str
    reason: str = ""


class Renderer(Protocol):
    """Renders templates. One bad template never harms the next render, nor the process that asks."""

    async def start(self) -> None:
        """Get ready; without this the first render does it."""

    async def engine(self, type_: str, source: str) -> Engine:
        """Say what renders a template."""

    def distrusts(self, source: str) -> bool:
        """Say whether two engines disagreed on a source since the start; it is left to the reference engine."""

    async def check(self, type_: str, source: str) -> None:
        """Parse a template without running it; raise TemplateError with line, column and excerpt."""

    async def render(self, type_: str, source: str, contexts: Sequence[RenderContext]) -> list[RenderResult]:
        """Render one template for several contexts; one result per context, in order."""

    async def close(self) -> None:
        """End the helper processes."""
