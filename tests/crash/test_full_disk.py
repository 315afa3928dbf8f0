"""The disk is full: nothing more is taken, nothing that was taken is lost, and it goes on when there is room."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gatepost.backends.clock import HandClock
from tests.conftest import IN_CI
from tests.crash.running_process import (
    GatepostProcess,
    gatepost_process,
    status_of,
    wait_until,
    wait_until_quiet,
)
from tests.pipeline import START, Pipeline
from tests.receiving import Receiver, receiving

MIB = 1024 * 1024
DISK = 32 * MIB
BULK = 20
"""Events of one request."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes, which only root may mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "gatepost-test", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        reason = f"a small disk cannot be mounted: {mounted.stderr.strip()}; run this test as root"
        if IN_CI:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


class Sender:
    """Sends events until told otherwise, and remembers what was accepted."""

    def __init__(self, api: httpx.Client) -> None:
        self._api = api
        self._sent = 0
        self.accepted: list[str] = []

    def send(self, count: int = BULK, size: int = 5_000) -> httpx.Response:
        """Send one request of events that are as large as told; each brings a product of its own."""
        products = [f"p{self._sent + number}" for number in range(count)]
        self._sent += count
        note = "x" * size
        events = [
            {"user": f"u{product[-2:]}", "event": "purchase", "product": product, "total": 1, "note": note}
            for product in products
        ]
        answer = self._api.post("/collect/json/web", json=events)
        if answer.status_code == 200:
            self.accepted += products
        return answer

    def send_until_refused(self) -> httpx.Response:
        """Fill the disk with events."""
        while (answer := self.send()).status_code == 200:
            continue
        return answer


def test_below_the_reserve_nothing_is_taken_and_what_was_taken_is_worked_off(
    small_disk: Path, tmp_path: Path
) -> None:
    with (
        receiving() as receiver,
        gatepost_process(
            small_disk / "data", receiver.url(), "spend > 2", disk_reserve=str(12 * MIB)
        ) as gatepost,
    ):
        gatepost.errors = tmp_path / "stderr"
        gatepost.start()
        with gatepost.client() as api:
            sender = Sender(api)
            for _ in range(20):
                assert 200 == sender.send().status_code
            ballast = filled(small_disk, leave=10 * MIB)
            # Free space is measured once a second, so a little is still taken at first.
            wait_until(lambda: sender.send(1, size=0).status_code == 503, "collect refuses")

            refusal = sender.send()

            check_refusal(refusal, "free some space")
            wait_until_quiet(api)
            ballast.unlink()
            wait_until(lambda: sender.send().status_code == 200, "collect takes events again")
            wait_until_quiet(api)
        assert gatepost.stop() == 0
        check_nothing_lost(gatepost, receiver, sender.accepted)


def test_with_not_a_byte_left_everything_waits_and_goes_on_when_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    with (
        receiving() as receiver,
        gatepost_process(small_disk / "data", receiver.url(), "spend > 2", disk_reserve="0") as gatepost,
    ):
        gatepost.errors = tmp_path / "stderr"
        gatepost.start()
        ballast = filled(small_disk, leave=10 * MIB)
        with gatepost.client() as api:
            sender = Sender(api)

            refusal = sender.send_until_refused()

            check_refusal(refusal, "free some space")
            assert 200 == api.get("/health").status_code
            assert len(sender.accepted) == status_of(api)["events_collected"]
            ballast.unlink()
            wait_until(lambda: sender.send().status_code == 200, "collect takes events again")
            wait_until_quiet(api)
        assert gatepost.stop() == 0
        check_nothing_lost(gatepost, receiver, sender.accepted)


def test_gatepost_stops_in_good_order_on_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    with (
        receiving() as receiver,
        gatepost_process(small_disk / "data", receiver.url(), "spend > 2", disk_reserve="0") as gatepost,
    ):
        gatepost.errors = tmp_path / "stderr"
        gatepost.start()
        ballast = filled(small_disk, leave=10 * MIB)
        with gatepost.client() as api:
            sender = Sender(api)
            sender.send_until_refused()

            assert 0 == gatepost.stop()

        assert "Traceback" not in gatepost.complaints()
        ballast.unlink()
        gatepost.start()
        with gatepost.client() as api:
            wait_until_quiet(api)
        assert gatepost.stop() == 0
        check_nothing_lost(gatepost, receiver, sender.accepted)


def filled(disk: Path, leave: int) -> Path:
    """Fill the disk but for some bytes."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - leave)
    return ballast


def check_refusal(refusal: httpx.Response, says: str) -> None:
    assert 503 == refusal.status_code
    assert int(refusal.headers["Retry-After"]) > 0
    assert says in refusal.json()["message"]


def check_nothing_lost(gatepost: GatepostProcess, receiver: Receiver, accepted: list[str]) -> None:
    assert "Traceback" not in gatepost.complaints()
    pipeline = Pipeline(gatepost.data, HandClock(START))
    profiles = pipeline.profiles()
    triggers = pipeline.triggers()
    pipeline.close()
    bought = [str(product) for profile in profiles for product in listed(profile.fields["products"])]
    assert sorted(accepted) == sorted(bought)
    assert all(len(listed(profile.fields["products"])) == profile.fields["spend"] for profile in profiles)
    assert len(triggers) == len({one.delivery for one in receiver.received}) > 0


def listed(value: object) -> list[object]:
    assert isinstance(value, list)
    return value
