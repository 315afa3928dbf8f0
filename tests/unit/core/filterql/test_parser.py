import pytest

from gatepost.core.filterql import (
    from_ast,
    parse_filter,
    parse_statements,
    print_filter,
    to_ast,
    unknown_fields,
)
from gatepost.model.errors import FilterError
from gatepost.model.jsonvalue import JsonValue
from tests.unit.core.filterql._compiled import compiled

NESTINGS = {
    "lists": ("AND (a = 1, ", ")"),
    "alternating lists": ("OR (a = 1, AND (b = 2, ", "))"),
    "negated lists": ("NOT AND (a = 1, ", ")"),
    "groups": ("(", ")"),
    "functions": ("tolower(", ")"),
    "comparing functions": ("eq(a, ", ")"),
    "square brackets": ("[1, ", "]"),
    "minus signs": ("- ", ""),
    "negations": ("NOT ", ""),
    "sums": ("1 + ", ""),
}


def nested(shape: str, levels: int) -> str:
    start, end = NESTINGS[shape]
    return f"FILTER {start * levels}a{end * levels}"


@pytest.mark.parametrize(
    ("shape", "levels"), [*((shape, 95) for shape in NESTINGS), ("lists", 198), ("comparing functions", 150)]
)
def test_deep_nesting_goes_all_the_way_through(shape: str, levels: int) -> None:
    node = parse_filter(nested(shape, levels)).filter

    printed = print_filter(from_ast(to_ast(node)))

    assert printed == print_filter(node)
    assert not compiled(printed, {}).evaluate({"a": "x"}, {}, 0).next_change


@pytest.mark.parametrize("shape", [shape for shape in NESTINGS if shape != "negations"])
@pytest.mark.parametrize("levels", [201, 4_000])
def test_nesting_without_end_is_refused_in_words(shape: str, levels: int) -> None:
    with pytest.raises(FilterError, match=r"deeper than 200 levels|longer than 64 KiB"):
        parse_filter(nested(shape, levels))


def test_a_list_may_hold_a_thousand_phrases_and_thousands_of_values() -> None:
    phrases = "FILTER OR (" + ", ".join(f"a = {number}" for number in range(1_000)) + ")"
    values = "FILTER a IN (" + ", ".join(map(str, range(4_000))) + ")"

    assert compiled(phrases, {"a": "int"}).evaluate({"a": 999}, {}, 0).matches
    assert compiled(values, {"a": "int"}).evaluate({"a": 3_999}, {}, 0).matches


def test_a_long_filter_is_refused() -> None:
    with pytest.raises(FilterError, match="longer than 64 KiB"):
        parse_filter(f'FILTER a = "{"x" * 65_536}"')


def test_an_error_shows_the_line_with_a_caret() -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter("FILTER AND (\n  a = 1\n  b >\n)")

    assert caught.value.excerpt == ")\n^"


def test_an_error_in_a_very_long_line_shows_the_part_that_matters() -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(f"FILTER AND ({'a = 1, ' * 500} b >> 2)")

    shown, caret = caught.value.excerpt.split("\n")
    assert len(shown) <= 120
    assert shown[len(caret) - 1] == ">"


def test_several_statements_keep_their_clauses_and_comments() -> None:
    text = """
    -- people of Lisbon
    FILTER city = "Lisbon" ALIAS Lisbon;
    FILTER * FROM content LIMIT 10;
    """

    first, second = parse_statements(text)

    assert (first.alias, first.description, first.table) == ("lisbon", "people of Lisbon", "user")
    assert (second.table, second.limit, second.description) == ("content", 10, "")


def test_no_statement_at_all_is_an_empty_list() -> None:
    assert parse_statements(" ;; ") == ()


def test_a_misspelt_field_is_found_with_the_nearest_known_one() -> None:
    node = parse_filter(
        'FILTER AND (\n  visit > 5\n  hits.home > 1\n  count("visit", "7d") > 1\n  zzz = 1\n)'
    ).filter

    unknown = unknown_fields(node, ["visits", "hits", "city"])

    assert unknown == [("visit", "visits", 2, 3), ("zzz", None, 5, 3)]


def test_the_tree_as_json_uses_the_documented_leaves() -> None:
    node = parse_filter('FILTER AND (NOT a = "x", INCLUDE vip, b IN (1, 2), *, len(c) > 0)').filter

    assert to_ast(node) == {
        "op": "and",
        "args": [
            {"op": "not", "args": [{"op": "=", "args": [{"ident": "a"}, {"val": "x"}]}]},
            {"seg": "vip"},
            {"op": "in", "args": [{"ident": "b"}, {"list": [{"val": 1}, {"val": 2}]}]},
            {"ident": "*"},
            {"op": ">", "args": [{"func": "len", "args": [{"ident": "c"}]}, {"val": 0}]},
        ],
    }
    assert from_ast(to_ast(node)) == from_ast(to_ast(from_ast(to_ast(node))))


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ({"op": "IN", "args": [{"ident": "a"}, {"args": [{"val": "x"}]}]}, 'a IN ("x")'),
        ({"op": "include", "args": [{"ident": "vip"}]}, "INCLUDE vip"),
        ({"op": "include", "args": [{"val": "0dd1"}]}, "INCLUDE 0dd1"),
        (
            {"op": "NOT", "args": [{"op": "like", "args": [{"ident": "a.b"}, {"val": "c*"}]}]},
            'a.b NOT LIKE "c*"',
        ),
        ({"op": "tolower", "args": [{"ident": "a"}]}, "tolower(a)"),
        ({"op": "&&", "args": [{"op": "==", "args": [{"ident": "a"}, {"val": True}]}]}, "a = true"),
    ],
)
def test_trees_of_other_writers_are_read_too(tree: dict[str, JsonValue], text: str) -> None:
    assert print_filter(from_ast(tree)) == text


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        ({"op": "include", "args": []}, "ast"),
        ({"op": "and", "args": [{"op": "=", "args": [{"ident": "a"}, {"value": 1}]}]}, "ast.args.0.args.1"),
        ({"op": "like", "args": [{"ident": "a"}]}, "ast"),
        ({"op": "near", "args": []}, "ast"),
        ({"op": "and", "args": "a"}, "ast.args"),
        ("a = 1", "ast"),
        ({"ident": ""}, "ast"),
    ],
)
def test_a_wrong_tree_is_refused_with_the_path_to_the_part(tree: object, path: str) -> None:
    with pytest.raises(FilterError) as caught:
        from_ast(tree)  # type: ignore[arg-type]  # wrong on purpose

    assert path == caught.value.path


def test_a_tree_that_nests_too_deeply_is_refused() -> None:
    tree: dict[str, object] = {"ident": "a"}
    for _ in range(900):
        tree = {"op": "not", "args": [tree]}

    with pytest.raises(FilterError, match="deeper than 200"):
        from_ast(tree)  # type: ignore[arg-type]  # JSON all the same
