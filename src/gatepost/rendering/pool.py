"""The Jsonnet renderer: a pool of helper processes behind the Renderer port."""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Self

from gatepost.core.templates.damage import deletions, without_escapes
from gatepost.core.templates.positions import template_error
from gatepost.core.templates.repair import advise
from gatepost.core.templates.vetting import vet
from gatepost.model.catalog import TemplateType
from gatepost.model.errors import InvalidInput, OperatorError, TemplateError, Unavailable
from gatepost.ports.renderer import Engine, RenderContext, Rendered, RenderFailure, RenderResult
from gatepost.rendering import helper
from gatepost.rendering.options import MIB, RenderOptions
from gatepost.rendering.process import HelperError, HelperProcess
from gatepost.rendering.turns import Batch, Key, Parts, Result, Turn, Turns


class HelperRenderer:
    """Renders Jsonnet in helper processes, which a bad template may ruin without harm to anybody else."""

    def __init__(self, options: RenderOptions | None = None) -> None:
        self._options = options or RenderOptions()
        self._turns = Turns(self._options)
        self._workers: list[_Worker] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._opening = asyncio.Lock()
        self._closed = False

    async def start(self) -> None:
        """Warm up the helper processes; without this the first render does it."""
        async with self._opening:
            if self._closed:
                raise Unavailable("the renderer is closed")
            if self._tasks:
                return
            workers = [_Worker(self._options, self._turns) for _ in range(self._options.workers)]
            await _open_all(workers)
            self._workers = workers
            self._tasks = [asyncio.create_task(worker.run()) for worker in workers]

    async def close(self) -> None:
        """End the helper processes; renders still waiting fail as unavailable."""
        async with self._opening:
            self._closed = True
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._turns.fail(Unavailable("the renderer is closed"))

    async def __aenter__(self) -> Self:
        """Start, as `start` does."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close, as `close` does."""
        await self.close()

    @property
    def pids(self) -> list[int]:
        """Process ids of the helpers alive now, one per worker."""
        return [worker.pid for worker in self._workers if worker.pid]

    async def engine(self, type_: str, _source: str) -> Engine:
        """Say that the reference engine renders it."""
        return Engine(name="reference", reason=f"{type_} templates are rendered by their own engine alone")

    async def check(self, type_: str, source: str) -> None:
        """Parse a template without running it; raise TemplateError with position and hint."""
        _require_jsonnet(type_)
        vet(source)
        error = (await self._faults([source]))[0]
        if error:
            raise await self._advised(error, source)

    async def render(self, type_: str, source: str, contexts: Sequence[RenderContext]) -> list[RenderResult]:
        """Render one template for several contexts; one result per context, in order."""
        _require_jsonnet(type_)
        refusal = _refusal(source)
        if refusal:
            return [RenderFailure(message=refusal)] * len(contexts)
        parts = [(context.entity, context.job_config, context.auth_config) for context in contexts]
        return [self._result(result) for result in await self._ask((helper.RENDER, source), parts)]

    async def _ask(self, key: Key, contexts: Sequence[Parts]) -> list[Result]:
        if not contexts:
            return []
        await self.start()
        batch = Batch(key, contexts)
        self._turns.add(batch)
        return await batch.done

    async def _advised(self, error: TemplateError, source: str) -> TemplateError:
        undone = without_escapes(source)
        if undone.escapes and (await self._faults([undone.text]))[0] is None:
            return advise(error, undone, (), parses=True)
        candidates = deletions(undone.text)
        faults = await self._faults([candidate.text for candidate in candidates])
        parsing = [candidate for candidate, fault in zip(candidates, faults, strict=True) if fault is None]
        return advise(error, undone, parsing, parses=False)

    async def _faults(self, sources: Sequence[str]) -> list[TemplateError | None]:
        results = await self._ask((helper.CHECK, ""), [(source.encode(),) for source in sources])
        return [_fault(source, self._result(result)) for source, result in zip(sources, results, strict=True)]

    def _result(self, result: Result) -> RenderResult:
        state, text = result
        match state:
            case helper.OK:
                return Rendered(text=text.decode())
            case helper.FAULT:
                return RenderFailure(message=text.decode("utf-8", "replace"))
            case helper.TOO_LONG:
                limit = f"the output limit of {self._options.output / MIB:g} MiB"
                return RenderFailure(message=f"the template prints more than {limit}", kind="limit")
            case _:
                return RenderFailure(message=text.decode(), kind=state.decode())


class _Worker:
    """One seat of the pool: it keeps a helper alive and serves turns with it."""

    def __init__(self, options: RenderOptions, turns: Turns) -> None:
        self._options = options
        self._turns = turns
        self._helper: HelperProcess | None = None

    @property
    def pid(self) -> int:
        return self._helper.pid if self._helper else 0

    async def open(self) -> HelperProcess:
        """Return the helper, started if there is none or it died while idle."""
        if self._helper and not self._helper.alive:
            await self.close()
        if self._helper is None:
            self._helper = await HelperProcess.start(self._options)
        return self._helper

    async def close(self) -> None:
        """End the helper; cancelled midway, it may be called again."""
        if self._helper:
            await self._helper.end()
            self._helper = None

    async def run(self) -> None:
        """Serve turn after turn until cancelled."""
        try:
            while True:
                await self._serve(await self._turns.next())
        finally:
            await self.close()

    async def _serve(self, turn: Turn) -> None:
        fresh = self._helper is None or self._helper.fresh
        try:
            await self._exchange(turn)
        except HelperError as ended:
            # The callers come first: closing may be cancelled.
            if fresh or ended.kind != "engine":
                turn.settle((ended.kind.encode(), str(ended).encode()))
            # Else what earlier renders left behind may be to blame: a new helper gets to try.
            self._turns.give_back(turn)
            await self.close()
        except (OperatorError, OSError) as error:
            turn.batch.fail(OperatorError(f"the template engine cannot be reached: {error}"))
        except asyncio.CancelledError:
            turn.batch.fail(Unavailable("the renderer is closed"))
            raise
        except Exception as error:  # noqa: BLE001 - once per turn: a fault of ours must not leave the caller waiting
            turn.batch.fail(error)
            await self.close()

    async def _exchange(self, turn: Turn) -> None:
        running = await self.open()
        operation, source = turn.batch.key
        contexts = turn.contexts
        request = [operation, source.encode(), *(part for context in contexts for part in context)]
        async for result in running.results(request, len(contexts)):
            turn.settle(result)
        if running.worn:
            await self.close()
            await self.open()


async def _open_all(workers: Sequence[_Worker]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker.open())
    except BaseException as failed:
        # By now the group has waited for those that were still starting.
        for worker in workers:
            await worker.close()
        if isinstance(failed, ExceptionGroup):
            raise failed.exceptions[0] from failed
        raise


def _fault(source: str, result: RenderResult) -> TemplateError | None:
    if isinstance(result, Rendered):
        return None
    if result.kind == "engine":
        msg = f"{result.message}; try again"
        raise Unavailable(msg)
    return template_error(result.message, source)


def _require_jsonnet(type_: str) -> None:
    if type_ != TemplateType.JSONNET:
        msg = f"{type_!r} is not a template type; the one there is: {TemplateType.JSONNET.value}"
        raise InvalidInput(msg, path="type")


@lru_cache(maxsize=64)
def _refusal(source: str) -> str:
    # A stored template was vetted when it was saved, unless it was saved by force.
    try:
        vet(source)
    except TemplateError as error:
        return error.message
    return ""
