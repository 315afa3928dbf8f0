"""The fast path in front of the helper processes: Jsonnet compiled to Python, and the engine where there is doubt."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from threading import Lock
from time import perf_counter
from typing import Self

import msgspec
import structlog

from gatepost.core.jsonnet.program import Doubt, Program, Uncovered, compile_template
from gatepost.core.templates.presets import library
from gatepost.core.templates.vetting import vet
from gatepost.model.catalog import TemplateType
from gatepost.model.errors import GatepostError, TemplateError
from gatepost.model.jsonvalue import JsonValue
from gatepost.ports.renderer import Engine, RenderContext, Rendered, Renderer, RenderFailure, RenderResult
from gatepost.rendering.options import MIB

_LOG = structlog.get_logger("gatepost.render")

LARGEST_SOURCE = 64 * 1024
"""Characters of a source that is worth compiling."""
_PROGRAMS = 2_000
"""Templates kept compiled."""
_KEPT = 8 * MIB
"""Characters of sources, code and fixed texts of the templates kept; in memory each may take thirty bytes."""
_FIRST, _EVERY = 3, 1_000
"""The first renders of a template are compared with the reference engine, and then one in so many."""
_AT_ONCE = 4
"""Comparisons under way at the same time; what would be compared beyond them is not."""
_SETTLED = 50
"""Renders after which a template that mostly needs the reference engine is left to it."""
_DISAGREED = "the fast engine gave another result than the reference engine; please report this template"
_RENDERING = Lock()
"""Programs share one budget; they run in the event loop's thread, and whoever renders in another waits."""
_STRETCH = 0.005
"""Seconds of rendering after which others get a turn."""


class CompiledRenderer:
    """Renders Jsonnet by compiled programs and everything else, and every doubt, by the renderer behind it."""

    def __init__(self, reference: Renderer, *, output: int = MIB, every: int = _EVERY) -> None:
        self._reference = reference
        self._output = output
        self._every = every
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._size = 0
        self._coming: dict[str, asyncio.Task[_Entry]] = {}
        self._compiling = asyncio.Lock()
        self._checks: set[asyncio.Task[None]] = set()
        self._distrusted: set[bytes] = set()
        """Digests of the sources whose engines disagreed, which outlive what is kept of them."""

    async def start(self) -> None:
        """Warm up the renderer behind."""
        await self._reference.start()

    async def close(self) -> None:
        """Close the renderer behind."""
        for check in self._checks:
            check.cancel()
        await self._reference.close()

    async def __aenter__(self) -> Self:
        """Start, as `start` does."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close, as `close` does."""
        await self.close()

    def distrusts(self, source: str) -> bool:
        """Say whether the two engines disagreed on a source since the start."""
        return bool(self._distrusted) and _digest(source) in self._distrusted

    async def check(self, type_: str, source: str) -> None:
        """Check a source as the reference engine does."""
        await self._reference.check(type_, source)

    async def engine(self, type_: str, source: str) -> Engine:
        """Say which engine renders a template, and why if it is not the fast one."""
        if type_ != TemplateType.JSONNET:
            return await self._reference.engine(type_, source)
        entry = await self._entry(source)
        return Engine(name="reference", reason=entry.reason) if entry.reason else Engine(name="compiled")

    async def render(self, type_: str, source: str, contexts: Sequence[RenderContext]) -> list[RenderResult]:
        """Render one template for several contexts; one result per context, in order."""
        entry = await self._entry(source) if type_ == TemplateType.JSONNET else None
        if entry is None or entry.reason:
            return await self._reference.render(type_, source, contexts)
        texts = await self._compiled(entry, contexts)
        results: list[RenderResult] = [Rendered(text=text or "") for text in texts]
        asked = [at for at, text in enumerate(texts) if text is None]
        if entry.compared < _FIRST:
            await self._try_out(entry, source, contexts, results, asked)
        else:
            await self._refer(source, contexts, asked, results)
            self._sample(entry, source, contexts, texts)
        return results

    async def _try_out(
        self,
        entry: "_Entry",
        source: str,
        contexts: Sequence[RenderContext],
        results: list[RenderResult],
        asked: Sequence[int],
    ) -> None:
        """Compare a template's first renders before any of them goes out."""
        printed = {at: result for at, result in enumerate(results) if at not in asked}
        tried = list(printed)[: _FIRST - entry.compared]
        entry.compared += len(tried)
        await self._refer(source, contexts, [*asked, *tried], results)
        for at in tried:
            if not self._compared(entry, source, printed[at], results[at]):
                # The engine was lost or too slow to compare; that takes nothing from what was printed.
                results[at] = printed[at]
        if entry.distrusted:
            # What nobody compared may be as wrong.
            await self._refer(source, contexts, [at for at in printed if at not in tried], results)

    def _sample(
        self, entry: "_Entry", source: str, contexts: Sequence[RenderContext], texts: Sequence[str | None]
    ) -> None:
        """Compare one render in so many while it is on its way: nobody waits for that."""
        before, entry.compared = entry.compared, entry.compared + len(texts)
        if before // self._every == entry.compared // self._every or len(self._checks) >= _AT_ONCE:
            return
        at = self._every - 1 - before % self._every
        text = texts[at % len(texts)]
        if text is not None:
            check = asyncio.create_task(self._checked(entry, source, contexts[at % len(texts)], text))
            self._checks.add(check)
            check.add_done_callback(self._checks.discard)

    async def _checked(self, entry: "_Entry", source: str, context: RenderContext, text: str) -> None:
        # A renderer that is closed or lost cannot compare; whoever renders next hears of it.
        with suppress(GatepostError):
            (answer,) = await self._reference.render(TemplateType.JSONNET, source, [context])
            self._compared(entry, source, Rendered(text=text), answer)

    def _compared(self, entry: "_Entry", source: str, printed: RenderResult, answer: RenderResult) -> bool:
        """Compare, and leave a template to the engine that says something else; say whether there was an answer."""
        if isinstance(answer, RenderFailure) and answer.kind != "runtime":
            return False
        if printed != answer:
            entry.demote(printed, answer)
            self._distrusted.add(_digest(source))
        return True

    async def _refer(
        self,
        source: str,
        contexts: Sequence[RenderContext],
        places: Sequence[int],
        results: list[RenderResult],
    ) -> None:
        """Have the reference engine render the contexts at some places, and put its results there."""
        if not places:
            return
        answers = await self._reference.render(TemplateType.JSONNET, source, [contexts[at] for at in places])
        for at, answer in zip(places, answers, strict=True):
            results[at] = answer

    async def _compiled(self, entry: "_Entry", contexts: Sequence[RenderContext]) -> list[str | None]:
        texts: list[str | None] = []
        until = perf_counter() + _STRETCH
        for context in contexts:
            texts.append(entry.render(context, self._output))
            if perf_counter() > until:
                await asyncio.sleep(0)
                until = perf_counter() + _STRETCH
        return texts

    async def _entry(self, source: str) -> "_Entry":
        entry = self._entries.get(source)
        if entry is None:
            # Whoever else comes for it meanwhile waits for the same; it goes on if the first one gives up.
            coming = self._coming.get(source) or asyncio.create_task(self._compile(source))
            self._coming[source] = coming
            return await asyncio.shield(coming)
        self._entries.move_to_end(source)
        return entry

    async def _compile(self, source: str) -> "_Entry":
        try:
            # In a thread, and one at a time: a large source takes a while, and others go on meanwhile.
            async with self._compiling:
                entry = await asyncio.to_thread(_Entry, source)
        finally:
            del self._coming[source]
        if _digest(source) in self._distrusted:
            entry.reason = _DISAGREED
        self._keep(source, entry)
        return entry

    def _keep(self, source: str, entry: "_Entry") -> None:
        self._entries[source] = entry
        self._size += entry.size
        while len(self._entries) > _PROGRAMS or (self._size > _KEPT and len(self._entries) > 1):
            _, gone = self._entries.popitem(last=False)
            self._size -= gone.size


class _Entry:
    """A template as this process has it."""

    def __init__(self, source: str) -> None:
        self._program: Program | None = None
        self.reason = ""
        """Why the reference engine renders it; empty while the program does."""
        self.compared = 0
        self.distrusted = False
        """Whether the two engines disagreed."""
        self._renders = 0
        self._doubts = 0
        try:
            if len(source) > LARGEST_SOURCE:
                raise Uncovered("the template is too large")
            vet(source)
            self._program = compile_template(source, library())
        except Uncovered as uncovered:
            self.reason = str(uncovered)
        except TemplateError as error:
            self.reason = error.message
        except Exception as error:  # noqa: BLE001 - once per template: a fault of the compiler is no fault of the template
            self.reason = "the fast engine cannot read it; please report this template"
            _LOG.error("render.not_compiled", error=type(error).__name__)
        self.size = len(source) + (self._program.size if self._program else 0)
        """Characters that keeping it takes."""

    def render(self, context: RenderContext, output: int) -> str | None:
        """Return what the program prints, or None where the reference engine must say."""
        if self._program is None:
            return None
        self._renders += 1
        try:
            fields = context.fields
            if not isinstance(fields, dict):
                raise Doubt("not an object")
            configs = (_parsed(context.job_config), _parsed(context.auth_config))
            with _RENDERING:
                text = self._program.render(fields, *configs)
            if _fits(text, output):
                return text
        except (Doubt, msgspec.DecodeError, RecursionError) as doubt:
            self._doubted(str(doubt))
        return None

    def _doubted(self, reason: str) -> None:
        self._doubts += 1
        if self._renders >= _SETTLED and self._doubts * 2 > self._renders:
            self.reason = f"most of its renders need the reference engine ({reason})"

    def demote(self, printed: RenderResult, answer: RenderResult) -> None:
        """Leave a template whose two engines disagree to the reference engine, and say so loudly."""
        self.reason = _DISAGREED
        self.distrusted = True
        text, said = _text(printed), _text(answer)
        at = next((at for at, (one, other) in enumerate(zip(text, said, strict=False)) if one != other), -1)
        # Where they part, but not what they say: that is somebody's profile.
        _LOG.error("render.engines_disagree", first_difference=at, compiled=len(text), reference=len(said))


@lru_cache(maxsize=256)
def _parsed(text: bytes) -> JsonValue:
    parsed: JsonValue = msgspec.json.decode(text)
    return parsed


def _digest(source: str) -> bytes:
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest()


def _fits(text: str, output: int) -> bool:
    """Say whether a text has no more than so many bytes."""
    return len(text) * 4 <= output or len(text.encode()) <= output


def _text(result: RenderResult) -> str:
    return result.text if isinstance(result, Rendered) else result.message
