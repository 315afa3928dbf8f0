"""The standard library prints what the reference engine's prints, or leaves it to the engine."""

import random
from pathlib import Path

import pytest
import yaml
from _gojsonnet import evaluate_snippet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatepost.core.jsonnet.library import names
from gatepost.core.jsonnet.library.registry import BUILTINS
from tests.jsonnet import compiled, reference
from tests.jsonnet_calls import PROFILE, Caller

CASES = yaml.safe_load((Path(__file__).parents[3] / "cases/jsonnet/library.yaml").read_text())
COMPILED = [source for sources in CASES["compiled"].values() for source in sources]
FAMILIES = sorted({builtin.call.__module__.rpartition(".")[2] for builtin in BUILTINS.values()})
MISFITS = ("has no parameter", "issing argument")
OUR_MISTAKES = (NameError, AttributeError, UnboundLocalError)


@pytest.mark.parametrize("source", COMPILED)
def test_a_call_prints_what_the_engine_prints(source: str) -> None:
    outcome = compiled(source, {})

    assert outcome.text is not None, outcome.cause
    assert outcome.text == reference(source, {})


@pytest.mark.parametrize("source", CASES["engine"])
def test_a_call_that_fails_or_is_not_sure_is_left_to_the_engine(source: str) -> None:
    outcome = compiled(source, {})

    assert outcome.text is None
    assert not isinstance(outcome.cause, OUR_MISTAKES)


def test_every_function_has_a_case() -> None:
    assert "std" in names.RUNTIME

    assert set(BUILTINS) <= set(CASES["compiled"])


@pytest.mark.parametrize("name", BUILTINS)
def test_a_function_names_its_arguments_as_the_engine_does(name: str) -> None:
    builtin = BUILTINS[name]
    required = builtin.params[: len(builtin.params) - builtin.optional]
    given_by_name = ", ".join(f"{param}=null" for param in builtin.params)
    without_optional = ", ".join(f"{param}=null" for param in required)

    for arguments in (given_by_name, without_optional):
        assert not any(fault in _said(f"std.{name}({arguments})") for fault in MISFITS)


def test_an_argument_of_another_name_does_not_fit() -> None:
    assert any(fault in _said("std.isNull(v=1)") for fault in MISFITS)
    assert any(fault in _said("std.substr('a')") for fault in MISFITS)


def _said(source: str) -> str:
    try:
        evaluate_snippet("template", f"std.type({source})")
    except RuntimeError as error:
        return str(error).splitlines()[0]
    return ""


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**62))
def test_any_call_prints_the_same_on_both_or_is_left_to_the_engine(family: str, seed: int) -> None:
    source = Caller(random.Random(seed)).call(family)  # noqa: S311 - repeatable on purpose

    outcome = compiled(source, PROFILE)

    assert not isinstance(outcome.cause, OUR_MISTAKES), source
    assert outcome.text is None or outcome.text == reference(source, PROFILE), source


CALLS = (
    "'%s' % [X]",
    "std.format('%s', [X])",
    "std.manifestPython([X])",
    "std.prune([X])[0]",
    "std.deepJoin([[X]])",
)


@pytest.mark.parametrize("call", CALLS)
def test_no_calls_within_calls_succeed_that_are_too_deep_for_the_engine(call: str) -> None:
    source = "'a'"

    for _ in range(40):
        source = call.replace("X", f"({source})")
        outcome = compiled(source, {})

        assert outcome.text is None or outcome.text == reference(source, {}), source
