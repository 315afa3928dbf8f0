import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.rendering import HelperRenderer, RenderOptions
from tests.unit.operations.desk import SCHEMA, Desk


@pytest.fixture(scope="session")
def engine() -> Iterator[tuple[asyncio.Runner, HelperRenderer]]:
    with asyncio.Runner() as runner:
        renderer = HelperRenderer(RenderOptions(workers=1))
        runner.run(renderer.start())
        yield runner, renderer
        runner.run(renderer.close())


@pytest.fixture
def desk(tmp_path: Path, engine: tuple[asyncio.Runner, HelperRenderer]) -> Iterator[Desk]:
    desk = Desk(tmp_path, *engine)
    yield desk
    desk.close()


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """The desk of a shop whose schema is published."""
    desk.configure(SCHEMA)
    return desk
