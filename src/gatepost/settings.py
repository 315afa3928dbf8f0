"""Every setting: its name, default, unit and reason; read once, at start, from environment and command line."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from gatepost.core.retry import RetryOptions
from gatepost.model.errors import OperatorError
from gatepost.model.times import SECOND, Milliseconds, parse_duration
from gatepost.stages.prune import Retention

PREFIX = "GATEPOST_"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator can choose; each is an environment variable too, `GATEPOST_` and its name in capitals."""

    data: Path
    """Folder of the two files, the key ring and the first token; owned by one process at a time."""
    host: str = "127.0.0.1"
    """Address to listen on; anything but loopback is your decision, behind TLS."""
    port: int = 8400
    """Port to listen on; 0 picks a free one."""
    allow_hosts: tuple[str, ...] = ()
    """Plain-http or private destinations that may be called: `host`, `host:port` or a network."""
    clock: str = "wall"
    """`manual`: only a call moves audience time (demonstrations and tests)."""
    keys: str = ""
    """Key ring, comma separated, newest first; empty keeps it in a file of the data folder."""
    event_limit: int = 64 * 1024
    """Largest event in bytes."""
    body_limit: int = 10 * 1024 * 1024
    """Largest collect body in bytes, unpacked."""
    disk_reserve: int = 64 * 1024 * 1024
    """Free bytes below which nothing more is collected, so that the other stages can go on."""
    render_workers: int = 2
    """Helper processes for each kind of template; those of a kind start with its first one, Jsonnet's at once."""
    retry_schedule: tuple[Milliseconds, ...] = tuple(int(s * SECOND) for s in RetryOptions().schedule)
    """Waits after the first, second, ... attempt, such as 1s,5s,30s; the last one repeats."""
    retry_window: Milliseconds = RetryOptions().window
    """How long a delivery is tried, such as 8d; Lytics gives up after 2h."""
    history: Milliseconds = Retention().history
    """How long applied events are kept, such as 400d: what was collected, in order."""
    delivery_history: Milliseconds = Retention().deliveries
    """How long finished deliveries, their attempts and job logs are kept, such as 30d."""
    brake: int = 10
    """Percent of an audience that a changed rule may make enter or leave without a confirmation; 100 never asks."""
    answer_limit: int = 1024 * 1024
    """Largest answer of a destination in bytes; the rest is not read."""
    request_timeout: Milliseconds = 30_000
    """Time for one request from connecting to the last byte of its answer, such as 30s."""


_DURATIONS = frozenset({"retry_window", "request_timeout", "history", "delivery_history"})
_LISTS = frozenset({"allow_hosts"})
_DURATION_LISTS = frozenset({"retry_schedule"})


def settings_from(environment: Mapping[str, str], **given: object) -> Settings:
    """Return settings from `GATEPOST_*` variables, overruled by what was given on the command line."""
    values: dict[str, object] = {}
    for name in Settings.__struct_fields__:
        text = environment.get(PREFIX + name.upper())
        if text:
            values[name] = _read(name, text)
    values.update({name: value for name, value in given.items() if value is not None})
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        msg = f"a setting is not acceptable: {error}"
        raise OperatorError(msg) from None


def _read(name: str, text: str) -> object:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        if name in _DURATION_LISTS:
            return [parse_duration(part) for part in parts]
        if name in _DURATIONS:
            return parse_duration(text)
    except ValueError as error:
        msg = f"{PREFIX}{name.upper()}: {error}"
        raise OperatorError(msg) from None
    return parts if name in _LISTS else text


def _path(type_: type, value: object) -> object:
    return Path(str(value)).expanduser() if issubclass(type_, Path) else value
