"""Does something again whenever a file is saved."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import typer

from gatepost.cli.failure import show_failure
from gatepost.cli.output import Output
from gatepost.model.errors import GatepostError

_EVERY_SECONDS = 0.2
Stamps = dict[Path, tuple[int, int] | None]


def again_on_save(out: Output, files: Callable[[], Iterable[Path]], work: Callable[[], None]) -> None:
    """Do it now and whenever one of the files changes, until Ctrl-C; what fails is shown, and waiting goes on.

    Files are asked for their times, which works on every file system; there are a handful.
    """
    try:
        while True:
            seen = _stamps(files())
            try:
                work()
            except typer.Exit:
                # It said what was wrong; there is another try.
                pass
            except GatepostError as error:
                show_failure(error)
            out.say("--- waiting for the next save; Ctrl-C ends")
            while _stamps(files()) == seen:
                time.sleep(_EVERY_SECONDS)
            _settle(files)
    except KeyboardInterrupt:
        out.say("")


def _settle(files: Callable[[], Iterable[Path]]) -> None:
    """Wait until whoever saves has written everything: editors empty a file before they fill it."""
    before: Stamps = {}
    while (now := _stamps(files())) != before:
        before = now
        time.sleep(_EVERY_SECONDS)


def _stamps(files: Iterable[Path]) -> Stamps:
    return {file: _stamp(file) for file in files}


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
