"""The helper program that renders Handlebars, with the official library in one realm of ours.

A Handlebars template cannot run code of its own, so the realm is kept; its prototypes are frozen all the same, and
each render gets the template made anew from what it was compiled to.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gatepost.engines.frames import CONTEXT_PARTS, FAULT, OK, TOO_LARGE, Answer, run
from gatepost.engines.realm import RESERVE, Realm, byte_position

_KEPT_BYTES = 2 * 1024 * 1024
"""Sources of the compiled templates a helper keeps; compiled they take many times that."""

_Runner = Callable[[str, str], str]


class HandlebarsEngine:
    """The official Handlebars library, and the helpers `handlebars.js` adds."""

    reserve = RESERVE

    def __init__(self, library: Mapping[str, bytes], memory: int) -> None:
        self._library = library
        self._memory = memory
        self._open()
        self.render(b"{{json this}}", [b"{}"] * CONTEXT_PARTS)

    def render(self, source: bytes, context: Sequence[bytes]) -> Answer:
        """Return the text a template makes of the entity and `job_config`."""
        entity, job_config, _ = (part.decode("utf-8", "replace") for part in context)
        try:
            text: str = json.loads(self._runner(source)(entity, job_config))
        except Exception as error:  # noqa: BLE001 - whatever leaves the realm is this render's
            return self._refused(error)
        return OK, text.encode()

    def check(self, source: bytes) -> Answer:
        """Return whether a source compiles; it does not run."""
        text = source.decode()
        try:
            found = self._fault(text)
        except Exception as error:  # noqa: BLE001 - whatever leaves the realm is the source's
            return self._refused(error)
        if found is None:
            return OK, b""
        message, line, column = json.loads(found)
        if not line:
            return FAULT, message.encode()
        return FAULT, (byte_position(text, line, column + 1) + message).encode()

    def _open(self) -> None:
        self._realm = Realm(self._library, self._memory)
        self._realm.eval(self._library["handlebars.min.js"].decode())
        between = self._realm.eval(self._library["handlebars.js"].decode())
        made = between(self._realm.eval("Handlebars"), self._realm.eval("globalThis"))
        self._fault: Callable[[str], Any] = self._realm.eval("(made) => made.fault")(made)
        self._compiled: Callable[[str], _Runner] = self._realm.eval("(made) => made.runner")(made)
        self._kept: OrderedDict[bytes, _Runner] = OrderedDict()

    def _runner(self, source: bytes) -> _Runner:
        if source not in self._kept:
            self._kept[source] = self._compiled(source.decode())
            while sum(map(len, self._kept)) > _KEPT_BYTES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(source)
        return self._kept[source]

    def _refused(self, error: Exception) -> Answer:
        state, message = self._realm.fault(error)
        if state == TOO_LARGE:
            self._open()
        # The trace runs through the library and tells a template's author nothing.
        return state, message.split(b"\n    at ")[0]


if __name__ == "__main__":
    run(HandlebarsEngine)
