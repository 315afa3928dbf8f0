"""What a traced process did to its files and sockets, and what a power cut at any moment would have left.

Reads the output of `strace -f -y -xx`. One tracer writes it, so the order of its lines is the order of things.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

TRACER = ("strace", "-f", "-y", "-xx", "-s", "1000000", "-e")
CALLS = "trace=pwrite64,ftruncate,fallocate,fsync,fdatasync,unlink,rename,write,writev,sendto,sendmsg"

_LINE = re.compile(r"^(?P<thread>\d+) +(?P<rest>.*)$")
_CUT = re.compile(r"^(?P<begun>\w+\(.*) <unfinished \.\.\.>$")
_GOES_ON = re.compile(r"^<\.\.\. \w+ resumed>(?P<rest>.*)$")
_CALL = re.compile(r"^(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)")
_FILE = re.compile(r"^\d+<(?P<path>[^>]*)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


class Call(msgspec.Struct, frozen=True):
    """One system call that succeeded."""

    name: str
    path: str
    """The file it is about, as strace names it; `socket:[...]` for sockets."""
    data: bytes
    numbers: tuple[int, ...]
    """What follows the data."""
    begun: int
    """The line of the trace on which it began."""
    ended: int
    """The line on which it returned."""

    @property
    def is_sync(self) -> bool:
        """Whether what was written to the file before is on disk when it returns."""
        return self.name in {"fsync", "fdatasync"}

    @property
    def answers(self) -> bool:
        """Whether it gives somebody a 200."""
        return self.path.startswith("socket:") and b"HTTP/1.1 200" in self.data


def tracing(trace: Path) -> list[str]:
    """The words to put before a command."""
    return [*TRACER, CALLS, "-o", str(trace)]


def calls_in(trace: Path) -> list[Call]:
    """Every call that succeeded, in the order in which they began."""
    return sorted(_calls(trace.read_text().splitlines()), key=lambda call: call.begun)


def _calls(lines: Sequence[str]) -> Iterator[Call]:
    open_calls: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines):
        found = _LINE.match(line)
        if found is None:
            continue
        thread, text, begun = found["thread"], found["rest"], number
        if cut := _CUT.match(text):
            open_calls[thread] = (number, cut["begun"])
            continue
        if rest := _GOES_ON.match(text):
            begun, first = open_calls.pop(thread, (number, ""))
            text = first + rest["rest"]
        call = _CALL.match(text)
        if call is not None and int(call["result"]) >= 0:
            yield _read(call, begun, number)


def _read(call: re.Match[str], begun: int, ended: int) -> Call:
    arguments = call["arguments"]
    file = _FILE.match(arguments)
    texts = _TEXT.findall(arguments)
    data = b"".join(bytes.fromhex(text.replace("\\x", "")) for text in texts)
    tail = _TEXT.sub("", arguments)
    numbers = tuple(int(number) for number in re.findall(r", (-?\d+)(?=,|$)", tail))
    return Call(call["name"], _plain(file["path"]) if file else "", data, numbers, begun, ended)


def _plain(path: str) -> str:
    """Undo the escapes of `-xx` in a path."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda byte: chr(int(byte[1], 16)), path)


class Disk:
    """The files of a folder twice: as programs see them, and as a power cut would leave them."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._seen = {path.name: bytearray(path.read_bytes()) for path in folder.iterdir() if path.is_file()}
        self._kept = {name: bytes(content) for name, content in self._seen.items()}
        self._at_sync: dict[int, bytes] = {}

    def begin(self, call: Call) -> None:
        """A call begins: a sync promises what was written before it, not what is written meanwhile."""
        if self._is_here(call) and call.is_sync:
            self._at_sync[call.begun] = bytes(self._seen.get(self._name(call), b""))

    def end(self, call: Call) -> None:
        """A call has returned."""
        if not self._is_here(call):
            return
        content = self._seen.setdefault(self._name(call), bytearray())
        if call.is_sync:
            self._kept[self._name(call)] = self._at_sync.pop(call.begun)
        elif call.name == "pwrite64":
            _, offset = call.numbers
            content.extend(bytes(max(0, offset - len(content))))
            content[offset : offset + len(call.data)] = call.data
        elif call.name == "ftruncate":
            (length,) = call.numbers
            content.extend(bytes(max(0, length - len(content))))
            del content[length:]

    def after_power_cut(self, into: Path) -> Path:
        """Write the files as of their last sync into a new folder."""
        into.mkdir()
        for name, content in self._kept.items():
            if name in {"state", "state-wal", "log", "log-wal"}:
                (into / name).write_bytes(content)
        return into

    def _name(self, call: Call) -> str:
        return call.path.rpartition("/")[2]

    def _is_here(self, call: Call) -> bool:
        return call.path.rpartition("/")[0] == self._folder and not call.path.endswith("-shm")
