"""A pool of helper processes that run one program."""

import asyncio
from collections.abc import Sequence

from gatepost.engines import frames
from gatepost.model.errors import OperatorError, Unavailable
from gatepost.ports.renderer import Rendered, RenderFailure, RenderResult
from gatepost.rendering.options import MIB, RenderOptions
from gatepost.rendering.process import HelperError, HelperProcess, too_large
from gatepost.rendering.program import Program
from gatepost.rendering.turns import Batch, Key, Parts, Result, Turn, Turns


class HelperPool:
    """Renders templates of one kind in helper processes, started when first needed."""

    def __init__(self, program: Program, options: RenderOptions) -> None:
        self._program = program
        self._options = options
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
            workers = [
                _Worker(self._program, self._options, self._turns) for _ in range(self._options.workers)
            ]
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

    @property
    def pids(self) -> list[int]:
        """Process ids of the helpers alive now, one per worker."""
        return [worker.pid for worker in self._workers if worker.pid]

    async def checks(self, sources: Sequence[str]) -> list[RenderResult]:
        """Return, for each source, whether the engine takes it for a template; none of them runs to its end."""
        parts = [(source.encode(),) for source in sources]
        return [self._result(result) for result in await self._ask((frames.CHECK, ""), parts)]

    async def renders(self, source: str, contexts: Sequence[Parts]) -> list[RenderResult]:
        """Render one template for several contexts; one result per context, in order."""
        return [self._result(result) for result in await self._ask((frames.RENDER, source), contexts)]

    async def _ask(self, key: Key, contexts: Sequence[Parts]) -> list[Result]:
        if not contexts:
            return []
        await self.start()
        batch = Batch(key, contexts)
        self._turns.add(batch)
        return await batch.done

    def _result(self, result: Result) -> RenderResult:
        state, text = result
        match state:
            case frames.OK:
                return Rendered(text=text.decode())
            case frames.FAULT:
                return RenderFailure(message=text.decode("utf-8", "replace"))
            case frames.TOO_LONG:
                limit = f"the output limit of {self._options.output / MIB:g} MiB"
                return RenderFailure(message=f"the template prints more than {limit}", kind="limit")
            case frames.TOO_LARGE:
                return RenderFailure(message=too_large(self._options), kind="limit")
            case _:
                return RenderFailure(message=text.decode(), kind=state.decode())


class _Worker:
    """One seat of the pool: it keeps a helper alive and serves turns with it."""

    def __init__(self, program: Program, options: RenderOptions, turns: Turns) -> None:
        self._program = program
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
            self._helper = await HelperProcess.start(self._program, self._options)
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
