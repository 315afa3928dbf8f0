"""What is said of a template beside what it prints: what is doubtful, and why it failed."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from gatepost.cli.client import Client, Refused
from gatepost.cli.failure import CommandError
from gatepost.cli.files import text_in
from gatepost.cli.output import Output
from gatepost.cli.templatecases import type_of
from gatepost.cli.templateversions import template_named, text_at
from gatepost.core.templates.slips import fault_in, hint_of

_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
"""What stands in JSON's quotation marks."""


class Subject(NamedTuple):
    """A template that is looked at: a file, or a saved one."""

    name: str
    source: str
    type: str


def subject_of(client: Client, template: str) -> Subject:
    """Return the template in a file, or the saved one of this name or id."""
    file = Path(template)
    if file.is_file():
        return Subject(file.stem, text_in(file), type_of(file))
    found = template_named(client, template)
    text = text_at(client, found, int(found["version"]))
    return Subject(str(found["name"]), text.text, text.type)


def findings_of(client: Client, subject: Subject, event: str = "") -> Sequence[dict[str, Any]]:
    """Return what the server finds doubtful in a template; raise Refused when it does not parse."""
    wish = {
        "template_definition": subject.source,
        "template_type": subject.type,
        "name": subject.name,
        "event": event,
    }
    found: list[dict[str, Any]] = client.post("/v2/template/lint", wish)
    return found


def brief_finding(finding: dict[str, Any]) -> str:
    """Return a finding on one line."""
    return f"line {finding['line']}, column {finding['column']}: {finding['message']}; {finding['right']}"


def failure_of(client: Client, out: Output, template: str, said: str) -> CommandError:
    """Return why a template failed: the place where it does not parse, or what the engine said and what is right."""
    subject = subject_of(client, template)
    try:
        _tell_errors(out, findings_of(client, subject))
    except Refused as error:
        return error
    return CommandError(said, hint=hint_of(fault_in(subject.type, subject.source, said)))


def tell_doubts(client: Client, out: Output, template: str, printed: str) -> None:
    """Warn of what a template printed without failing, and hardly meant."""
    subject = subject_of(client, template)
    for doubt in _doubts_in(printed, subject.type):
        out.warn(doubt)
    with suppress(Refused):
        _tell_errors(out, findings_of(client, subject))


def _tell_errors(out: Output, findings: Sequence[dict[str, Any]]) -> None:
    for finding in findings:
        if finding["level"] == "error":
            out.warn(brief_finding(finding))


def _doubts_in(printed: str, type_: str) -> list[str]:
    text = printed.strip()
    if type_ == "handlebars":
        return _json_doubts(text) if text[:1] in {"{", "["} else []
    missing = "undefined" if type_ == "js1" else "null"
    doubts = []
    if any(re.search(rf"\b{missing}\b", said) for said in _TEXT.findall(text)):
        get = "get('field', '', data)" if type_ == "js1" else "get('field', '')"
        doubts.append(f"a text says {missing}: a field has no value there; {get} gives another one")
    if found := re.search(r"\{\{[^{}]*\}\}", text):
        doubts.append(f"{found[0]} is Handlebars and is sent as it stands; its template ends in .hbs")
    return doubts


def _json_doubts(text: str) -> list[str]:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        right = "values are written {{json name}}, without quotation marks"
        return [f"this begins like JSON and is none: {where}; {right}"]
    except RecursionError:
        return ["this nests too deeply to be looked at"]
    return []
