from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline import Pipeline


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    built = Pipeline(tmp_path)
    yield built
    built.close()
