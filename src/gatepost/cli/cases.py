"""Files of cases for filters: reading them, running them, saying which failed."""

import json
from pathlib import Path
from typing import Any

import msgspec

from gatepost.cli.failure import CommandError
from gatepost.cli.files import text_in
from gatepost.cli.output import Output
from gatepost.cli.yamltree import Tree
from gatepost.core.filterql.cases import Case, read_cases
from gatepost.core.filterql.trials import Trial, tried
from gatepost.model.errors import InvalidInput
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import to_rfc3339

_YAML = frozenset({".yaml", ".yml"})
_LONGEST_FILTER = 200


def cases_in(file: Path) -> list[Case]:
    """Return the cases of a JSON or YAML file; raise CommandError naming the entry that is not one."""
    text = text_in(file)
    document = _from_yaml(file, text) if file.suffix.lower() in _YAML else _from_json(file, text)
    try:
        return read_cases(document)
    except InvalidInput as error:
        msg = f"{file}: {error.message}"
        raise CommandError(msg) from None


def report(out: Output, cases: list[Case]) -> bool:
    """Run cases and print those that failed and a summary; return whether all passed."""
    trials = [tried(case) for case in cases]
    failed = [(index, trial) for index, trial in enumerate(trials) if not trial.passed]
    out.document(
        {
            "passed": len(trials) - len(failed),
            "failed": len(failed),
            "failures": [_failure(index, trial) for index, trial in failed],
        }
    )
    if failed:
        columns = (">case", "filter", "expected", "got", "next change expected", "next change", "message")
        out.table(columns, [_row(index, trial) for index, trial in failed], empty="")
    out.say(f"{len(trials) - len(failed):,} passed, {len(failed):,} failed")
    return not failed


def _failure(index: int, trial: Trial) -> dict[str, Any]:
    failure = {
        "index": index,
        "filter": trial.case.filter,
        "expected": trial.case.expected,
        "got": trial.got,
        "next_change": _shown(trial.next_change),
    }
    if trial.case.next_change is not msgspec.UNSET:
        failure["expected_next_change"] = _shown(trial.case.next_change)
    return {**failure, "message": trial.message} if trial.message else failure


def _row(index: int, trial: Trial) -> tuple[object, ...]:
    wanted = trial.case.next_change
    return (
        index,
        " ".join(trial.case.filter.split())[:_LONGEST_FILTER],
        json.dumps(trial.case.expected),
        json.dumps(trial.got),
        None if wanted is msgspec.UNSET else _shown(wanted) or "never",
        _shown(trial.next_change) or "never",
        trial.message,
    )


def _shown(instant: int | None) -> str | None:
    return None if instant is None else to_rfc3339(instant)


def _from_json(file: Path, text: str) -> JsonValue:
    try:
        document: JsonValue = json.loads(text)
    except json.JSONDecodeError as error:
        msg = f"{file}:{error.lineno}:{error.colno}: this is not JSON: {error.msg}"
        raise CommandError(msg, hint="A file of YAML ends with .yaml.") from None
    except RecursionError:
        msg = f"{file} nests too deeply"
        raise CommandError(msg) from None
    return document


def _from_yaml(file: Path, text: str) -> JsonValue:
    tree = Tree(file)
    tree.read(text)
    if tree.problems:
        raise CommandError(str(tree.problems[0]))
    value: JsonValue = tree.value
    return value
