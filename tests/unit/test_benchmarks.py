"""Every benchmark runs and reports what it promises; how fast it is, no test says."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

MEASURED = {"ours", "baseline", "ratio", "unit"}
REPORTED = MEASURED | {"benchmark", "budget", "named_baseline", "remark", "parts", "conditions"}
CONDITIONS = {"fsync_p50_ms", "cores", "load_average", "python", "sqlite"}


NAMES = ("apply", "audience", "collect", "deliver", "everything", "filter", "latency", "timers")


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_ends_with_one_json_line(name: str, repository: Path) -> None:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json", "--quick"]

    ran = subprocess.run(command, cwd=repository, capture_output=True, timeout=120, check=False)

    assert ran.returncode == 0, ran.stderr.decode()[-2_000:]
    document = orjson.loads(ran.stdout.splitlines()[-1])
    assert document.keys() >= REPORTED
    assert document["benchmark"] == name
    assert document["conditions"].keys() >= CONDITIONS
    assert document["quick"]
    assert all(part.keys() >= MEASURED for part in document["parts"].values())
    assert document["ratio"] > 0
