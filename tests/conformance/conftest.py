"""Every back end of every port; a new one is done when the suites here pass on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.backends.clock import HandClock
from gatepost.backends.sqlite.log import SqliteLog
from gatepost.backends.sqlite.store import SqliteStore
from gatepost.ports.log import EventLog
from gatepost.ports.store import Store

START = 1_700_000_000_000


@pytest.fixture
def clock() -> HandClock:
    return HandClock(START)


@pytest.fixture(params=["sqlite"])
def store(tmp_path: Path) -> Iterator[Store]:
    opened = SqliteStore(tmp_path / "state")
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite"])
def log(tmp_path: Path, clock: HandClock) -> Iterator[EventLog]:
    opened = SqliteLog(tmp_path / "log", clock, lambda: None)
    yield opened
    opened.close()
