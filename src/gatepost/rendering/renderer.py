"""The renderer: for each kind of template a pool of helper processes, behind the Renderer port."""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Self

from gatepost.core.templates.damage import deletions, without_escapes
from gatepost.core.templates.positions import template_error
from gatepost.core.templates.repair import advise
from gatepost.core.templates.slips import Fault, hint_of
from gatepost.model.catalog import TemplateType
from gatepost.model.errors import InvalidInput, TemplateError, Unavailable
from gatepost.ports.renderer import Engine, RenderContext, Rendered, RenderFailure, RenderResult
from gatepost.rendering.options import RenderOptions
from gatepost.rendering.pool import HelperPool
from gatepost.rendering.program import program


class HelperRenderer:
    """Renders templates in helper processes, which a bad template may ruin without harm to anybody else."""

    def __init__(self, options: RenderOptions | None = None) -> None:
        self._programs = {type_: program(type_) for type_ in TemplateType}
        chosen = options or RenderOptions()
        self._pools = {type_: HelperPool(one, chosen) for type_, one in self._programs.items()}

    async def start(self) -> None:
        """Warm up the helpers for Jsonnet; all others start with the first template of their kind."""
        await self._pools[TemplateType.JSONNET].start()

    async def close(self) -> None:
        """End the helper processes; renders still waiting fail as unavailable."""
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))

    async def __aenter__(self) -> Self:
        """Start, as `start` does."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close, as `close` does."""
        await self.close()

    @property
    def pids(self) -> list[int]:
        """Process ids of the helpers alive now."""
        return [pid for pool in self._pools.values() for pid in pool.pids]

    async def engine(self, type_: str, _source: str) -> Engine:
        """Say that the reference engine renders it."""
        return Engine(name="reference", reason=f"{type_} templates are rendered by their own engine alone")

    def distrusts(self, _source: str) -> bool:
        """There is one engine for each kind, and nobody to disagree with."""
        return False

    async def check(self, type_: str, source: str) -> None:
        """Read a template without rendering it; raise TemplateError with position and hint."""
        kind = _kind(type_)
        self._programs[kind].vet(source)
        error = (await self._faults(kind, [source]))[0]
        if error is None:
            return
        said = hint_of(_slip(kind, error, source))
        error = await self._advised(error, source) if kind is TemplateType.JSONNET else error
        error.hint = error.hint or said
        raise error

    async def render(self, type_: str, source: str, contexts: Sequence[RenderContext]) -> list[RenderResult]:
        """Render one template for several contexts; one result per context, in order."""
        kind = _kind(type_)
        if refusal := _refusal(self._programs[kind].vet, source):
            return [RenderFailure(message=refusal)] * len(contexts)
        parts = [(context.entity, context.job_config, context.auth_config) for context in contexts]
        return await self._pools[kind].renders(source, parts)

    async def _advised(self, error: TemplateError, source: str) -> TemplateError:
        undone = without_escapes(source)
        if undone.escapes and (await self._faults(TemplateType.JSONNET, [undone.text]))[0] is None:
            return advise(error, undone, (), parses=True)
        candidates = deletions(undone.text)
        faults = await self._faults(TemplateType.JSONNET, [candidate.text for candidate in candidates])
        parsing = [candidate for candidate, fault in zip(candidates, faults, strict=True) if fault is None]
        return advise(error, undone, parsing, parses=False)

    async def _faults(self, kind: TemplateType, sources: Sequence[str]) -> list[TemplateError | None]:
        results = await self._pools[kind].checks(sources)
        return [_fault(source, result) for source, result in zip(sources, results, strict=True)]


def _slip(kind: TemplateType, error: TemplateError, source: str) -> Fault:
    return Fault(type=kind.value, message=error.message, source=source, line=error.line, column=error.column)


def _fault(source: str, result: RenderResult) -> TemplateError | None:
    if isinstance(result, Rendered):
        return None
    if result.kind == "engine":
        msg = f"{result.message}; try again"
        raise Unavailable(msg)
    return template_error(result.message, source)


def _kind(type_: str) -> TemplateType:
    try:
        return TemplateType(type_)
    except ValueError:
        known = ", ".join(one.value for one in TemplateType)
        msg = f"{type_!r} is not a template type; the types are: {known}"
        raise InvalidInput(msg, path="type") from None


@lru_cache(maxsize=64)
def _refusal(vet: Callable[[str], None], source: str) -> str:
    # A stored template was vetted when it was saved, unless it was saved by force.
    try:
        vet(source)
    except TemplateError as error:
        return error.message
    return ""
