"""`gatepost template new | test`: writing a template, with nothing sent."""

from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import msgspec
import typer

from gatepost.cli.client import Client, Refused, path_of
from gatepost.cli.command import Session, client_command, local_command, part
from gatepost.cli.failure import CommandError
from gatepost.cli.files import json_in, text_in
from gatepost.cli.findings import failure_of, tell_doubts
from gatepost.cli.naming import stored_profile
from gatepost.cli.output import Output
from gatepost.cli.outputcheck import OutputCheck, output_check, refuses, show_advice, told_advice
from gatepost.cli.starting import write_template
from gatepost.cli.templatecases import TEMPLATE_ENDINGS, case_files, run_folder, template_beside, type_of
from gatepost.cli.templateversions import template_named, text_at
from gatepost.cli.watching import again_on_save

app = part("Write and try templates.")

_ERROR = "evaluating snippet: "
"""How the printed text of a template that failed begins."""


class Event(StrEnum):
    """The trigger a template is tried on."""

    ENTER = "enter"
    EXIT = "exit"
    CHANGE = "change"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What a template is tried on, and against what."""

    entity: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON object to use as the profile; - reads standard input."),
    ] = None
    profile: Annotated[
        str, typer.Option(metavar="FIELD=VALUE", help="A stored profile, such as email=ana@example.com.")
    ] = ""
    event: Annotated[Event, typer.Option(help="The trigger to show it, where the profile has none.")] = (
        Event.ENTER
    )
    audience: Annotated[
        str, typer.Option(metavar="SLUG", help="The audience of that trigger; test_segment unless told.")
    ] = ""
    job_config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON object to use as the job's configuration.")
    ] = None
    provider: Annotated[
        str, typer.Option(metavar="NAME", help="Let this provider, such as insider, look over the body.")
    ] = ""
    to: Annotated[
        str, typer.Option(metavar="URL", help="Where the body would go, if not to the provider's own URL.")
    ] = ""
    cases: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Run the cases of a folder instead; the template is beside it."),
    ] = None
    watch: Annotated[bool, typer.Option("--watch", help="Again on every save, until Ctrl-C.")] = False


@local_command(
    app,
    "new",
    "gatepost template new welcome",
    "gatepost template new insider_enter --preset insider_enter",
    "gatepost template new insider_exit --preset insider_exit --type js1",
)
def new(
    out: Output,
    name: Annotated[str, typer.Argument(help="Its name; the file is called after it.")],
    preset: Annotated[
        str, typer.Option(help="Begin with insider_enter, insider_exit or insider_exit_event.")
    ] = "",
    type_: Annotated[str, typer.Option("--type", help="Its language.")] = "jsonnet",
    folder: Annotated[Path, typer.Option("--in", metavar="DIR", help="Where to write it.")] = Path(),
) -> None:
    """Write a template to begin with, and its cases; no server is asked."""
    file, cases = write_template(folder / name, type_, preset)
    out.document({"template": str(file), "cases": str(cases)})
    out.say(f"wrote {file} and its cases in {cases}; now: gatepost template test {quote(str(file))} --watch")


@client_command(
    app,
    "test",
    "gatepost template test insider_enter --profile household_id=hh-900",
    "gatepost template test insider_exit.jsonnet --entity person.json --event exit --provider insider",
    "gatepost template test insider_enter.jsonnet --watch",
    "gatepost template test --cases insider_enter.cases",
)
def try_(
    session: Session,
    trial: Trial,
    template: Annotated[
        str, typer.Argument(help="A file, or a saved template by name or id.", show_default=False)
    ] = "",
) -> None:
    """Print what a template makes of a profile; nothing is sent. Without a profile one is made up.

    With --cases a folder of cases is run instead, without a server for a template in a file.

    Exits with 1 when the template or a case fails, or the provider would refuse the body.
    """
    client, out = session
    wanted = _wanted(template, trial)
    check = output_check(trial.provider, trial.to)

    def once() -> None:
        if trial.cases is None:
            _try(client, out, wanted, trial, check)
        elif Path(wanted).is_file():
            run_folder(out, (type_of(Path(wanted)), text_in(Path(wanted))), trial.cases, check)
        else:
            found = template_named(client, wanted)
            text = text_at(client, found, int(found["version"]))
            run_folder(out, (text.type, text.text), trial.cases, check)

    if trial.watch:
        again_on_save(out, lambda: _files(wanted, trial), once)
    else:
        once()


def _wanted(template: str, trial: Trial) -> str:
    if trial.entity and trial.profile:
        msg = "give either --entity or --profile"
        raise CommandError(msg)
    if not template and trial.cases is None:
        msg = "say which template: a file, or a saved one by name or id"
        raise CommandError(msg)
    if Path(template).suffix in TEMPLATE_ENDINGS and not Path(template).is_file():
        msg = f"there is no file {template}"
        raise CommandError(
            msg, hint="A saved template is named without an ending; `gatepost template new` writes a file."
        )
    return template or str(template_beside(trial.cases or Path()))


def _files(wanted: str, trial: Trial) -> list[Path]:
    """Return what decides the outcome and may be saved again."""
    named = (Path(wanted), trial.entity, trial.job_config)
    files = [file for file in named if file is not None and file.is_file()]
    return files + (case_files(trial.cases) if trial.cases and trial.cases.is_dir() else [])


def _try(client: Client, out: Output, wanted: str, trial: Trial, check: OutputCheck | None) -> None:
    answer = _answer(client, wanted, _body(client, trial))
    printed, failed = str(answer["data"]), "failed" in answer
    advice = [] if check is None or failed else check.advice(printed, trial.event.value)
    document: dict[str, Any] = {"ok": not failed and not refuses(advice), "output": printed}
    out.document(document if check is None else {**document, "advice": told_advice(advice)})
    if failed:
        failure = failure_of(client, out, wanted, printed.removeprefix(_ERROR).strip())
        if not (trial.profile or trial.entity or isinstance(failure, Refused)):
            out.warn("the profile is made up from your schema; --profile or --entity gives another")
        raise failure
    if not out.json:
        typer.echo(printed, nl=not printed.endswith("\n"))
        if printed.strip() in {"", "null"}:
            out.warn(f"nothing would be sent: the template gave {printed.strip() or 'nothing'}")
    tell_doubts(client, out, wanted, printed)
    show_advice(out, advice)
    if refuses(advice):
        raise typer.Exit(1)


def _body(client: Client, trial: Trial) -> dict[str, Any]:
    body: dict[str, Any] = {"event": trial.event.value, "audience": trial.audience}
    if trial.entity:
        body["entity"] = json_in(trial.entity)
    elif trial.profile:
        body["entity"] = stored_profile(client, trial.profile)
    if trial.job_config:
        body["job_config"] = json_in(trial.job_config)
    return body


def _answer(client: Client, wanted: str, body: dict[str, Any]) -> dict[str, Any]:
    file = Path(wanted)
    if file.is_file():
        given = {"template_definition": text_in(file), "template_type": type_of(file)}
        return client.call("POST", "/v2/template/test", json={**body, **given})
    found = template_named(client, wanted)
    return client.call("POST", path_of("v2", "template", found["id"], "test"), json=body)
