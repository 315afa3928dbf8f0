import pytest

from gatepost.core.filterql.wildcards import matcher
from gatepost.model.errors import FilterError
from tests.unit.core.filterql._compiled import NOW, compiled


@pytest.mark.parametrize(
    ("pattern", "fits", "misses"),
    [
        ("", [""], ["a"]),
        ("*", ["", "a/b\nc"], []),
        ("a*c", ["ac", "abc", "a/\nc"], ["acd", "bac"]),
        ("a%b*c", ["abc", "axbxc", "abbcc"], ["acb"]),
        ("*ab*ab", ["abab", "ab-ab", "aab.abab"], ["ab", "abba"]),
        ("?", ["a", "é", "\n"], ["", "ab"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "x"]),
        ("[!a-c]x", ["dx"], ["ax"]),
        ("[^ab]", ["c", "^"], ["a"]),
        ("[z-a]", [], ["z", "a", "-"]),
        ("[]", ["[]"], [""]),
        ("[abc", ["[abc"], ["a"]),
        (r"50\%", ["50%"], ["500", r"50\x"]),
        (r"a\*b", ["a*b"], ["axb"]),
        ("a.c", ["a.c"], ["abc"]),
        ("a\\", ["a\\"], ["a"]),
    ],
)
def test_a_pattern_fits_whole_texts(pattern: str, fits: list[str], misses: list[str]) -> None:
    fit = matcher(pattern)

    assert [text for text in fits if not fit(text)] == []
    assert [text for text in misses if fit(text)] == []


def test_a_pattern_made_to_backtrack_comes_to_an_end() -> None:
    # A matcher that tries every split would need longer than the universe has.
    fit = matcher("*a" * 30 + "*b")

    assert not fit("a" * 2_000)


def test_a_pattern_beyond_all_reason_is_refused_in_a_filter_and_fits_nothing_from_a_field() -> None:
    endless = "*a" * 600

    with pytest.raises(FilterError, match="at most 1000 characters"):
        compiled(f'name LIKE "{endless}"', {})
    assert (
        not compiled("name LIKE pattern", {})
        .evaluate({"name": "a" * 600, "pattern": endless}, {}, NOW)
        .matches
    )
