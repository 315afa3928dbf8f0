"""Digests of texts: the standard library's, and those the engine gets from outside by `std.native`."""

import hashlib
import hmac
from collections.abc import Callable

from gatepost.core.jsonnet.library.arguments import read
from gatepost.core.jsonnet.library.registry import standard
from gatepost.core.jsonnet.values import Function, Value, as_text, force


def _native(*names: str) -> Callable[[Callable[..., str]], Function]:
    def make(call: Callable[..., str]) -> Function:
        return Function(
            lambda *args: call(*(read(force(arg)).encode() for arg in args)), names, (False,) * len(names)
        )

    return make


@_native("value")
def _sha256(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


@_native("value")
def _sha1(value: bytes) -> str:
    return hashlib.sha1(value, usedforsecurity=False).hexdigest()


@_native("message", "key")
def _hmac_sha256(message: bytes, key: bytes) -> str:
    return hmac.new(key, message, "sha256").hexdigest()


def _digest(name: str) -> Callable[[Value], str]:
    def digest(s: Value) -> str:
        return hashlib.new(name, read(s).encode(), usedforsecurity=False).hexdigest()

    return digest


for _name, _algorithm in {
    "md5": "md5",
    "sha1": "sha1",
    "sha256": "sha256",
    "sha512": "sha512",
    "sha3": "sha3_512",
}.items():
    standard("s", gives="text", name=_name)(_digest(_algorithm))

_NATIVES = {"sha256": _sha256, "sha1": _sha1, "hmacSha256": _hmac_sha256}


@standard("x")
def native(x: Value) -> Value:
    """A function given from outside."""
    return _NATIVES[as_text(x)]
