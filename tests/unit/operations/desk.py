"""A small shop with a real store, log, key ring and renderer; apply is turned by hand."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import orjson

from gatepost.backends.clock import HandClock
from gatepost.backends.sqlite.log import SqliteLog
from gatepost.backends.sqlite.store import SqliteStore
from gatepost.core.addresses import parse_allow_list
from gatepost.model.catalog import Account
from gatepost.model.event import Submission
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.times import DAY, Instant
from gatepost.operations.configuration import Report, apply_configuration, read_declaration
from gatepost.operations.context import Context
from gatepost.outbound.keyring import KeyRing, new_key
from gatepost.outbound.sender import HttpSender, SendOptions
from gatepost.providers.registry import installed_providers
from gatepost.rendering import HelperRenderer
from gatepost.stages.apply import ApplyStage
from gatepost.stages.erasing import Eraser

T = TypeVar("T")

NOON: Instant = 1_767_268_800_000
"""2026-01-01T12:00:00Z."""

SHOP, NEIGHBOUR = 1, 2
"""Two accounts of one installation."""

SCHEMA: JsonObject = {
    "streams": {"baskets": {"timestamp_field": "at"}},
    "schema": {
        "ranks": ["card"],
        "fields": {
            "card": {"type": "string", "identifier": True},
            "spend": {"type": "number", "merge": "sum"},
            "town": {"type": "string"},
        },
        "mappings": [
            {"stream": "baskets", "field": "card", "expression": "card"},
            {"stream": "baskets", "field": "spend", "expression": "tonumber(total)", "if": "total > 0"},
            {"stream": "baskets", "field": "town", "expression": "town"},
        ],
    },
}


class Desk:
    """What a person at the shop's desk can do."""

    def __init__(self, folder: Path, runner: asyncio.Runner, renderer: HelperRenderer) -> None:
        self._runner = runner
        self.clock = HandClock(NOON)
        allow = parse_allow_list(["127.0.0.1"])
        self.woken: list[int] = []
        self.context = Context(
            store=SqliteStore(folder / "state"),
            log=SqliteLog(folder / "log", self.clock),
            secrets=KeyRing([new_key()]),
            renderer=renderer,
            sender=HttpSender(SendOptions(allow=allow, deadline_s=5.0)),
            providers=installed_providers(),
            clock=self.clock,
            allow=allow,
            wake_apply=lambda: None,
            wake_deliver=self.woken.extend,
        )
        context = self.context
        eraser = Eraser(context.log, context.store, context.secrets, self.clock)
        self._apply = ApplyStage(context.log, context.store, self.clock, lambda _: None, eraser)
        for number, name in ((SHOP, "shop"), (NEIGHBOUR, "neighbour")):
            account = Account(number=number, id=f"{number:032x}", name=name)
            self.write(lambda tx, account=account: tx.catalog.put(account.number, account.id, account))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for an operation."""
        return self._runner.run(work)

    def write(self, work: Any) -> Any:
        """Change the store behind the operations' back."""
        return self.context.store.write_blocking(work)

    def read(self, work: Any) -> Any:
        """Look into the store."""
        return self.run(self.context.store.read(work))

    def configure(self, *parts: JsonObject, account: int = SHOP, **how: bool) -> Report:
        """Apply the parts of a document, laid over each other."""
        document: dict[str, JsonValue] = {}
        for part in parts:
            document.update(part)
        return self.run(apply_configuration(self.context, account, read_declaration(document), **how))

    def collect(self, stream: str, *events: JsonObject, account: int = SHOP) -> None:
        """Collect events and fold them in."""
        self.receive(stream, *events, account=account)
        self.fold()

    def receive(self, stream: str, *events: JsonObject, account: int = SHOP) -> None:
        """Collect events, and no more."""
        submissions = [Submission(stream, 0, orjson.dumps(event)) for event in events]
        self.context.log.append(account, submissions).result()

    def fold(self) -> None:
        """Let apply do everything there is to do."""
        while self._apply.run_once().more:
            pass

    def turn(self) -> None:
        """Let apply do one turn."""
        self._apply.run_once()

    def pass_days(self, days: int) -> None:
        """Let audience time pass."""
        self.clock.move(self.clock.audience() + days * DAY)
        self.fold()

    def close(self) -> None:
        self.run(self.context.sender.close())
        self.context.log.close()
        self.context.store.close()
