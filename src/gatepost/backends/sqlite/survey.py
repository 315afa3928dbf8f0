"""A survey, as its parent sees it: a process that reads ahead of apply, and a thread that hears what it finds."""

import contextlib
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from gatepost.backends.sqlite.surveying import Task
from gatepost.ports.catalog import Duty
from gatepost.ports.survey import Found, SurveyLost

_PROGRAM = "gatepost.backends.sqlite.surveying"
_AHEAD = 50
"""Slices it may be ahead of apply; then it waits."""
_AHEAD_FILLING = 4
"""The same where windows are filled: whoever changes before apply hears of her has to be filled again."""
_KEPT_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")
"""All the process gets of the environment, which may hold keys."""
_SHOWN = 500
_DECODE = msgspec.json.Decoder(Found).decode


class SqliteSurveyor:
    """Surveys the state file for one duty at a time; see `ports.survey`. Used by apply's thread alone."""

    def __init__(self, state: Path, on_found: Callable[[], None]) -> None:
        """Survey a state file; `on_found` is called from another thread whenever there is more to ask for."""
        self._state = state
        self._on_found = on_found
        self._run: _Run | None = None

    def found(self, duty: Duty, most: int) -> Found | None:
        """Return what comes after a duty's cursor."""
        run = self._run
        if run is None or (run.duty, run.cursor) != (duty.id, duty.cursor):
            # Another duty, or a step that was undone: what has been told of it is lost.
            self.end()
            run = self._run = self._begun(duty)
        try:
            found = run.next(most)
        except SurveyLost:
            self.end()
            raise
        if found is not None and found.last:
            self.end()
        return found

    def end(self) -> None:
        """End the process, if there is one."""
        if self._run is not None:
            self._run.end()
            self._run = None

    def _begun(self, duty: Duty) -> "_Run":
        try:
            return _Run(self._state, duty, self._on_found)
        except OSError as error:
            msg = f"its process cannot be started: {error}"
            raise SurveyLost(msg) from error


class _Run:
    """One process on its way."""

    def __init__(self, state: Path, duty: Duty, on_found: Callable[[], None]) -> None:
        self.duty, self.cursor = duty.id, duty.cursor
        self._on_found = on_found
        self._slices: queue.Queue[Found | None] = queue.Queue(_AHEAD_FILLING if duty.sources else _AHEAD)
        self._waiting: list[Found] = []
        self._ending = threading.Event()
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-m", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment, "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        task = msgspec.json.encode(Task(state=str(state), duty=duty))
        self._thread = threading.Thread(target=self._hear, args=(task,), name="gatepost-survey", daemon=True)
        self._thread.start()

    def next(self, most: int) -> Found | None:
        """Take what has been found, at most so many numbers; None when nothing has."""
        taken: Found | None = None
        while (taken is None or _goes_on(taken, most)) and (slice_ := self._slice()) is not None:
            room = most - (len(taken.numbers) if taken is not None else 0)
            if len(slice_.numbers) > room:
                slice_, rest = _cut(slice_, room)
                self._waiting.append(rest)
            taken = slice_ if taken is None else _joined(taken, slice_)
        if taken is not None:
            self.cursor = taken.until
        return taken

    def end(self) -> None:
        """Kill the process and wait until nothing of it is left."""
        self._ending.set()
        self._process.kill()
        with contextlib.suppress(queue.Empty):
            while True:
                self._slices.get_nowait()
        self._thread.join()

    def _slice(self) -> Found | None:
        if self._waiting:
            return self._waiting.pop()
        try:
            slice_ = self._slices.get_nowait()
        except queue.Empty:
            return None
        if slice_ is None:
            raise SurveyLost(self._last_words)
        return slice_

    def _hear(self, task: bytes) -> None:
        """Hand the process its task and queue what it finds; then collect it."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        with process:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(task)
                process.stdin.close()
            try:
                self._pass_on(process.stdout)
            except msgspec.DecodeError:
                # It was killed in the middle of a line.
                process.kill()
            said = process.stderr.read()[-_SHOWN:].decode("utf-8", "replace").strip()
        self._last_words = said.splitlines()[-1] if said else f"it ended with {process.returncode}"
        if not self._ending.is_set():
            self._slices.put(None)
            self._on_found()

    def _pass_on(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            if self._ending.is_set():
                return
            self._slices.put(_DECODE(line))
            self._on_found()


def _goes_on(taken: Found, most: int) -> bool:
    """Say whether more can be taken; each slice that fills windows is as of an instant of its own."""
    return len(taken.numbers) < most and not taken.last and not taken.catalog


def _cut(slice_: Found, room: int) -> tuple[Found, Found]:
    """Return the first so many of a slice, and the rest."""
    numbers, filled = slice_.numbers, slice_.filled
    first = replace(slice_, numbers=numbers[:room], filled=filled[:room], until=numbers[room - 1], last=False)
    return first, replace(slice_, numbers=numbers[room:], filled=filled[room:])


def _joined(taken: Found, slice_: Found) -> Found:
    return replace(slice_, numbers=[*taken.numbers, *slice_.numbers])
