"""The helper program that renders Jsonnet."""

import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence

from _gojsonnet import evaluate_snippet

from gatepost.engines.frames import CONTEXT_PARTS, FAULT, MAX_MESSAGE, OK, Answer, run

# Two surroundings in which a source is parsed and analysed but never run. Whatever closes the one early
# breaks the other, so a source is accepted by both only if it stands by itself.
_ASIDE = ("if true then null else (\n{}\n)", "[null,\n{}\n][0]")


class JsonnetEngine:
    """The Jsonnet engine; it ends the process when memory runs out."""

    reserve = 0

    def __init__(self, library: Mapping[str, bytes], _memory: int) -> None:
        self._library = library
        self._natives = {
            "sha256": (("value",), _sha256),
            "sha1": (("value",), _sha1),
            "hmacSha256": (("message", "key"), _hmac_sha256),
        }
        self.render(b"null", [b"{}"] * CONTEXT_PARTS)

    def render(self, source: bytes, context: Sequence[bytes]) -> Answer:
        """Return what became of one render, and its output or the engine's message."""
        entity, job_config, auth_config = (part.decode("utf-8", "replace") for part in context)
        variables = {
            "ly_entity": entity,
            "ly_job_config": job_config,
            "ly_auth_config": auth_config,
            "ly_segment_association": "{}",
            "ly_event_stream": "",
        }
        return self._run(source.decode(), variables)

    def check(self, source: bytes) -> Answer:
        """Return whether a source parses, and the engine's message if not; the template does not run."""
        text = source.decode()
        if all(self._run(aside.format(text), {})[0] == OK for aside in _ASIDE):
            return OK, b""
        # The engine's words and positions come from the source alone, which fails before anything of it runs.
        state, message = self._run(text, {})
        refused = state == FAULT and not message.startswith(b"RUNTIME ERROR")
        return (FAULT, message) if refused else (OK, b"")

    def _run(self, source: str, variables: dict[str, str]) -> Answer:
        try:
            text: str = evaluate_snippet(
                "template",
                source,
                ext_vars=variables,
                import_callback=self._import,
                native_callbacks=self._natives,
            )
        except MemoryError:
            os.abort()
        except Exception as error:  # noqa: BLE001 - whatever the binding raises is this render's
            return FAULT, str(error).encode("utf-8", "replace")[:MAX_MESSAGE]
        return OK, text.encode("utf-8", "replace")

    def _import(self, _folder: str, name: str) -> tuple[str, bytes]:
        if name not in self._library:
            msg = f"import of {name!r} refused: a template may only import 'lytemplates.libsonnet'"
            raise RuntimeError(msg)
        return name, self._library[name]


def _sha256(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _sha1(value: str) -> str:
    return hashlib.sha1(value.encode(), usedforsecurity=False).hexdigest()


def _hmac_sha256(message: str, key: str) -> str:
    return hmac.new(key.encode(), message.encode(), "sha256").hexdigest()


if __name__ == "__main__":
    run(JsonnetEngine)
