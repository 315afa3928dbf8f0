from itertools import product
from pathlib import Path

import pytest
import yaml
from _gojsonnet import evaluate_snippet
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatepost.core.jsonnet.nodes import Apply, Index, Literal, Variable, walk
from gatepost.core.jsonnet.parser import parse
from gatepost.core.jsonnet.tokens import SyntaxFault

CASES = yaml.safe_load((Path(__file__).parents[3] / "cases/jsonnet/syntax.yaml").read_text())
WORDS = st.sampled_from(CASES["words"])


def _engine_reads(source: str) -> bool:
    # Inside a function that nobody calls a source is read and never run; names are bound, so that none is unknown.
    # What closes the one kind of bracket early breaks the other.
    for opening, closing in ("()", "[]"):
        try:
            evaluate_snippet("t", f"local a = 1; local x = 1; {{ f():: {opening}\n{source}\n{closing} }}")
        except RuntimeError:
            return False
    return True


def _parser_reads(source: str) -> bool:
    try:
        parse(source)
    except SyntaxFault:
        return False
    return True


@pytest.mark.parametrize("source", CASES["jsonnet"])
def test_what_is_jsonnet_is_read(source: str) -> None:
    assert parse(source)


@pytest.mark.parametrize("source", CASES["not"])
def test_what_is_not_jsonnet_is_refused_with_its_place(source: str) -> None:
    with pytest.raises(SyntaxFault) as refused:
        parse(source)

    assert 0 <= refused.value.at <= len(source)


@settings(max_examples=300)
@given(st.lists(WORDS, max_size=8).map(" ".join))
@example("a in super.a")
@example("a in super + a")
@example("a in super == a")
@example("a in super && a + a in super")
@example("[a for x in a in a]")
@example("a { } { } [1] (2)")
@example("- - a")
def test_parser_and_engine_agree_on_what_is_jsonnet(source: str) -> None:
    assert _parser_reads(source) == _engine_reads(source)


@pytest.mark.parametrize("form", ["1{}1", "{{ a{}1 }}", "{{ a: 1 }}{}a", "{{ f(p){}{{}} }}"])
@pytest.mark.parametrize("length", [1, 2, 3])
def test_no_run_of_signs_is_read_that_the_engine_refuses(form: str, length: int) -> None:
    runs = ["".join(signs) for signs in product("!$:+-&=</|", repeat=length)]

    read = [source for source in map(form.format, runs) if _parser_reads(source)]

    assert [source for source in read if not _engine_reads(source)] == []


def test_a_node_knows_where_it_stands() -> None:
    source = "local ly = 1;\nly.get('email')"

    (call,) = [node for node in walk(parse(source)) if isinstance(node, Apply)]

    assert isinstance(call.function, Index)
    assert call.function.target == Variable("ly", source.index("ly.get"))
    assert call.args == (Literal("email", source.index("'email'")),)
