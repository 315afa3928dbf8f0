"""Folders of cases beside templates: reading them, running them, saying which failed."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import typer
from rich.text import Text

from gatepost.cli.failure import CommandError
from gatepost.cli.files import text_in
from gatepost.cli.output import Output
from gatepost.cli.outputcheck import OutputCheck, refuses
from gatepost.cli.textdiff import show_diff
from gatepost.cli.yamltree import Tree
from gatepost.core.templates.cases import Outcome, TemplateCase
from gatepost.model.errors import InvalidInput
from gatepost.operations.templatecases import read_cases, run_cases
from gatepost.rendering import HelperRenderer

SUFFIX = ".cases"
"""What the folder beside `insider_enter.jsonnet` ends in: `insider_enter.cases`."""

_FILES = (".json", ".yaml", ".yml")
_TYPES = {
    ".jsonnet": "jsonnet",
    ".libsonnet": "jsonnet",
    ".js": "js1",
    ".hbs": "handlebars",
    ".handlebars": "handlebars",
}
TEMPLATE_ENDINGS = frozenset(_TYPES)
"""How the names of template files end."""


class Written(NamedTuple):
    """A case as its file has it; a file with a list holds several, named by their places in it."""

    name: str
    file: Path
    document: Any


def type_of(file: Path) -> str:
    """Return the language of a template by the end of its file's name; Jsonnet when that says nothing."""
    return _TYPES.get(file.suffix.lower(), "jsonnet")


def ending_of(type_: str) -> str:
    """Return how files of a language end."""
    return next(ending for ending, known in _TYPES.items() if known == type_)


def folder_beside(template: Path) -> Path:
    """Return where the cases of a template lie."""
    return template.with_suffix(SUFFIX)


def template_beside(folder: Path) -> Path:
    """Return the template whose cases lie in a folder; raise CommandError when there is none."""
    found = [file for suffix in _TYPES if (file := folder.with_suffix(suffix)).is_file()]
    if not found:
        msg = f"there is no template beside {folder}"
        raise CommandError(msg, hint="Name its file: gatepost template test FILE --cases DIR")
    return found[0]


def case_files(folder: Path) -> list[Path]:
    """Return the files of a folder that hold cases; raise CommandError when it is no folder."""
    if not folder.is_dir():
        msg = f"{folder} is no folder of cases"
        raise CommandError(msg, hint="`gatepost template new` writes one to begin with.")
    return sorted(file for file in folder.iterdir() if file.suffix in _FILES and file.is_file())


def written_in(folder: Path) -> list[Written]:
    """Return the cases of a folder as they are written; raise CommandError naming the file that is not one."""
    found = []
    for file in case_files(folder):
        value = _document(file)
        if isinstance(value, list):
            found += [Written(f"{file.stem}[{place}]", file, item) for place, item in enumerate(value)]
        else:
            found.append(Written(file.stem, file, value))
    return found


def cases_in(folder: Path) -> list[TemplateCase]:
    """Return the cases of a folder."""
    try:
        return read_cases({one.name: one.document for one in written_in(folder)})
    except InvalidInput as error:
        msg = f"{folder}: {error.message}"
        raise CommandError(msg) from None


def judged(type_: str, source: str, cases: Sequence[TemplateCase]) -> list[Outcome]:
    """Run cases with an engine of this process's own; no server is asked."""

    async def run() -> list[Outcome]:
        async with HelperRenderer() as renderer:
            return await run_cases(renderer, type_, source, cases)

    return asyncio.run(run())


def report(out: Output, judged: Sequence[Outcome]) -> bool:
    """Print the cases that failed and a summary; return whether all passed."""
    failed = [outcome for outcome in judged if outcome.message]
    passed = len(judged) - len(failed)
    for outcome in failed:
        out.show(Text.assemble(("✗ ", "red"), (outcome.case, "bold"), f": {outcome.message}"))
        show_diff(out, outcome.diff)
    out.document(
        {
            "passed": passed,
            "failed": len(failed),
            "failures": [
                {"case": outcome.case, "message": outcome.message, "diff": outcome.diff} for outcome in failed
            ],
        }
    )
    out.say(f"{passed:,} passed, {len(failed):,} failed")
    return not failed


def run_folder(out: Output, template: tuple[str, str], folder: Path, check: OutputCheck | None) -> None:
    """Run the cases of a folder on a template, its language and text; exit with 1 when one fails."""
    cases = cases_in(folder)
    if not cases:
        out.warn(f"{folder} holds no cases")
    outcomes = judged(*template, cases)
    if check is not None:
        pairs = zip(cases, outcomes, strict=True)
        outcomes = [_looked_over(case, outcome, check) for case, outcome in pairs]
    if not report(out, outcomes):
        raise typer.Exit(1)


def _looked_over(case: TemplateCase, outcome: Outcome, check: OutputCheck) -> Outcome:
    """Let a case fail whose body its destination would refuse."""
    advice = check.advice(outcome.body, case.event) if outcome.body and not outcome.message else []
    if not refuses(advice):
        return outcome
    said = "\n".join(f"{one.path or 'body'}: {one.message}" for one in advice)
    return Outcome(outcome.case, f"{check.provider.name} would not take the body: {said}")


def _document(file: Path) -> Any:
    text = text_in(file)
    if file.suffix == ".json":
        try:
            return json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            where = f":{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else ""
            msg = f"{file}{where}: this is not JSON: {getattr(error, 'msg', 'it nests too deeply')}"
            raise CommandError(msg) from None
    tree = Tree(file)
    tree.read(text)
    if tree.problems:
        raise CommandError(str(tree.problems[0]))
    return tree.value
