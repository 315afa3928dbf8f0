"""How a command is declared: its own parameters in its function, the common ones and the examples here."""

import functools
import inspect
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Concatenate, NamedTuple, ParamSpec, get_type_hints

import msgspec
import typer
from typer.models import ArgumentInfo

from gatepost.cli.client import Client, Target
from gatepost.cli.output import Output

P = ParamSpec("P")
Registered = Callable[..., None]

Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, to standard output.")]
Url = Annotated[
    str, typer.Option("--url", envvar="GATEPOST_URL", metavar="URL", help="Where gatepost listens.")
]
Token = Annotated[
    str,
    typer.Option(
        "--token", envvar="GATEPOST_TOKEN", metavar="TOKEN", help="Access token.", show_default=False
    ),
]
DataOfServer = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="GATEPOST_DATA",
        metavar="DIR",
        help="Data folder of a gatepost on this machine, whose administrator token is taken.",
    ),
]

_JSON = inspect.Parameter("json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json)
_CONNECTION = (
    inspect.Parameter("url", inspect.Parameter.KEYWORD_ONLY, default="http://127.0.0.1:8400", annotation=Url),
    inspect.Parameter("token", inspect.Parameter.KEYWORD_ONLY, default="", annotation=Token),
    inspect.Parameter("data", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=DataOfServer),
)


class ClockChoice(StrEnum):
    """Who moves the time of a program."""

    WALL = "wall"
    MANUAL = "manual"


class Session(NamedTuple):
    """What a command that talks to a server works with."""

    client: Client
    out: Output


def part(summary: str) -> typer.Typer:
    """Return a group of commands."""
    return typer.Typer(help=summary, no_args_is_help=True, rich_markup_mode="rich", add_completion=False)


def client_command(
    app: typer.Typer, name: str, *examples: str
) -> Callable[[Callable[Concatenate[Session, P], None]], Registered]:
    """Register a command that talks to a running gatepost; it gets a Session."""

    def register(function: Callable[Concatenate[Session, P], None]) -> Registered:
        call: Registered = function

        @functools.wraps(function)
        def run(*, url: str, token: str, data: Path | None, json: bool, **own: Any) -> None:
            with Client(Target.found(url, token, data)) as client:
                call(Session(client, Output(json=json)), **own)

        return _registered(app, name, run, examples, (*_CONNECTION, _JSON))

    return register


def local_command(
    app: typer.Typer, name: str, *examples: str
) -> Callable[[Callable[Concatenate[Output, P], None]], Registered]:
    """Register a command that needs no running gatepost; it gets an Output."""

    def register(function: Callable[Concatenate[Output, P], None]) -> Registered:
        call: Registered = function

        @functools.wraps(function)
        def run(*, json: bool, **own: Any) -> None:
            call(Output(json=json), **own)

        return _registered(app, name, run, examples, (_JSON,))

    return register


def _registered(
    app: typer.Typer,
    name: str,
    run: Registered,
    examples: tuple[str, ...],
    common: tuple[inspect.Parameter, ...],
) -> Registered:
    own = list(inspect.signature(run, eval_str=True).parameters.values())[1:]
    for parameter in own:
        _name_argument(parameter)
    bundles = {parameter.name: parameter.annotation for parameter in own if _is_bundle(parameter.annotation)}
    shown = [option for parameter in own for option in _options_of(parameter)]

    def called(**given: Any) -> None:
        for bundle, kind in bundles.items():
            given[bundle] = kind(**{field: given.pop(field) for field in kind.__struct_fields__})
        run(**given)

    # Typer reads a command's options from its signature.
    parameters = [*shown, *common]
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # every function takes one
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    called.__doc__ = run.__doc__
    lines = ["[bold]Examples[/]", *(f"$ {example}".replace("[", r"\[") for example in examples)]
    app.command(name, epilog="\n\n".join(lines))(called)
    return run


def _is_bundle(annotation: object) -> bool:
    """Tell whether a parameter stands for many options: a record whose fields are options."""
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)


def _name_argument(parameter: inspect.Parameter) -> None:
    """Give an argument without a placeholder its name in capitals; typer would show the name in the code."""
    for info in getattr(parameter.annotation, "__metadata__", ()):
        if isinstance(info, ArgumentInfo) and info.metavar is None:
            info.metavar = parameter.name.rstrip("_").upper()


def _options_of(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    if not _is_bundle(parameter.annotation):
        return [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
    hints = get_type_hints(parameter.annotation, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=hints[field.name],
            default=inspect.Parameter.empty if field.required else _default_of(field),
        )
        for field in msgspec.structs.fields(parameter.annotation)
    ]


def _default_of(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
