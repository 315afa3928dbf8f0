"""What every test starts from: a clean environment, and a clear word where a test cannot run.

`@pytest.mark.shared` reads example files kept beside the repository; without them such tests are left out.
`@pytest.mark.needs("strace")` wants a program of the system; see `_system_parts`.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests._system_parts import ENVIRONMENT_AT_START, missing_after_install, remedy

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

left_out = pytest.StashKey[int]()

# A shared machine is slow now and then; only wrong answers may fail a law, never a slow one.
settings.register_profile(
    "gatepost", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=IN_CI
)
settings.load_profile("gatepost")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of example files beside the repository; only for tests marked `shared`."""
    return SHARED


@pytest.fixture(scope="session")
def installer_environment() -> dict[str, str]:
    """The environment as it was before scrubbing, for package tools that have to find their registry."""
    return dict(ENVIRONMENT_AT_START)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "shared: reads example files from ../shared, left out without them")
    config.addinivalue_line("markers", "needs(program): wants a program of the system, such as strace")
    config.stash[left_out] = 0
    scrub_environment()


def scrub_environment() -> None:
    """Forget settings and proxies of the person at the keyboard; find the environment's commands first."""
    for name in list(os.environ):
        if name.startswith("GATEPOST_") or name.lower().endswith("_proxy"):
            del os.environ[name]
    here = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", os.defpath)])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if SHARED.is_dir():
        return
    dropped = [item for item in items if item.get_closest_marker("shared")]
    items[:] = [item for item in items if item not in dropped]
    config.stash[left_out] += len(dropped)
    if dropped:
        config.hook.pytest_deselected(items=dropped)


def pytest_runtest_setup(item: pytest.Item) -> None:
    wanted = [str(name) for marker in item.iter_markers("needs") for name in marker.args]
    for program in missing_after_install(wanted):
        item.user_properties.append(("missing", program))
        reason = f"{program} is not installed; {remedy(program)}"
        if IN_CI:
            pytest.fail(f"{reason} (with CI=true a test that cannot run has failed)", pytrace=False)
        pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for program, count in missing_parts(terminalreporter):
        line = f"NOT RUN: {count} for want of {program}. {remedy(program)}"
        terminalreporter.write_line(line, red=True, bold=True)
    if count := config.stash[left_out]:
        terminalreporter.write_line(f"left out: {count} that read ../shared, which is not here")


def missing_parts(terminalreporter: pytest.TerminalReporter) -> Iterator[tuple[str, int]]:
    """Yield each missing program with the number of tests that wanted it."""
    reports = [*terminalreporter.getreports("skipped"), *terminalreporter.getreports("failed")]
    noted = [pair for report in reports for pair in report.user_properties]
    programs = [str(value) for name, value in noted if name == "missing"]
    for program in sorted(set(programs)):
        yield program, programs.count(program)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Under xdist, tell the first process what this one left out."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = session.config.stash[left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Under xdist, keep the count of one worker: all collect the same tests."""
    output: dict[str, Any] = getattr(node, "workeroutput", {})
    node.config.stash[left_out] = max(node.config.stash[left_out], output.get("left_out", 0))
