import asyncio
from collections.abc import Iterator, Sequence

import msgspec
import pytest

from gatepost.model.errors import TemplateError
from gatepost.ports.renderer import RenderContext, RenderResult
from gatepost.rendering import CompiledRenderer, HelperRenderer, RenderOptions


class Engine:
    """The renderer as a test speaks to it: call by call."""

    def __init__(self, runner: asyncio.Runner, renderer: HelperRenderer | CompiledRenderer) -> None:
        self._runner = runner
        self._renderer = renderer

    def render(self, source: str, *entities: object, job_config: bytes = b"{}") -> list[RenderResult]:
        contexts = [
            RenderContext(entity=msgspec.json.encode(entity), job_config=job_config) for entity in entities
        ]
        return self.render_contexts(source, contexts)

    def render_contexts(
        self, source: str, contexts: Sequence[RenderContext], type_: str = "jsonnet"
    ) -> list[RenderResult]:
        return self._runner.run(self._renderer.render(type_, source, contexts))

    def complaint(self, source: str) -> TemplateError | None:
        try:
            self._runner.run(self._renderer.check("jsonnet", source))
        except TemplateError as error:
            return error
        return None


@pytest.fixture(scope="module", params=["reference", "compiled"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with asyncio.Runner() as runner:
        reference = HelperRenderer(RenderOptions(workers=1))
        renderer = CompiledRenderer(reference) if request.param == "compiled" else reference
        runner.run(renderer.start())
        yield Engine(runner, renderer)
        runner.run(renderer.close())
