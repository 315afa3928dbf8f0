"""A JavaScript realm without anything of the host, with the template library inside, under a memory limit.

A realm is a runtime of its own: nothing one does can be seen in another. Making one takes about as long as a
render in it, so there is a fresh one wherever somebody else's JavaScript runs.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from _quickjs import Context

from gatepost.engines.frames import FAULT, MAX_MESSAGE, TOO_LARGE, Answer, peak

RESERVE = 64 * 1024 * 1024
"""Address space beyond the realms' limit in which the process itself can go on and report."""

_NEAR_THE_LIMIT = 0.5
_NAMELESS = "null\n"
"""How the binding reports an exception there was no memory left to make; a template may also throw null."""


class Realm:
    """A fresh realm with the library's functions as globals."""

    def __init__(self, library: Mapping[str, bytes], memory: int) -> None:
        self._context = Context()
        self._context.set_memory_limit(memory)
        self._memory = memory
        # Not a method of this object: a ring of references would keep every realm until the collector comes.
        self._context.add_callable("host", partial(_answered, library["lytemplates.more.js"]))
        self.eval(library["lytemplates.js"].decode())(self._context.get("host"))
        self.eval("delete globalThis.host")

    def eval(self, source: str) -> Any:
        """Run a script and return its value: None, a number, text, or an object to call."""
        return self._context.eval(source)

    def define(self, name: str, text: str) -> None:
        """Give the realm a global that holds text."""
        self._context.set(name, text)

    def fault(self, error: Exception) -> Answer:
        """Return what is to be said of an exception that left the realm."""
        message = str(error)
        exhausted = message == _NAMELESS and self._was_nearly_full()
        if exhausted or isinstance(error, MemoryError) or "InternalError: out of memory" in message:
            return TOO_LARGE, b""
        return FAULT, message.removesuffix("\nundefined").strip().encode("utf-8", "replace")[:MAX_MESSAGE]

    def _was_nearly_full(self) -> bool:
        # What the script held may be free again by now, but the process remembers its peak.
        held: int = self._context.memory()["malloc_size"]
        return max(held, peak()) > self._memory * _NEAR_THE_LIMIT


def byte_position(source: str, line: int, column: int) -> str:
    """Return a position as the Jsonnet engine gives it, columns counted in bytes; the column comes in UTF-16 units."""
    lines = source.split("\n")
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    before = text.encode("utf-16-le")[: (column - 1) * 2].decode("utf-16-le", "ignore")
    return f"template:{line}:{len(before.encode()) + 1} "


def _answered(more: bytes, what: str, arguments: str) -> str:
    return json.dumps(more.decode() if what == "more" else _ANSWERS[what](*json.loads(arguments)))


def _sha256(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _sha1(value: str) -> str:
    return hashlib.sha1(value.encode(), usedforsecurity=False).hexdigest()


def _hmac_sha256(message: str, key: str) -> str:
    return hmac.new(key.encode(), message.encode(), "sha256").hexdigest()


def _phone_e164(phone: str, region: str) -> str | None:
    # Imported here: it is large, and most templates do without.
    import phonenumbers  # noqa: PLC0415 - as said above

    try:
        number = phonenumbers.parse(phone, region.upper())
    except phonenumbers.NumberParseException:
        digits = re.sub(r"\D", "", phone)
        return f"+{digits}" if digits else None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


_ANSWERS: dict[str, Callable[..., str | None]] = {
    "sha256": _sha256,
    "sha1": _sha1,
    "hmacSha256": _hmac_sha256,
    "toPhoneE164": _phone_e164,
}
