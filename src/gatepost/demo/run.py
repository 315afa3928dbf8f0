"""The demo from start to end: programs up, configuration in, purchases through, three answers compared."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import aiohttp
import msgspec
from rich.console import Console

from gatepost.demo.client import GatepostClient, SandboxClient, Status
from gatepost.demo.comparison import Comparison, by_household, compare
from gatepost.demo.display import Display, Figures, RateMeter, display_on
from gatepost.demo.events import count_events, events_of
from gatepost.demo.example import example_audiences, example_folder
from gatepost.demo.outcome import FIRST_DAY, DemoOptions, DemoResult, result_of
from gatepost.demo.processes import demo_environment, finished, free_ports, running
from gatepost.demo.purchases import Period, Purchases, load_purchases
from gatepost.demo.replay import Replay
from gatepost.demo.report import Addresses, print_report, print_signposts
from gatepost.demo.truth import rows_until, true_households, true_members

_ATTRIBUTE = "lytics_computed_attr"
_IDENTIFIER = "household_id"
_LOOK_SECONDS = 0.25


class _Finding(NamedTuple):
    status: Status
    result: DemoResult
    comparison: Comparison


def run_demo(options: DemoOptions) -> DemoResult:
    """Run a demo; return its result once it ends, by itself with `exit`, else by Ctrl-C.

    Interrupted before the comparison it raises KeyboardInterrupt, with nothing left behind.
    """
    try:
        return asyncio.run(_demo(options))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _demo(options: DemoOptions) -> DemoResult:
    # asyncio.run turns SIGINT into a cancellation, where it is not ignored, as in the background of a script; SIGTERM
    # shall end a demo in the same order everywhere.
    if (task := asyncio.current_task()) is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    period = Period(FIRST_DAY, options.days)
    console = Console(stderr=options.json)
    started = time.monotonic()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="gatepost-demo-")))
        with display_on(console, time.monotonic) as display:
            loading = asyncio.create_task(asyncio.to_thread(load_purchases, display.note))
            addresses = await stack.enter_async_context(_programs(folder, display))
            session = await stack.enter_async_context(aiohttp.ClientSession())
            stage = _Stage(session, addresses, period, display)
            finding = await stage.play(await loading, started)
        print_report(console, finding.status, finding.result, finding.comparison)
        if options.json:
            sys.stdout.write(msgspec.json.encode(finding.result).decode() + "\n")
            sys.stdout.flush()
        if not options.exit:
            print_signposts(console, addresses, finding.comparison.busiest)
            await _interrupted()
    return finding.result


class _Stage:
    """A replay on running programs, watched."""

    def __init__(
        self, session: aiohttp.ClientSession, addresses: Addresses, period: Period, display: Display
    ) -> None:
        token = addresses.token_file.read_text(encoding="utf-8").strip()
        self._gatepost = GatepostClient(session, addresses.gatepost, token)
        self._sandbox = SandboxClient(session, addresses.sandbox)
        self._period = period
        self._display = display

    async def play(self, purchases: Purchases, started: float) -> _Finding:
        """Replay the purchases and compare what they came to."""
        replay = Replay(self._gatepost, self._sandbox, self._period)
        async with self._watching(replay, count_events(purchases, self._period)):
            status = await replay.run(events_of(purchases, self._period))
        self._display.note("comparing gatepost, the sandbox and the raw rows")
        comparison = await self._compared(purchases)
        result = result_of(status, comparison, time.monotonic() - started)
        return _Finding(status, result, comparison)

    async def _compared(self, purchases: Purchases) -> Comparison:
        slugs = example_audiences(example_folder())
        rows = await asyncio.to_thread(rows_until, purchases, self._period, self._period.end)
        held = {slug: await self._gatepost.members(slug, _IDENTIFIER) for slug in slugs}
        return compare(
            by_household(true_members(slugs, rows)),
            by_household(held),
            await self._sandbox.memberships(_ATTRIBUTE),
            households=true_households(rows),
        )

    @asynccontextmanager
    async def _watching(self, replay: Replay, total: int) -> AsyncIterator[None]:
        watch = asyncio.create_task(self._watch(replay, total))
        try:
            yield
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def _watch(self, replay: Replay, total: int) -> None:
        meter = RateMeter()
        while True:
            status = await self._gatepost.status()
            rate = meter.reading(time.monotonic(), status.events_applied)
            self._display.show(Figures(replay.now, replay.sent, total, rate, status))
            await asyncio.sleep(_LOOK_SECONDS)


@asynccontextmanager
async def _programs(folder: Path, display: Display) -> AsyncIterator[Addresses]:
    """Run the sandbox and gatepost with the example applied."""
    gatepost_port, sandbox_port = free_ports(2)
    addresses = Addresses(
        gatepost=f"http://127.0.0.1:{gatepost_port}",
        sandbox=f"http://127.0.0.1:{sandbox_port}",
        token_file=folder / "gatepost" / "admin-token",
    )
    # Weeks pass in seconds here, so the limit a minute, which counts real ones, would stop the demo on a fast machine.
    sandbox = (
        "sandbox",
        "insider",
        "--port",
        str(sandbox_port),
        "--data",
        str(folder / "sandbox"),
        "--rate",
        "0",
    )
    gatepost = ("up", "--port", str(gatepost_port), "--data", str(folder / "gatepost"))
    allowed = ("--allow-host", f"127.0.0.1:{sandbox_port}")
    manual = ("--clock", "manual")
    display.note("starting gatepost and the Insider sandbox")
    async with (
        running((*sandbox, *manual), folder / "sandbox.log", addresses.sandbox),
        running((*gatepost, *manual, *allowed), folder / "gatepost.log", addresses.gatepost),
    ):
        display.note("applying examples/insider")
        await _apply_example(addresses, folder / "config.log")
        yield addresses


async def _apply_example(addresses: Addresses, log: Path) -> None:
    environment = demo_environment(
        GATEPOST_URL=addresses.gatepost,
        GATEPOST_TOKEN=addresses.token_file.read_text(encoding="utf-8").strip(),
        INSIDER_URL=addresses.sandbox,
    )
    await finished(("config", "apply", "-f", str(example_folder())), log, environment)


async def _interrupted() -> None:
    """Wait for Ctrl-C or SIGTERM, and take it as the wish to end well."""
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
