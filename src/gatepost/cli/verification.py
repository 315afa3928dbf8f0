"""Shows the steps of a job's verification."""

import json
from typing import Any

from rich.text import Text

from gatepost.cli.output import Output

_TITLES = {"mapped": "mapped back"}
"""What people read instead of the names of some steps."""


def show_step(out: Output, step: dict[str, Any]) -> None:
    """Print one step: a mark, its sentence, and below it what it is about."""
    mark, style = ("✓", "green") if step["ok"] else ("✗", "red")
    title = _TITLES.get(step["name"], step["name"])
    out.show(Text.assemble((f"{mark} ", style), (f"{title}: ", "bold"), step["text"]))
    detail = step.get("detail") or {}
    if step["name"] == "render":
        for advice in detail.get("advice") or ():
            colour = "red" if advice["level"] == "error" else "yellow"
            out.show(Text.assemble("  ", (f"{advice['path'] or 'body'}: ", colour), advice["message"]))
    for text in filter(None, _texts(step["name"], detail)):
        out.show(Text("\n".join(f"    {line}" for line in text.splitlines()), style="dim"))


def warn_of_writing(out: Output, warning: dict[str, Any]) -> None:
    """Say what will be written at the destination, before it is."""
    detail = warning["detail"]
    known_by = ", ".join(f"{field} {value}" for field, value in detail["identifiers"].items())
    out.warn(f"{detail['address']} gets the profile {known_by} for good; remove it there when you are done.")


def _texts(name: str, detail: dict[str, Any]) -> list[str]:
    match name:
        case "render" | "answer":
            return [_pretty(str(detail.get("body") or ""))]
        case "request":
            return ["\n".join(detail.get("headers") or ())]
        case "mapped":
            fields = {**(detail.get("identifiers") or {}), **(detail.get("fields") or {})}
            return ["\n".join(f"{field} = {json.dumps(value)}" for field, value in fields.items())]
    return []


def _pretty(text: str) -> str:
    """Indent JSON; anything else stays as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
