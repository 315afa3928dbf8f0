"""Writes `docs/reference/` from the program itself: settings, commands, routes and rule functions.

`python tools/reference.py` writes the pages; `--check` only names those that are not what it would write.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import orjson
from typer.main import get_command

from gatepost import settings
from gatepost.app import App
from gatepost.cli.main import app as command_line
from gatepost.core.filterql import functions
from gatepost.core.filterql.functions import Function
from gatepost.model.times import DAY, HOUR, MINUTE, SECOND, Milliseconds
from gatepost.settings import PREFIX, Settings
from gatepost.web.access import needed_scope
from gatepost.web.application import create_application

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
_WRITTEN = "<!-- Written by `make docs`; change the program, not this page. -->"
_FAMILIES = {
    "logic": "Logic and comparison",
    "texts": "Text",
    "numbers": "Numbers",
    "times": "Time",
    "buckets": "Counts by day",
    "windows": "Windows",
    "collections": "Lists and maps",
    "web": "Addresses and the web",
    "agents": "User agents",
    "hashes": "Hashes",
    "foreign": "Patterns, JSON and phone numbers",
}
_CHANGES = {
    "hour": "changes by itself every hour",
    "day": "changes by itself every day",
    "month": "changes by itself every month",
    "always": "changes all the time, so an audience may only compare it with a date",
}
_WINDOWS_TOLD = (
    "For filters only. `count(event, length, [condition])` and `sum(field, length, [condition])` are of this "
    'kind too. An event is the name of a stream or event in quotes, a length is written like `"15m"`. A field is '
    'one of the profile or, written `"event.sku"`, one of the event itself. A condition is on the event\'s own fields.'
)
_EVERYWHERE = ("--json", "--help")
_COMMON = ("--url", "--token", "--data", *_EVERYWHERE)
"""Options of nearly every command; told once."""
_UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s"))


def pages() -> dict[str, str]:
    """Return every reference page by file name."""
    return {
        "settings.md": settings_page(),
        "cli.md": commands_page(),
        "routes.md": routes_page(openapi()),
        "functions.md": functions_page(),
    }


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with `--check` say which of them are stale."""
    checking = "--check" in arguments
    written = pages()
    stale = [name for name, text in written.items() if _held(name) != text]
    for name in stale:
        if not checking:
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / name).write_text(written[name], encoding="utf-8")
        print(f"docs/reference/{name} {'is stale; run `make docs`' if checking else 'written'}")
    return 1 if checking and stale else 0


def _held(name: str) -> str:
    path = FOLDER / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _page(title: str, introduction: str, parts: Iterable[str]) -> str:
    return "\n\n".join([f"# {title}", _WRITTEN, introduction, *parts]) + "\n"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").strip()


# Settings


def settings_page() -> str:
    """Return the page of settings, in the order of the source, with what it says of each."""
    explained = dict(_explained(Settings))
    fields = msgspec.structs.fields(Settings)
    rows = [
        (f"`{PREFIX}{field.name.upper()}`", _default_of(field), _option_of(field.name), explained[field.name])
        for field in fields
    ]
    introduction = (
        "Read once, when `gatepost up` starts: from the environment, overruled by the command line. "
        "Durations are written like `90s`, `12h` or `8d`, sizes in bytes."
    )
    return _page("Settings", introduction, [_table(("variable", "default", "option", "what it is"), rows)])


def _explained(record: type) -> Iterator[tuple[str, str]]:
    """Yield the name of every field with the text under it."""
    body = ast.parse(inspect.getsource(record)).body[0]
    assert isinstance(body, ast.ClassDef)
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            said = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            yield field.target.id, str(text.value.value) if said else ""  # type: ignore[attr-defined] # `said` looked


def _default_of(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "`gatepost-data`"
    value = field.default
    if value in ("", ()):
        return "none"
    if field.name in settings._DURATIONS:  # noqa: SLF001 - only there it is said which numbers are durations
        value = _duration(value)
    elif isinstance(value, tuple):
        value = ",".join(map(_duration, value))
    return f"`{value}`"


def _duration(value: Milliseconds) -> str:
    size, unit = next(unit for unit in _UNITS if value % unit[0] == 0)
    return f"{value // size}{unit}"


def _option_of(name: str) -> str:
    option = f"--{name.removesuffix('s').replace('_', '-')}" if name == "allow_hosts" else f"--{name}"
    known = {spelling for parameter in _command("up").params for spelling in parameter.opts}
    return f"`{option}`" if option in known else ""


# Commands


def commands_page() -> str:
    """Return the page of commands, as `--help` has them."""
    group: Any = get_command(command_line)
    parts = [
        text
        for name in group.list_commands(_context(group))
        for text in _told(f"gatepost {name}", _command(name))
    ]
    introduction = (
        "Commands other than `up`, `sandbox` and `demo` talk to a running gatepost. They share these options, "
        "and exit with 0 when done, 1 when something failed, 2 when called wrongly and 130 on Ctrl-C."
    )
    shared = _table(("option", "variable", "what it is"), _shared_options())
    return _page("Commands", introduction, [shared, *parts])


def _context(command: Any) -> Any:
    return command.make_context(command.name or "gatepost", [], resilient_parsing=True)


def _command(name: str) -> Any:
    """Return a command of the first level; it is loaded when resolved."""
    group: Any = get_command(command_line)
    _, command, _ = group.resolve_command(_context(group), [name])
    return command


def _told(spelling: str, command: Any) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield f"## {spelling}\n\n{_prose(command.help)}"
        yield from _parameters(command)
        if examples := re.findall(r"^\$ (.*)$", (command.epilog or "").replace("\\[", "["), re.MULTILINE):
            yield "```sh\n" + "\n".join(examples) + "\n```"
        return
    for name in command.list_commands(_context(command)):
        yield from _told(f"{spelling} {name}", inner[name])


def _parameters(command: Any) -> Iterator[str]:
    spellings = {spelling for parameter in command.params for spelling in parameter.opts}
    # Programs have a --data of their own.
    told = set(_COMMON if "--url" in spellings else _EVERYWHERE)
    rows = [(_spelling(p), _given(p), _prose(p.help or "")) for p in command.params if not told & set(p.opts)]
    if rows:
        yield _table(("argument or option", "default", "what it is"), rows)


def _spelling(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar or parameter.display_name_raw.upper().rstrip('_')}`"
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    if parameter.is_flag:
        return f"`{names}`"
    shown = parameter.display_type(_context(_command("up"))).strip("<>")
    value = shown if "|" in shown else shown.split(" ")[0].upper()
    return f"`{names} {parameter.metavar or value}`"


def _given(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = getattr(parameter.default, "value", parameter.default)
    return f"`{default}`" if default not in (None, False, "", [], ()) else ""


def _shared_options() -> Iterator[tuple[str, str, str]]:
    parameters = {spelling: p for p in _command("collect").params for spelling in p.opts}
    for name in _COMMON:
        if name != "--help":
            parameter = parameters[name]
            yield (
                _spelling(parameter),
                f"`{parameter.envvar}`" if parameter.envvar else "",
                _prose(parameter.help),
            )


def _prose(text: str) -> str:
    """Return a help text without the markup of the terminal."""
    return inspect.cleandoc(re.sub(r"\[/?(?:bold)?\]", "", text).replace("\\[", "["))


# Routes


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of a gatepost that is never started."""
    with tempfile.TemporaryDirectory() as folder:
        app = App(Settings(data=Path(folder) / "data"))
        try:
            return create_application(app).openapi()
        finally:
            asyncio.run(app.stop())


def routes_page(document: Mapping[str, Any]) -> str:
    """Return the page of routes, by their tags."""
    by_tag: dict[str, list[tuple[str, str, str]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(_route(path, method.upper(), operation))
    introduction = (
        "`GET /openapi.json` of a running gatepost says the same with an example of every body and answer. "
        "Send the token in the `Authorization` header, raw or after `Bearer `, or as `?key=`. A token needs at "
        "least the scope named here: `data` may send events, `read` may also look, `admin` may do everything. "
        'Answers come as `{"data": ..., "status": 200, "message": "success"}`; errors name what is wrong, '
        "where, and what would be right, and carry a `Request-Id`."
    )
    parts = [
        f"## {tag.capitalize()}\n\n{_table(('route', 'scope', 'what it does'), rows)}"
        for tag, rows in by_tag.items()
    ]
    return _page("Routes", introduction, parts)


def _route(path: str, method: str, operation: Mapping[str, Any]) -> tuple[str, str, str]:
    shown = re.sub(r"{(\w+?)_?}", r"{\1}", path)
    scope = needed_scope(method, path).value if operation.get("security") else "none"
    query = [f"`{p['name']}`" for p in operation.get("parameters", ()) if p["in"] == "query"]
    told = (
        operation["description"]
        if operation["tags"] != ["collect"]
        else f"{operation['summary']}. {operation['description']}"
    )
    return f"`{method} {shown}`", scope, told + (f" Query: {', '.join(query)}." if query else "")


# Functions


def functions_page() -> str:
    """Return the page of rule functions, with their examples, which run as tests."""
    parts = []
    for module, title in _FAMILIES.items():
        known: Sequence[Function] = getattr(functions, module).FUNCTIONS
        rows = [(_signature(function), _meaning(function), _examples(function)) for function in known]
        told = f"{_WINDOWS_TOLD} {_history()}\n\n" if module == "windows" else ""
        parts.append(f"## {title}\n\n{told}{_table(('function', 'gives', 'examples'), rows)}")
    introduction = (
        "For audience rules and for the expressions and conditions of mappings. `and(...)`, "
        "`or(...)`, `not(...)` and `exists(field)` belong to the language itself. Square brackets mark what may "
        "be left out, dots what may repeat. A function that cannot make sense of its arguments has no value, "
        "written `null` here. How rules become answers is told in "
        "[FilterQL](../explanation/filterql.md)."
    )
    return _page("Functions", introduction, parts)


def _history() -> str:
    events = (f"{ago} ago `{orjson.dumps(body).decode()}`" for ago, body in functions.windows.HISTORY)
    return f"The examples ask about somebody who sent: {', '.join(events)}."


def _signature(function: Function) -> str:
    if function.shape:
        return f"`{function.name}({function.shape})`"
    words: list[str] = [*function.params]
    if function.rest:
        words[-1] = f"{words[-1]} ..."
    needed, optional = words[: function.least], words[function.least :]
    inside = ", ".join(needed) + "".join(f"{', ' if needed else ''}[{word}]" for word in optional)
    also = f" or {', '.join(f'`{alias}`' for alias in function.aliases)}" if function.aliases else ""
    return f"`{function.name}({inside})`{also}"


def _meaning(function: Function) -> str:
    return f"{function.summary} It {_CHANGES[function.changes]}." if function.changes else function.summary


def _examples(function: Function) -> str:
    return "<br>".join(f"`{call}` is `{orjson.dumps(value).decode()}`" for call, value in function.examples)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
