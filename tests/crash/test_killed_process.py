"""A gatepost under load is killed with SIGKILL, again and again, and started again on the same folder."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

import httpx
import orjson

from gatepost.backends.clock import HandClock
from gatepost.ports.outbox import DeliveryFilter
from tests.crash.running_process import GatepostProcess, gatepost_process, wait_until_quiet
from tests.factories import ACCOUNT
from tests.pipeline import START, Pipeline
from tests.receiving import OK, PATIENCE_SECONDS, Received, Receiver, Reply, receiving

SHOPPERS = 12
SENDERS = 3
KILLS = 6


class Fuse:
    """Kills a process in the very moment something happens for the n-th time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._what = ""
        self._left = 0
        self._process: GatepostProcess | None = None

    def set(self, process: GatepostProcess, what: str, times: int) -> None:
        """Wait for the n-th time."""
        with self._lock:
            self._process, self._what, self._left = process, what, times

    def burn(self, what: str) -> None:
        """Say that it happened once more."""
        with self._lock:
            if self._process is None or what != self._what:
                return
            self._left -= 1
            if self._left == 0:
                self._process.kill()
                self._process = None


class Load:
    """Senders that go on whatever happens to gatepost, and remember what was answered with 200."""

    def __init__(self, process: GatepostProcess, fuse: Fuse) -> None:
        self.up = threading.Event()
        self.answered: set[str] = set()
        """Products whose event was accepted."""
        self._process = process
        self._fuse = fuse
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let every sender finish what it is at."""
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)

    def _send(self, sender: int) -> None:
        chance = random.Random(sender)  # noqa: S311 - the same load every run
        with self._process.client() as api:
            for number in range(1_000_000):
                if self._stop.is_set():
                    return
                product = f"{sender}-{number}"
                event = {
                    "user": f"u{chance.randrange(SHOPPERS)}",
                    "city": chance.choice(["Berlin", "Rome"]),
                    "event": "purchase",
                    "product": product,
                    "total": 1,
                }
                # An event with an id of its own may be sent again until it is answered; one without may not.
                key = product if number % 2 else ""
                while not self._sent(api, event, key) and key:
                    continue

    def _sent(self, api: httpx.Client, event: dict[str, object], key: str) -> bool:
        self.up.wait(PATIENCE_SECONDS)
        try:
            headers = {"Idempotency-Key": key} if key else {}
            answer = api.post("/collect/json/web", json=event, headers=headers)
        except httpx.TransportError:
            return False
        assert answer.status_code == 200, answer.text
        self.answered.add(str(event["product"]))
        self._fuse.burn("answered")
        return True


def test_kill_9_under_load_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    fuse = Fuse()

    def answer(_received: Received, _times: int) -> Reply:
        # Killed here, gatepost has sent a delivery and will never read the answer.
        fuse.burn("received")
        return OK

    with (
        receiving(answer) as receiver,
        gatepost_process(tmp_path / "data", receiver.url(), 'city = "Berlin"') as gatepost,
    ):
        load = Load(gatepost, fuse)
        try:
            kill_now_and_then(gatepost, fuse, load)
        finally:
            load.end()
        with gatepost.client() as api:
            wait_until_quiet(api)
        assert gatepost.stop() == 0
        assert "Traceback" not in gatepost.complaints()
        check_profiles(gatepost.data, load)
        check_deliveries(gatepost.data, receiver)


def kill_now_and_then(gatepost: GatepostProcess, fuse: Fuse, load: Load) -> None:
    chance = random.Random(20)  # noqa: S311 - the same moments every run
    gatepost.start()
    for number in range(KILLS):
        fuse.set(gatepost, ("answered", "received")[number % 2], chance.randrange(20, 60))
        load.up.set()
        gatepost.wait()
        load.up.clear()
        gatepost.start()
    fuse.set(gatepost, "nothing", 1)
    load.up.set()


def check_profiles(data: Path, load: Load) -> None:
    """Every event adds one to the sum and one product to the set: were one doubled, they would differ."""
    pipeline = Pipeline(data, HandClock(START))
    profiles = pipeline.profiles()
    pipeline.close()
    bought: Counter[str] = Counter()
    for profile in profiles:
        products = profile.fields["products"]
        assert isinstance(products, list)
        bought.update(str(product) for product in products)
        assert profile.fields["spend"] == len(products)
    assert load.answered <= bought.keys()
    assert set(bought.values()) == {1}
    assert len(load.answered) > 100


def check_deliveries(data: Path, receiver: Receiver) -> None:
    """What the log says must have been sent is what came, in order, and a repeat is the same to the byte."""
    pipeline = Pipeline(data, HandClock(START))
    expected = dict(moves_by_user(pipeline))
    listed = pipeline.store.write_blocking(
        lambda tx: tx.deliveries.listed(DeliveryFilter(account=ACCOUNT, limit=100_000))
    )
    pipeline.close()
    received = receiver.received
    assert {item.delivery.state.value for item in listed} == {"delivered"}
    assert {item.delivery.id for item in listed} == {one.delivery for one in received}
    assert len({(one.delivery, one.body) for one in received}) == len(listed) < len(received)
    for user, moves in expected.items():
        mine = [one for one in received if one.profile["user"] == user]
        in_order = [next(group) for _, group in groupby(mine, lambda one: one.delivery)]
        assert moves == [one.crossing for one in in_order], user


def moves_by_user(pipeline: Pipeline) -> Iterator[tuple[str, list[str]]]:
    """Tell from the log alone who must have entered and left, in order."""
    cities: dict[str, list[bool]] = {}
    for record in pipeline.log.read(0, 1_000_000):
        event = orjson.loads(record.body)
        cities.setdefault(event["user"], [False]).append(event["city"] == "Berlin")
    for user, stays in cities.items():
        yield user, ["enter" if now else "exit" for before, now in pairwise(stays) if before != now]
