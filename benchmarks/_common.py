"""What every benchmark shares: alternating rounds, medians, the conditions of the run and the one JSON line."""

import argparse
import os
import platform
import resource
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "benchmarks"
"""Fixtures and data folders lie here, on the disk of the source tree: a temporary folder may be memory."""

_LIBRARIES = (
    *(
        "aiohttp",
        "gojsonnet",
        "httptools",
        "msgspec",
        "orjson",
        "quickjs-ng",
        "starlette",
        "uvicorn",
        "uvloop",
    ),
)
_FAR_BELOW = 0.6
_SLOW_SYNC_MS = 1.5
_BUSY_SHARE = 0.2


@dataclass(frozen=True)
class Options:
    """How a benchmark was called."""

    json: bool
    quick: bool
    minutes: float = 0.0
    """How long a benchmark goes on whose length can be chosen."""

    @property
    def rounds(self) -> int:
        """Rounds of ours; the baseline has one less, in between."""
        return 1 if self.quick else 3


@dataclass(frozen=True)
class Figure:
    """One thing measured several times, and the bare thing underneath it."""

    ours: Sequence[float]
    baseline: Sequence[float]
    unit: str
    less_is_better: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the medians, and every round behind them."""
        ours, baseline = statistics.median(self.ours), statistics.median(self.baseline)
        over, under = (baseline, ours) if self.less_is_better else (ours, baseline)
        rounds = {"ours": [_short(v) for v in self.ours], "baseline": [_short(v) for v in self.baseline]}
        return {
            "ours": _short(ours),
            "baseline": _short(baseline),
            "ratio": round(over / under, 3) if under else 0.0,
            "unit": self.unit,
            "rounds": rounds,
            **self.extra,
        }


@dataclass(frozen=True)
class Budget:
    """What the design asks for, and what the bare thing did on the machine it was named on, if it was named."""

    ours: float
    baseline: float | None = None


def options(about: str, minutes: float = 0.0) -> Options:
    """Return the command line's options; one with `minutes` can be told to take as long as that."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON line")
    parser.add_argument("--quick", action="store_true", help="one short round: does it run at all?")
    if minutes:
        parser.add_argument("--minutes", type=float, default=minutes, help=f"how long (default {minutes:g})")
    given = parser.parse_args()
    return Options(json=given.json, quick=given.quick, minutes=getattr(given, "minutes", 0.0))


def progress(text: str) -> None:
    """Say on standard error how far the benchmark is."""
    print(text, file=sys.stderr, flush=True)


def alternated(
    ours: Callable[[], float], baseline: Callable[[], float], rounds: int
) -> tuple[list[float], list[float]]:
    """Measure A B A B A, so that a slow minute of the machine meets both."""
    measured: tuple[list[float], list[float]] = ([], [])
    for turn in range(max(2, 2 * rounds - 1)):
        which = turn % 2
        measured[which].append((ours, baseline)[which]())
        progress(f"  {('ours', 'baseline')[which]}: {measured[which][-1]:,.6g}")
    return measured


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=CACHE))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def resident_mib() -> float:
    """Return this process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Run:
    """One run of a benchmark: watches the machine meanwhile and prints the result."""

    def __init__(self, name: str, given: Options) -> None:
        self._name = name
        self._options = given
        self._sync_ms = _sync_ms()
        self._busy = _busy_seconds()
        self._own = _own_seconds()
        self._began = time.monotonic()

    def report(self, figure: Figure, budget: Budget, parts: Mapping[str, Figure]) -> None:
        """Print the result; the last line is one JSON object."""
        document = {
            "benchmark": self._name,
            **figure.as_dict(),
            "budget": budget.ours,
            "named_baseline": budget.baseline,
            "quick": self._options.quick,
            "parts": {name: part.as_dict() for name, part in parts.items()},
            "conditions": self._conditions(),
        }
        document["remark"] = _remark(document, budget)
        if not self._options.json:
            _print_table(document)
        print(orjson.dumps(document).decode(), flush=True)

    def _conditions(self) -> dict[str, Any]:
        elapsed = time.monotonic() - self._began
        cores = os.cpu_count() or 1
        others = _busy_seconds() - self._busy - (_own_seconds() - self._own)
        return {
            "fsync_p50_ms": [self._sync_ms, _sync_ms()],
            "cores": cores,
            "load_average": [round(load, 2) for load in os.getloadavg()],
            "share_of_cpu_taken_by_others": round(max(0.0, others) / (elapsed * cores), 3),
            "seconds": round(elapsed, 1),
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "kernel": platform.release(),
            **{name: version(name) for name in _LIBRARIES},
        }


def _remark(document: Mapping[str, Any], budget: Budget) -> str:
    """Say of a baseline far below the one that was named whether the day is slow or the baseline broken."""
    if document["quick"]:
        return "a quick run shows that it works, not how fast it is"
    if budget.baseline is None:
        return ""
    share = document["baseline"] / budget.baseline
    if share >= _FAR_BELOW:
        return ""
    conditions = document["conditions"]
    others, sync = conditions["share_of_cpu_taken_by_others"], max(conditions["fsync_p50_ms"])
    if others > _BUSY_SHARE or sync > _SLOW_SYNC_MS:
        why = f"others took {others:.0%} of the cores, a sync took {sync} ms"
        return f"slow day: the baseline reached {share:.0%} of the named figure; {why}"
    return f"broken baseline or a slower machine: {share:.0%} of the named figure although nothing else ran"


def _sync_ms(samples: int = 60) -> float:
    """Return the median time of one fdatasync after 4 KiB."""
    CACHE.mkdir(parents=True, exist_ok=True)
    times = []
    with tempfile.TemporaryFile(dir=CACHE, buffering=0) as file:
        for _ in range(samples):
            file.write(b"x" * 4096)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return round(statistics.median(times) * 1000, 3)


def _busy_seconds() -> float:
    """Return the seconds that all cores together were busy since the machine started."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, irq, soft, steal = (int(value) for value in fields[:8])
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    """Return the CPU seconds of this process and of the children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _short(value: float) -> float:
    return round(value) if abs(value) >= 1000 else round(value, 3)


def _print_table(document: Mapping[str, Any]) -> None:
    rows = {document["benchmark"]: document, **document["parts"]}
    for name, row in rows.items():
        print(f"{name:24} {row['ours']:>12,} {row['baseline']:>12,}  x {row['ratio']:<6} {row['unit']}")
