"""Everything at once, for five minutes: 2,000 events a second, 50 audiences, 1,000 deliveries a second with a template.

One real gatepost in its own process; the sender of events and the receiver of deliveries share this one. The baseline
is the bare route and a bare sender at the same pace. Every person comes twice and enters an audience the second time.
"""

import asyncio
import itertools
import os
import sqlite3
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import orjson
import uvloop

from benchmarks import _accounts as accounts
from benchmarks._bare_sending import post, session
from benchmarks._common import Budget, Figure, Options, Run, options, percentile, progress, scratch
from benchmarks._paced import Connections, collect_request, paced
from benchmarks._programs import gatepost, program
from benchmarks._receiver import Receiver
from gatepost.backends.sqlite.store import SqliteStore
from gatepost.core.templates.presets import preset
from gatepost.model.catalog import Template, TemplateType
from gatepost.ports.store import Transaction

LAG = Budget(ours=1_000)
"""Milliseconds from the answer to an event until it is applied, the 99th percentile."""
EVENTS = 2_000
DELIVERIES = 1_000
_AT_ONCE = 4
"""Events of a request."""
_CONNECTIONS = 32
_GROUP = 1_000
"""People who come once before the first of them comes again."""
_WARM_S = 2.0
_LOOK_S = 0.005
_TICKS = os.sysconf("SC_CLK_TCK")
_ID_BITS = 20
_BODY_BYTES = 600
_POSITION = "SELECT value FROM facts WHERE name = 'position'"
_TEMPLATE = Template(
    id="e" * 32,
    account=accounts.ACCOUNT,
    name="insider_enter",
    type=TemplateType.JSONNET,
    source=preset("insider_enter"),
)


def main() -> None:
    given = options("Measure everything at once, for as long as you say.", minutes=5.0)
    run = Run("everything", given)
    with scratch() as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        measured = Everything(folder, given, runner)
        bare = [measured.baseline()]
        measured.ours()
        bare.append(measured.baseline())
        run.report(measured.lag(), LAG, measured.parts(bare))


class Everything:
    """One long round of ours between two short ones of the baseline."""

    def __init__(self, folder: Path, given: Options, runner: asyncio.Runner) -> None:
        self._folder = folder
        self._runner = runner
        self._seconds = 12.0 if given.quick else given.minutes * 60
        self._bare_seconds = 2.0 if given.quick else 10.0
        self._events = itertools.count()
        self._came = 0
        self._answers: deque[tuple[int, float]] = deque()
        self._lags: list[float] = []
        self._waits: list[float] = []
        self._memory: list[float] = []
        self._rate = 0.0
        self._late = 0
        self._cores: dict[str, float] = {}

    def ours(self) -> None:
        """Measure gatepost."""
        server = self._runner.run(self._listen())
        port = server.sockets[0].getsockname()[1]
        data = self._folder / "data"
        data.mkdir()
        store = SqliteStore(data / "state")
        token = store.write_blocking(lambda tx: _configured(tx, f"http://127.0.0.1:{port}/hook"))
        store.close()
        with gatepost(data, "--allow-host", f"127.0.0.1:{port}") as running:
            self._runner.run(self._loaded(running, data / "state", token))
        server.close()

    def baseline(self) -> dict[str, float]:
        """Measure the bare route and the bare sender side by side; return milliseconds and deliveries a second."""
        with program("benchmarks._receiver") as receiver, self._bare_route() as port:
            return self._runner.run(self._bare(port, f"http://127.0.0.1:{receiver['port']}/hook"))

    def lag(self) -> Figure:
        """Tell how late events were applied; the baseline is the budget, for nothing bare applies events."""
        extra = {
            "p50_ms": round(percentile(self._lags, 0.5), 1),
            "events_per_second": EVENTS,
            "seconds": self._seconds,
            "audiences": len(accounts.audiences()),
            "cores_used": self._cores,
        }
        return Figure(
            [percentile(self._lags, 0.99)],
            [LAG.ours],
            "ms, p99 until applied",
            less_is_better=True,
            extra=extra,
        )

    def parts(self, bare: list[dict[str, float]]) -> Mapping[str, Figure]:
        """Tell of collect, deliver and memory."""
        memory = self._memory
        third = {"start": memory[0], "middle": memory[len(memory) // 2], "end": memory[-1]}
        mib = {when: round(amount, 1) for when, amount in third.items()}
        return {
            "collect": Figure(
                [percentile(self._waits, 0.99)],
                [one["p99_ms"] for one in bare],
                "ms, p99 of collect",
                less_is_better=True,
                extra={"p50_ms": round(percentile(self._waits, 0.5), 2), "budget": 50},
            ),
            "deliver": Figure(
                [self._rate],
                [one["rate"] for one in bare],
                "deliveries/s",
                extra={"wanted": DELIVERIES, "not_delivered_at_the_end": self._late},
            ),
            "memory": Figure(
                [mib["end"]],
                [mib["middle"]],
                "MiB at the end beside the middle",
                less_is_better=True,
                extra=mib,
            ),
        }

    async def _listen(self) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: Receiver(self._note_delivery), "127.0.0.1", 0)

    def _note_delivery(self, _data: bytes) -> None:
        self._came += 1

    async def _loaded(self, running: Mapping[str, object], state: Path, token: str) -> None:
        """Send events at an even pace; watch lag, memory and the use of the processors meanwhile."""
        pid = int(str(running["pid"]))
        path = f"/collect/json/{accounts.STREAM}"
        async with Connections(int(str(running["port"])), _CONNECTIONS) as connections:

            async def send() -> float:
                request = collect_request(path, token, self._bodies())
                return await connections.answered(request, self._note_answer)

            await paced(send, EVENTS / _AT_ONCE, _WARM_S)
            watching = asyncio.create_task(self._watch(pid, state))
            used, came, began = _processor_seconds(pid), self._came, time.perf_counter()
            self._waits = await paced(send, EVENTS / _AT_ONCE, self._seconds)
            elapsed = time.perf_counter() - began
            self._rate = (self._came - came) / elapsed
            spent = {name: seconds - used.get(name, 0.0) for name, seconds in _processor_seconds(pid).items()}
            self._cores = {name: round(seconds / elapsed, 2) for name, seconds in spent.items()}
            await asyncio.sleep(0.5)
            watching.cancel()
            with closing(sqlite3.connect(state)) as connection:
                (self._late,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
        progress(f"  ours: {self._rate:,.0f} deliveries/s, cores {self._cores}")

    def _note_answer(self) -> None:
        # An id of the log begins with the receive time, so a record of a later millisecond is behind this one.
        self._answers.append((time.time_ns() // 1_000_000, time.perf_counter()))

    async def _watch(self, pid: int, state: Path) -> None:
        """Note of each request how long after its answer it was applied, and the memory once a second."""
        with closing(sqlite3.connect(state)) as connection:
            for look in itertools.count():
                (position,) = connection.execute(_POSITION).fetchone()
                now = time.perf_counter()
                while self._answers and self._answers[0][0] < position >> _ID_BITS:
                    self._lags.append((now - self._answers.popleft()[1]) * 1_000)
                if look % round(1 / _LOOK_S) == 0:
                    self._memory.append(_resident_mib(pid))
                await asyncio.sleep(_LOOK_S)

    def _bodies(self) -> bytes:
        return orjson.dumps([self._event() for _ in range(_AT_ONCE)])

    def _event(self) -> dict[str, object]:
        number = next(self._events)
        user = number // (2 * _GROUP) * _GROUP + number % _GROUP
        return {
            "user_id": accounts.user_id(user),
            "sku": f"A-{number % 97:04}",
            "price": 12.5,
            "email": f"user-{user}@example.com",
            "city": accounts.CITIES[user % len(accounts.CITIES)],
        }

    @contextmanager
    def _bare_route(self) -> Iterator[int]:
        folder = self._folder / f"bare-{next(self._events)}"
        with program("benchmarks._bare_route", "--data", str(folder)) as route:
            yield route["port"]

    async def _bare(self, port: int, url: str) -> dict[str, float]:
        async with Connections(port, _CONNECTIONS) as connections, session(_CONNECTIONS) as opened:

            async def send() -> float:
                body = self._bodies().replace(b"},{", b"}\n{")
                return await connections.answered(collect_request("/collect/web", "none", body))

            async def deliver() -> float:
                return float(await post(opened, url, b"x" * _BODY_BYTES))

            began = time.perf_counter()
            waits, posts = await asyncio.gather(
                paced(send, EVENTS / _AT_ONCE, self._bare_seconds),
                paced(deliver, DELIVERIES, self._bare_seconds),
            )
        measured = {"p99_ms": percentile(waits, 0.99), "rate": len(posts) / (time.perf_counter() - began)}
        progress(f"  baseline: collect p99 {measured['p99_ms']:.1f} ms, {measured['rate']:,.0f} posts/s")
        return measured


def _configured(tx: Transaction, url: str) -> str:
    token = accounts.put_account(tx, accounts.audiences())
    tx.catalog.put(accounts.ACCOUNT, _TEMPLATE.id, _TEMPLATE)
    # The first audience is entered with the second visit.
    accounts.put_job(tx, 1, url, _TEMPLATE.id)
    return token


def _processor_seconds(pid: int) -> dict[str, float]:
    """Return what gatepost and its helper processes have used so far."""
    return {"gatepost": _used(pid), "helpers": sum(_used(child) for child in _children(pid))}


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def _used(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
