"""Accepted means durable: the sync comes before the 200, and the synced files are enough."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from gatepost.backends.clock import HandClock, SystemClock
from tests.crash.running_process import GatepostProcess, gatepost_process
from tests.crash.syscalls import Call, Disk, calls_in, tracing
from tests.pipeline import Pipeline
from tests.receiving import receiving

EVENTS = 80
LARGE = 60_000
"""Bytes of an event; all of them are more than SQLite keeps in its WAL before it writes the pages back."""
EVERY = 5
"""One answer in so many is followed by a power cut."""


class Watched(msgspec.Struct, frozen=True):
    """A gatepost that took events under strace, one request after the other, and was then killed."""

    data: Path
    calls: list[Call]
    products: list[str]
    """The product of every accepted event, in order."""
    answers: list[Call]
    """The 200 of every accepted event, in order."""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    folder = tmp_path_factory.mktemp("durability")
    trace = folder / "trace"
    with (
        receiving() as receiver,
        gatepost_process(folder / "data", receiver.url(), "spend > 3") as gatepost,
    ):
        before = copied(gatepost.data, folder / "before")
        gatepost.start(prefix=tracing(trace))
        products = sent(gatepost)
        gatepost.kill()
        gatepost.wait()
    calls = calls_in(trace)
    answers = [call for call in calls if call.answers]
    return Watched(before, moved(calls, gatepost.data, before), products, answers)


def copied(data: Path, to: Path) -> Path:
    """Copy the files of a gatepost that is not running."""
    to.mkdir()
    for path in data.iterdir():
        (to / path.name).write_bytes(path.read_bytes())
    return to


def moved(calls: list[Call], data: Path, to: Path) -> list[Call]:
    """Let the calls be about the copied files."""
    here, there = f"{data}/", f"{to}/"
    return [msgspec.structs.replace(call, path=call.path.replace(here, there)) for call in calls]


def sent(gatepost: GatepostProcess) -> list[str]:
    products = [f"product-{number:04}" for number in range(EVENTS)]
    with gatepost.client() as api:
        for product in products:
            event = {"user": f"u{product[-1]}", "event": "purchase", "product": product, "total": 1}
            answer = api.post("/collect/json/web", json=event | {"note": "x" * LARGE})
            assert answer.status_code == 200
    return products


@pytest.mark.needs("strace")
def test_the_sync_returns_before_the_answer_is_written(watched: Watched) -> None:
    logs = {str(watched.data / name) for name in ("log", "log-wal")}
    writes = [call for call in watched.calls if call.name == "pwrite64" and call.path in logs]
    syncs = [call for call in watched.calls if call.is_sync and call.path in logs]

    assert len(watched.answers) == len(watched.products)
    for product, answer in zip(watched.products, watched.answers, strict=True):
        written = next(call for call in writes if product.encode() in call.data)
        synced = [call for call in syncs if call.path == written.path and written.ended < call.begun]
        assert synced, f"{product} was never synced"
        assert synced[0].ended < answer.begun, f"the 200 for {product} was written before the sync returned"


@pytest.mark.needs("strace")
def test_a_power_cut_after_any_answer_leaves_everything_answered(watched: Watched, tmp_path: Path) -> None:
    disk = Disk(watched.data)
    cuts = {answer.begun: number for number, answer in enumerate(watched.answers, 1) if number % EVERY == 0}

    for line, call, begins in moments(watched.calls):
        if begins and (accepted := cuts.pop(line, 0)):
            folder = disk.after_power_cut(tmp_path / str(accepted))
            check(folder, watched.products[:accepted])
        (disk.begin if begins else disk.end)(call)

    assert not cuts
    checkpoints = [call for call in watched.calls if call.path == str(watched.data / "log")]
    assert checkpoints, "too little was written for the WAL to begin anew"


def moments(calls: list[Call]) -> list[tuple[int, Call, bool]]:
    """Beginnings and returns of calls in their order; a call that nobody interrupted has both on one line."""
    both = [(call.begun, False, call) for call in calls] + [(call.ended, True, call) for call in calls]
    return [(line, call, not end) for line, end, call in sorted(both, key=lambda moment: moment[:2])]


def check(folder: Path, accepted: list[str]) -> None:
    pipeline = Pipeline(folder, HandClock(SystemClock().audience()))
    pipeline.settle()
    bought = [product for profile in pipeline.profiles() for product in products_of(profile.fields)]
    triggers = pipeline.triggers()
    spent = [profile.fields["spend"] for profile in pipeline.profiles()]
    pipeline.close()
    assert set(accepted) <= set(bought)
    assert len(bought) == len(set(bought)) == sum(float(str(amount)) for amount in spent)
    assert len(triggers) == sum(float(str(amount)) > 3 for amount in spent)


def products_of(fields: Mapping[str, object]) -> list[str]:
    products = fields["products"]
    assert isinstance(products, list)
    return [str(product) for product in products]
