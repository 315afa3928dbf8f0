"""What a new template begins with: a text, and cases that hold for it."""

import json
from pathlib import Path
from typing import Any

from gatepost.cli.failure import CommandError
from gatepost.cli.templatecases import SUFFIX, ending_of, judged
from gatepost.core.templates.presets import PRESET_ENDINGS, PRESETS, preset, starter
from gatepost.model.catalog import TemplateType
from gatepost.operations.templatecases import read_cases
from gatepost.operations.templates import checked_type

_ADA = {"_id": "4f0b6f1e2d7a4c3d8e9f001122334455", "email": "ada@example.com", "first_name": "Ada"}
_STRANGER = {"_id": "77d0a1b2c3d4e5f60718293a4b5c6d7e"}
_PROFILES = {"somebody_known": _ADA, "somebody_unknown": _STRANGER}


def write_template(stem: Path, type_: str, preset_name: str) -> tuple[Path, Path]:
    """Write a template and the folder of its cases, and return both; raise CommandError rather than overwrite."""
    kind = checked_type(type_)
    source = _source(kind, preset_name)
    file, folder = stem.with_name(stem.name + ending_of(kind.value)), stem.with_name(stem.name + SUFFIX)
    for taken in (file, folder):
        if taken.exists():
            msg = f"{taken} is there already"
            raise CommandError(msg, hint="Choose another name, or remove it.")
    cases = _cases(kind.value, source, "exit" if "exit" in preset_name else "enter")
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, encoding="utf-8")
        folder.mkdir()
        for name, case in cases.items():
            text = json.dumps(case, indent=2, ensure_ascii=False)
            (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        msg = f"{error.filename} cannot be written: {error.strerror}"
        raise CommandError(msg) from None
    return file, folder


def _source(kind: TemplateType, preset_name: str) -> str:
    if not preset_name:
        return starter(kind.value)
    if preset_name not in PRESETS:
        msg = f"there is no preset {preset_name!r}"
        raise CommandError(msg, hint=f"There are: {', '.join(PRESETS)}")
    if kind not in PRESET_ENDINGS:
        msg = f"the presets are Jsonnet or JavaScript (js1), not {kind.value}"
        raise CommandError(msg, hint="Leave --type or --preset out.")
    return preset(preset_name, kind)


def _cases(type_: str, source: str, event: str) -> dict[str, Any]:
    """Return cases that expect what the template makes today of a few profiles."""
    asked: dict[str, Any] = {
        name: {"profile": profile, "event": event, "body": None} for name, profile in _PROFILES.items()
    }
    outcomes = judged(type_, source, read_cases(asked))
    for outcome in outcomes:
        case = asked[outcome.case]
        if outcome.body:
            case["body"] = json.loads(outcome.body)
        else:
            del case["body"]
            case["omitted"] = outcome.reason or True
    return asked
