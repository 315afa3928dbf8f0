"""Laws of what is said of templates: a case holds for its own body, and the lint survives any text."""

import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gatepost.core.templates.cases import outcome_of, read_case
from gatepost.core.templates.linting import MOST_FINDINGS, lint
from gatepost.model.schema import Field

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(
    [
        "local",
        "ly",
        "=",
        "import",
        "'lytemplates.libsonnet'",
        ";",
        "ly",
        ".",
        "get",
        "(",
        "'emial'",
        ",",
        "''",
        ")",
        "[",
        "0",
        "]",
        "{",
        "a",
        ":",
        "}",
        "if",
        "then",
        "else",
        "assert",
        "segEvents",
        "isEnter",
        "'enter'",
        "'exit'",
        "'segment_events'",
        "function",
        "x",
        "for",
        "in",
        "+",
        "==",
        "&&",
        "std",
        "9007199254740993",
        "$",
        "self",
        "error",
    ]
)


def shuffled(value: Any, chance: random.Random) -> Any:
    """Return the same value with the members of its objects in any order."""
    if isinstance(value, dict):
        members = list(value.items())
        chance.shuffle(members)
        return {key: shuffled(item, chance) for key, item in members}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


@given(VALUES, st.randoms(use_true_random=False))
def test_a_body_passes_its_own_case_in_any_order_of_members(value: Any, chance: random.Random) -> None:
    case = read_case("case", {"body": {"kept": value}})

    outcome = outcome_of(
        case, json.dumps({"kept": shuffled(value, chance)}, indent=chance.choice([None, 3])), ""
    )

    assert outcome.message == ""


@given(VALUES, VALUES)
def test_another_body_passes_only_when_it_is_the_same_json(one: Any, other: Any) -> None:
    case = read_case("case", {"body": {"kept": one}})

    outcome = outcome_of(case, json.dumps({"kept": other}), "")

    assert (outcome.message == "") is same(one, other)


def same(one: Any, other: Any) -> bool:
    """Compare as JSON does: numbers by value, and no truth value is one."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


@given(st.lists(WORDS, max_size=40))
def test_the_lint_has_an_answer_to_any_words(words: list[str]) -> None:
    source = " ".join(words)

    found = lint(source, [Field(name="email")], ["enter", "exit"])

    assert len(found) <= MOST_FINDINGS
    assert all(1 <= finding.column <= len(source) + 1 for finding in found)
