"""Who is served next: templates take turns, whatever the number of renders each has waiting."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Sequence

from gatepost.rendering.options import RenderOptions

Parts = Sequence[bytes]
"""One context as it goes to a helper."""

Result = tuple[bytes, bytes]
"""State and text of one context's render."""

Key = tuple[bytes, str]
"""What a helper is asked to do, and with which template."""


class Batch:
    """What one caller waits for: one template and its contexts."""

    def __init__(self, key: Key, contexts: Sequence[Parts]) -> None:
        self.key = key
        self.contexts = contexts
        self.waiting = deque(range(len(contexts)))
        self.done: asyncio.Future[list[Result]] = asyncio.get_running_loop().create_future()
        self._results: dict[int, Result] = {}

    def settle(self, index: int, result: Result) -> None:
        """Note the result of a context; with the last one the caller goes on."""
        self._results[index] = result
        if len(self._results) == len(self.contexts) and not self.done.done():
            self.done.set_result([self._results[position] for position in range(len(self.contexts))])

    def fail(self, error: Exception) -> None:
        """Give up; the caller gets the error."""
        if not self.done.done():
            self.done.set_exception(error)


class Turn:
    """Some contexts of a batch, to be served together."""

    def __init__(self, batch: Batch, indices: Sequence[int]) -> None:
        self.batch = batch
        self.left = deque(indices)

    @property
    def contexts(self) -> list[Parts]:
        """The contexts not yet settled, in order."""
        return [self.batch.contexts[index] for index in self.left]

    def settle(self, result: Result) -> None:
        """Note the result of the first context left."""
        self.batch.settle(self.left.popleft(), result)


class Turns:
    """The waiting batches, one lane per template; lanes are served in rotation."""

    def __init__(self, options: RenderOptions) -> None:
        self._options = options
        self._lanes: OrderedDict[Key, deque[Batch]] = OrderedDict()
        self._filled = asyncio.Event()

    def add(self, batch: Batch) -> None:
        """Put a batch at the end of its template's lane."""
        self._lanes.setdefault(batch.key, deque()).append(batch)
        self._filled.set()

    def give_back(self, turn: Turn) -> None:
        """Return what a turn did not come to, ahead of its batch mates and behind the other templates."""
        if not turn.left:
            return
        batch = turn.batch
        lane = self._lanes.setdefault(batch.key, deque())
        batch.waiting.extendleft(reversed(turn.left))
        if not any(other is batch for other in lane):
            lane.appendleft(batch)
        self._filled.set()

    async def next(self) -> Turn:
        """Wait for work and take the next turn."""
        while True:
            while not self._lanes:
                self._filled.clear()
                await self._filled.wait()
            turn = self._take()
            if turn:
                return turn

    def fail(self, error: Exception) -> None:
        """Give up every waiting batch."""
        for lane in self._lanes.values():
            for batch in lane:
                batch.fail(error)
        self._lanes.clear()

    def _take(self) -> Turn | None:
        key, lane = next(iter(self._lanes.items()))
        batch = lane[0]
        # A caller that no longer waits is not served.
        indices = [] if batch.done.done() else self._share(batch)
        if batch.done.done() or not batch.waiting:
            lane.popleft()
        self._lanes.move_to_end(key)
        if not lane:
            del self._lanes[key]
        return Turn(batch, indices) if indices else None

    def _share(self, batch: Batch) -> list[int]:
        share: list[int] = []
        size = 0
        while batch.waiting and len(share) < self._options.turn:
            size += sum(map(len, batch.contexts[batch.waiting[0]]))
            if share and size > self._options.turn_bytes:
                break
            share.append(batch.waiting.popleft())
        return share
