"""Files a command is given by name; `-` is standard input."""

import json
import sys
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
