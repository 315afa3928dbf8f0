"""The helper program that renders JavaScript templates, each render in a realm of its own."""

import re
from collections.abc import Mapping, Sequence

from gatepost.engines.frames import CONTEXT_PARTS, FAULT, NO_TEMPLATE, OK, Answer, run
from gatepost.engines.realm import RESERVE, Realm, byte_position

# `template` is looked up at each call: it may be a function, a constant or missing. Only text leaves the realm.
_RUNNER = """(function ({ parse, stringify }) {
  return function gatepost(entity) {
    if (typeof template !== "function") return 0;
    const made = template(parse(entity));
    if (made instanceof Promise) throw new TypeError("template gave a promise; it must give the value itself");
    return stringify(made) ?? "null";
  };
})(JSON)"""
_VARIABLES = ("ly_job_config", "ly_auth_config")
_NOTHING = (b"", b"{}", b"null")
_MISSING = b'a JavaScript template has a "function template(data)"; this one has none'
# A source that does not parse is reported with a bare position; what runs already has a frame with a name.
_PLACE = re.compile(r"\n    at <input>:(\d+):(\d+)")
_FRAME = re.compile(r"\((?:<input>:\d+:\d+|native)\)")
_OUR_FRAME = re.compile(r"\n *at gatepost \(.*")


class Js1Engine:
    """QuickJS, with the functions Lytics documents for JavaScript templates."""

    reserve = RESERVE

    def __init__(self, library: Mapping[str, bytes], memory: int) -> None:
        self._library = library
        self._memory = memory
        self.render(b"function template() {}", [b"{}"] * CONTEXT_PARTS)

    def render(self, source: bytes, context: Sequence[bytes]) -> Answer:
        """Return the JSON of what `template` gave for the entity, or the exception and its trace."""
        entity, *configurations = context
        realm = Realm(self._library, self._memory)
        for name, text in zip(_VARIABLES, configurations, strict=True):
            # As documented: with nothing in it, a variable is not defined at all.
            if text.strip() not in _NOTHING:
                realm.define(name, text.decode("utf-8", "replace"))
        try:
            runner = realm.eval(_RUNNER)
            realm.eval(source.decode())
            made = runner(entity.decode("utf-8", "replace"))
        except Exception as error:  # noqa: BLE001 - whatever leaves the realm is this render's
            state, message = realm.fault(error)
            return state, _trace(message.decode()).encode()
        return (OK, made.encode()) if isinstance(made, str) else (NO_TEMPLATE, _MISSING)

    def check(self, source: bytes) -> Answer:
        """Return whether a source can be read and has a function `template`, which is not called."""
        realm = Realm(self._library, self._memory)
        for name in _VARIABLES:
            realm.define(name, "{}")
        state, message = _outcome(realm, source.decode())
        said = message.decode()
        if state == FAULT and said.startswith("RangeError") and not _FRAME.search(said):
            return FAULT, b"nested too deeply to be read"
        if state == FAULT and said.startswith("SyntaxError") and not _FRAME.search(said):
            return FAULT, _placed(realm, said, source.decode()).encode()
        if state not in {OK, FAULT}:
            return state, message
        # It may have stopped before its end, for want of a real configuration, with the function in place.
        if _outcome(realm, "if (typeof template !== 'function') throw 0")[0] == OK:
            return OK, b""
        return FAULT, _trace(said).encode() or _MISSING


def _outcome(realm: Realm, source: str) -> Answer:
    try:
        realm.eval(source)
    except Exception as error:  # noqa: BLE001 - whatever leaves the realm is the source's
        return realm.fault(error)
    return OK, b""


def _placed(realm: Realm, message: str, source: str) -> str:
    said = message.split("\n", maxsplit=1)[0]
    if place := _PLACE.search(message):
        return f"template:{place[1]}:{place[2]} {said}"
    # The engine does not say where, as with a regular expression: it is where the shortest beginning of the source
    # that is refused in these words ends. Inside a function that is never closed nothing runs.
    good, bad = 0, len(source)
    while bad - good > 1:
        middle = (good + bad) // 2
        if _outcome(realm, "(function () {" + source[:middle])[1].decode() == message:
            bad = middle
        else:
            good = middle
    before = source[:good].split("\n")
    return byte_position(source, len(before), len(before[-1].encode("utf-16-le")) // 2 + 1) + said


def _trace(message: str) -> str:
    return _OUR_FRAME.sub("", message).replace("<input>", "template")


if __name__ == "__main__":
    run(Js1Engine)
