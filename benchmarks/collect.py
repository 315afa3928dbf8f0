"""Collect: events a second from a client's socket onto the disk, through a real gatepost.

The headline is durable bulk bodies of 500 events; `parts.single` is one event per request on 64 connections. Apply
runs behind it in the same process, as it does in use.
"""

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from benchmarks._common import Budget, Figure, Options, Run, alternated, options, progress, scratch
from benchmarks._programs import gatepost, outcome, program

EVENTS_PER_BODY = 500
BULK_CONNECTIONS = 8
SINGLE_CONNECTIONS = 64
BULK = Budget(ours=100_000, baseline=248_000)


def main() -> None:
    given = options("Measure collect: bulk bodies and single events, beside a bare route.")
    run = Run("collect", given)
    with scratch() as folder:
        measured = Collect(folder, given)
        ours, baseline = alternated(measured.ours, measured.baseline, given.rounds)
        waits = {side: round(statistics.median(values), 2) for side, values in measured.waits.items()}
        run.report(
            Figure(ours, baseline, "events/s", extra={"events_per_body": EVENTS_PER_BODY}),
            BULK,
            {"single": Figure(*measured.singles, "requests/s", extra={"p99_ms": waits})},
        )


class Collect:
    """The rounds; each has a server and a folder of its own, and gives its bulk rate."""

    def __init__(self, folder: Path, given: Options) -> None:
        self._folder = folder
        self._seconds = 0.5 if given.quick else 2.5
        self.singles: tuple[list[float], list[float]] = ([], [])
        self.waits: dict[str, list[float]] = {"ours": [], "baseline": []}

    def ours(self) -> float:
        """Measure gatepost."""
        with self._data() as data, gatepost(data) as server:
            token = str(server["token"])
            return self._measure("ours", server["port"], "/collect/json/web", "/collect/bulk/web", token)

    def baseline(self) -> float:
        """Measure the bare route."""
        with self._data() as data, program("benchmarks._bare_route", "--data", str(data / "log")) as server:
            return self._measure("baseline", server["port"], "/collect/web", "/collect/web", "none")

    def _measure(self, side: str, port: int, single: str, bulk: str, token: str) -> float:
        # Single events first: apply catches up with them, and would not with the bulk bodies.
        one = self._load(port, _request(single, token, 1), SINGLE_CONNECTIONS)
        many = self._load(port, _request(bulk, token, EVENTS_PER_BODY), BULK_CONNECTIONS)
        self.singles[side == "baseline"].append(one["rate"])
        self.waits[side].append(one["p99_ms"])
        progress(f"  {side}, single: {one['rate']:,.0f} requests/s, p99 {one['p99_ms']} ms")
        return float(many["rate"]) * EVENTS_PER_BODY

    def _load(self, port: int, request: bytes, connections: int) -> dict[str, Any]:
        file = self._folder / "request"
        file.write_bytes(request)
        counts = ("--port", str(port), "--connections", str(connections), "--seconds", str(self._seconds))
        return outcome("benchmarks._load", "--request", str(file), *counts)

    @contextmanager
    def _data(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            yield Path(name)


def _request(path: str, token: str, events: int) -> bytes:
    body = b"\n".join(_event(number) for number in range(events))
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _event(number: int) -> bytes:
    return orjson.dumps(
        {
            "user_id": f"user-{number:07}",
            "event": "purchase",
            "sku": f"A-{number % 97:04}",
            "price": number % 200 + 0.5,
            "url": "https://shop.example/basket",
            "city": "Utrecht",
        }
    )


if __name__ == "__main__":
    main()
