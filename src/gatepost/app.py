"""The composition root: settings become back ends, stages and one running App."""

import asyncio
import gc
import random
import sqlite3
import sys
from collections.abc import Awaitable, Callable

import structlog

from gatepost.backends.clock import HandClock, SystemClock
from gatepost.backends.folder import DataFolder
from gatepost.backends.sqlite.log import SqliteLog
from gatepost.backends.sqlite.store import SqliteStore
from gatepost.backends.sqlite.survey import SqliteSurveyor
from gatepost.core.addresses import parse_allow_list
from gatepost.core.retry import RetryOptions
from gatepost.model.catalog import Account, Scope
from gatepost.model.erasure import Withdrawn
from gatepost.model.errors import Conflict, GatepostError, OperatorError
from gatepost.model.times import SECOND, Instant
from gatepost.operations.backtests import Backtests
from gatepost.operations.context import Context, new_id
from gatepost.operations.jobs import unsendable
from gatepost.operations.tokens import Doorkeeper, put_token
from gatepost.outbound.keyring import open_key_ring
from gatepost.outbound.sender import HttpSender, SendOptions
from gatepost.ports.store import Transaction
from gatepost.providers.registry import installed_providers
from gatepost.rendering import CompiledRenderer, HelperRenderer, RenderOptions
from gatepost.settings import Settings
from gatepost.stages.apply import ApplyStage
from gatepost.stages.collect import CollectOptions, CollectStage
from gatepost.stages.courier import Courier
from gatepost.stages.deliver import DeliverOptions, DeliverParts, DeliverStage
from gatepost.stages.erasing import Eraser
from gatepost.stages.orders import OrderBook
from gatepost.stages.prune import PruneStage, Retention

_LOG = structlog.get_logger("gatepost.app")

_SWITCH_S = 0.0005

TOKEN_FILE = "admin-token"  # noqa: S105 - the name of a file


class App:
    """One gatepost: opened, started, stopped."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = DataFolder(settings.data)
        try:
            self._build(settings)
        except sqlite3.DatabaseError as error:
            self.folder.close()
            msg = f"the data folder {settings.data} cannot be read: {error}; restore it from a copy"
            raise OperatorError(msg) from error
        except BaseException:
            self.folder.close()
            raise

    def _build(self, settings: Settings) -> None:
        allow = parse_allow_list(settings.allow_hosts)
        keys = open_key_ring(settings.data, settings.keys or None)
        self.store = SqliteStore(settings.data / "state")
        _, reached = self.store.write_blocking(lambda tx: tx.ledger.position())
        self.hand_clock = HandClock(reached) if settings.clock == "manual" else None
        self.clock = self.hand_clock or SystemClock()
        self.log = SqliteLog(settings.data / "log", self.clock, self._appended)
        self.renderer = CompiledRenderer(HelperRenderer(RenderOptions(workers=settings.render_workers)))
        self.sender = HttpSender(
            SendOptions(
                allow=allow,
                deadline_s=settings.request_timeout / 1000,
                answer_limit=settings.answer_limit,
            )
        )
        providers = installed_providers()
        eraser = Eraser(self.log, self.store, keys, self.clock, self._erased)
        surveyor = SqliteSurveyor(settings.data / "state", self._appended)
        self.apply = ApplyStage(self.log, self.store, self.clock, self._enqueued, eraser, surveyor)
        courier = Courier(self.sender, providers, self.log, self.clock, allow)
        parts = DeliverParts(
            store=self.store,
            courier=courier,
            renderer=self.renderer,
            orders=OrderBook(keys),
            clock=self.clock,
            roll=random.random,
        )
        self.deliver = DeliverStage(parts, DeliverOptions(retry=_patience(settings)))
        self.prune = PruneStage(
            self.log,
            self.store,
            self.clock,
            Retention(history=settings.history, deliveries=settings.delivery_history),
        )
        options = CollectOptions(reserve=settings.disk_reserve)
        self.collect = CollectStage(self.log, settings.data, options)
        self.context = Context(
            store=self.store,
            log=self.log,
            secrets=keys,
            renderer=self.renderer,
            sender=self.sender,
            providers=providers,
            clock=self.clock,
            allow=allow,
            brake=settings.brake,
            wake_apply=self.apply.wake,
            wake_deliver=self.deliver.notify,
        )
        self.doorkeeper = Doorkeeper(self.context)
        self.backtests = Backtests(self.context, settings.data / "log")
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> str:
        """Start every stage; return the administrator token's text when this start made it, else an empty text."""
        tune_interpreter()
        token = await self._first_start()
        await self.doorkeeper.refresh()
        await self._warn()
        self.apply.start()
        self._tasks = [
            asyncio.create_task(self.renderer.start()),
            asyncio.create_task(self.deliver.run()),
            asyncio.create_task(_every(1, self._watch)),
            asyncio.create_task(_every(3_600, self._tidy)),
        ]
        return token

    async def stop(self) -> None:
        """Stop every stage in the order of the data, finish what was accepted and close."""
        await asyncio.to_thread(self.apply.stop)
        await self.deliver.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.renderer.close()
        await self.sender.close()
        await asyncio.to_thread(self.log.close)
        await asyncio.to_thread(self.store.close)
        self.folder.close()

    async def move_clock(self, to: Instant) -> Instant:
        """Move audience time, as a record of the log: what was collected before is applied before."""
        if self.hand_clock is None:
            msg = "audience time is wall time here; start gatepost with --clock manual to move it"
            raise Conflict(msg)
        if to < self.hand_clock.audience():
            msg = "audience time never goes back"
            raise Conflict(msg)
        await asyncio.wrap_future(self.log.append_clock(to))
        self.hand_clock.move(to)
        self.apply.wake()
        return self.hand_clock.audience()

    async def _first_start(self) -> str:
        """Make the first account and its administrator token, once."""
        now = self.clock.wall()

        def work(tx: Transaction) -> str:
            if tx.catalog.list(Account):
                return ""
            number = tx.catalog.number("account")
            account = Account(number=number, id=new_id(), name="main", created=now)
            tx.catalog.put(number, account.id, account)
            _, text = put_token(tx, number, "administrator", Scope.ADMIN, now)
            # Written inside the transaction: a crash in between leaves a useless file, never a lost token.
            self.folder.write_private(TOKEN_FILE, text + "\n")
            return text

        return await self.store.write(work)

    async def _warn(self) -> None:
        """Name the jobs that this start's allow list keeps from sending; what they have waits meanwhile."""
        allow = self.context.allow
        for job, reason in await self.store.read(lambda tx: unsendable(tx, allow)):
            _LOG.warning("job.not_allowed", job=job.name, reason=reason)

    async def _watch(self) -> None:
        """Look at what bounds collect: free disk and the backlog."""
        self.collect.look_at_disk()
        self.collect.lag = await self.store.read(self._lag)

    async def _tidy(self) -> None:
        await self.prune.run_once()

    def _lag(self, tx: Transaction) -> int:
        accounts = tx.catalog.list(Account)
        applied = sum(tx.ledger.counters(a.number).get("events_applied", 0) for a in accounts)
        return max(0, sum(self.log.collected(a.number) for a in accounts) - applied)

    def _appended(self) -> None:
        self.apply.wake()

    def _erased(self, withdrawn: Withdrawn) -> None:
        self.deliver.forget(withdrawn)

    def _enqueued(self, destinations: frozenset[int]) -> None:
        self.deliver.notify(destinations)


def tune_interpreter() -> None:
    """Fit the interpreter to a server: short turns for its threads, few looks at objects that stay anyway."""
    # Apply computes on a thread; the default of 5 ms would make every request wait that long for its turn.
    sys.setswitchinterval(_SWITCH_S)
    # Every profile read makes containers; looking for rings among them at the default pace is a tenth of apply's time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _patience(settings: Settings) -> RetryOptions:
    schedule = tuple(wait / SECOND for wait in settings.retry_schedule)
    return RetryOptions(schedule=schedule, window=settings.retry_window)


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do a small duty again and again; a failure is told and does not end it."""
    while True:
        try:
            await work()
        except (GatepostError, OSError, sqlite3.Error) as error:
            _LOG.warning("duty.failed", duty=getattr(work, "__name__", ""), error=str(error))
        await asyncio.sleep(seconds)
