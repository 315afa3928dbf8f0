"""Files a command is given by name; `-` is standard input."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gatepost.cli.failure import CommandError


def text_in(file: Path) -> str:
    """Return the text of a file; raise CommandError when it cannot be read."""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise CommandError(msg) from None
    except UnicodeDecodeError as error:
        msg = f"{file} is not UTF-8, see byte {error.start}"
        raise CommandError(msg) from None


def write_private(file: Path, pieces: Iterable[bytes]) -> int:
    """Write a file that only its owner may read; return how many bytes. Raise CommandError when it cannot be."""
    written = 0
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(handle, 0o600)
        with os.fdopen(handle, "wb") as target:
            for piece in pieces:
                written += target.write(piece)
    except OSError as error:
        msg = f"{file} cannot be written: {error.strerror}"
        raise CommandError(msg) from None
    return written


def json_in(file: Path) -> dict[str, Any]:
    """Return the JSON object in a file; raise CommandError when there is none."""
    try:
        value = json.loads(text_in(file))
    except json.JSONDecodeError as error:
        msg = f"{file}:{error.lineno}:{error.colno}: this is not JSON: {error.msg}"
        raise CommandError(msg) from None
    if not isinstance(value, dict):
        msg = f"{file} holds no JSON object"
        raise CommandError(msg, hint='Write members in braces, such as {"email": "ana@example.com"}.')
    return value
