"""Helper processes that die, are worn out, or lose their parent."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gatepost.model.errors import OperatorError, Unavailable
from gatepost.ports.renderer import RenderContext, Rendered, RenderFailure, RenderResult
from gatepost.rendering import HelperRenderer, RenderOptions

PROFILE = RenderContext(entity=b'{"email":"mirela@example.com"}')
GOOD = "(import 'lytemplates.libsonnet').get('email')"
CLEAN = Rendered(text='"mirela@example.com"\n')
SPIN = "std.length([1 for x in std.range(1, 1e5) for y in std.range(1, 1e5)])"
ONE = RenderOptions(workers=1)
PATIENT = RenderOptions(workers=1, deadline=60_000)


async def until_busy(pid: int) -> None:
    """Wait until the process has spent a tenth of a second, so it is inside a render."""
    start = _ticks(pid)
    await until(lambda: _ticks(pid) >= start + 10)


async def until(happened: Callable[[], bool]) -> None:
    """Poll what only the system knows, for half a minute at most."""
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110 - another process sets no event of ours
            await asyncio.sleep(0.01)


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_helper_killed_in_the_middle_of_a_render_costs_that_render_only() -> None:
    async def story() -> tuple[RenderResult, RenderResult, int, int]:
        async with HelperRenderer(PATIENT) as renderer:
            [killed] = renderer.pids
            task = asyncio.create_task(renderer.render("jsonnet", SPIN, [PROFILE]))
            await until_busy(killed)
            os.kill(killed, signal.SIGKILL)
            [bad] = await task
            [good] = await renderer.render("jsonnet", GOOD, [PROFILE])
            return bad, good, killed, renderer.pids[0]

    bad, good, killed, replacement = asyncio.run(story())

    assert bad == RenderFailure(message="the template engine's process was ended by signal 9", kind="engine")
    assert good == CLEAN
    assert killed != replacement
    assert gone(killed)


def test_a_helper_that_hangs_is_killed_by_its_parent() -> None:
    async def story() -> tuple[RenderResult, RenderResult]:
        async with HelperRenderer(RenderOptions(workers=1, deadline=100)) as renderer:
            os.kill(renderer.pids[0], signal.SIGSTOP)
            [bad] = await renderer.render("jsonnet", GOOD, [PROFILE])
            [good] = await renderer.render("jsonnet", GOOD, [PROFILE])
            return bad, good

    bad, good = asyncio.run(story())

    assert isinstance(bad, RenderFailure)
    assert good == CLEAN


def test_closing_ends_every_helper_even_one_at_work_and_tells_who_waits() -> None:
    async def story() -> list[int]:
        renderer = HelperRenderer(RenderOptions(workers=2, deadline=60_000))
        await renderer.start()
        pids = renderer.pids
        at_work = asyncio.create_task(renderer.render("jsonnet", SPIN, [PROFILE] * 500))
        await until_busy(pids[0])
        await renderer.close()
        with pytest.raises(Unavailable, match="closed"):
            await at_work
        with pytest.raises(Unavailable, match="closed"):
            await renderer.render("jsonnet", GOOD, [PROFILE])
        return pids

    pids = asyncio.run(story())

    assert len(set(pids)) == 2
    assert all(gone(pid) for pid in pids)


def test_closing_what_never_started_is_fine() -> None:
    asyncio.run(HelperRenderer().close())


def test_a_worn_helper_is_replaced_between_turns() -> None:
    async def story() -> tuple[list[RenderResult], int]:
        async with HelperRenderer(RenderOptions(workers=1, recycle_after=100)) as renderer:
            [first] = renderer.pids
            results = await renderer.render("jsonnet", GOOD, [PROFILE] * 250)
            return results, first

    results, first = asyncio.run(story())

    assert results == [CLEAN] * 250
    assert gone(first)


def test_a_helper_grown_large_is_replaced_between_turns() -> None:
    async def story() -> list[RenderResult]:
        async with HelperRenderer(RenderOptions(workers=1, recycle_above=1)) as renderer:
            [first] = renderer.pids
            await renderer.render("jsonnet", GOOD, [PROFILE])
            await until(lambda: first not in renderer.pids)
            return await renderer.render("jsonnet", GOOD, [PROFILE])

    assert asyncio.run(story()) == [CLEAN]


def test_a_helper_is_not_taken_for_as_large_as_its_parent() -> None:
    ballast = b"x" * (ONE.recycle_above + 64 * 1024 * 1024)

    async def story() -> tuple[list[int], list[int]]:
        async with HelperRenderer(ONE) as renderer:
            before = renderer.pids
            await renderer.render("jsonnet", GOOD, [PROFILE])
            await renderer.render("jsonnet", GOOD, [PROFILE])
            return before, renderer.pids

    before, after = asyncio.run(story())

    assert len(ballast) > ONE.recycle_above
    assert before == after


def test_threads_of_an_engine_are_not_taken_for_growth() -> None:
    async def story() -> set[int]:
        async with HelperRenderer(RenderOptions(workers=8)) as renderer:
            await asyncio.gather(*(renderer.render("jsonnet", GOOD, [PROFILE] * 100) for _ in range(8)))
            return {_mapped(pid) for pid in renderer.pids}

    mapped = asyncio.run(story())

    assert max(mapped) - min(mapped) < 64 * 1024 * 1024


def _mapped(pid: int) -> int:
    """Bytes of address space of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def test_a_caller_that_gives_up_leaves_the_pool_in_order() -> None:
    async def story() -> list[RenderResult]:
        async with HelperRenderer(ONE) as renderer:
            task = asyncio.create_task(renderer.render("jsonnet", SPIN, [PROFILE] * 1_000))
            await until_busy(renderer.pids[0])
            task.cancel()
            return await renderer.render("jsonnet", GOOD, [PROFILE])

    assert asyncio.run(story()) == [CLEAN]


def test_helpers_see_nothing_of_the_environment_but_where_modules_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GATEPOST_KEYS", "a key nobody may see")

    with asyncio.Runner() as runner:
        renderer = HelperRenderer(ONE)
        runner.run(renderer.start())
        seen = Path(f"/proc/{renderer.pids[0]}/environ").read_bytes()
        runner.run(renderer.close())

    assert b"GOGC=" in seen
    assert b"GATEPOST" not in seen


def test_an_engine_that_cannot_start_is_the_operators_to_mend(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "_gojsonnet.py").write_text("raise ImportError('broken installation')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with pytest.raises(OperatorError, match=r"the template engine does not start.*is gojsonnet installed"):
        asyncio.run(HelperRenderer(ONE).start())


PARENT = """
import asyncio
from gatepost.ports.renderer import RenderContext
from gatepost.rendering import HelperRenderer, RenderOptions

async def main():
    renderer = HelperRenderer(RenderOptions(workers=2, deadline=3_000))
    await renderer.start()
    print(*renderer.pids, flush=True)
    await renderer.render("jsonnet", {source!r}, [RenderContext(entity=b"{{}}")] * 100)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


@pytest.mark.parametrize("source", ["1", SPIN], ids=["idle", "at work"])
def test_helpers_end_by_themselves_when_their_parent_is_killed(source: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT.format(source=source)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]

        parent.kill()

    deadline = time.monotonic() + 30
    while not all(_ended(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(pids) == 2
    assert all(_ended(pid) for pid in pids)


def _ended(pid: int) -> bool:
    """Whether the process is gone, or only waits for the system to collect it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_helpers_for_a_kind_start_with_its_first_template() -> None:
    async def story() -> list[int]:
        counts = []
        async with HelperRenderer(ONE) as renderer:
            counts.append(len(renderer.pids))
            for type_, source in (("js1", "function template() {}"), ("handlebars", "x"), ("jsonnet", "1")):
                await renderer.render(type_, source, [PROFILE])
                counts.append(len(renderer.pids))
        return counts

    assert asyncio.run(story()) == [1, 2, 3, 3]
