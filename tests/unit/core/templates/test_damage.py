import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.core.templates.damage import MAX_DELETIONS, deletions, only_outcome, without_escapes


@pytest.mark.parametrize(
    ("damaged", "mended"),
    [
        (r'{ "users":\[ 1 \] }', '{ "users":[ 1 ] }'),
        (r'get("\_uid")', 'get("_uid")'),
        (r"price\*2 \- 1", "price*2 - 1"),
        (r"\# one's comment" + "\n[1\\]", "# one's comment\n[1]"),
        (r"/\* don't \*/ a\_b", "/* don't */ a_b"),
    ],
)
def test_escapes_of_rendered_markdown_are_undone(damaged: str, mended: str) -> None:
    assert without_escapes(damaged).text == mended


@pytest.mark.parametrize(
    "sound",
    [
        r'"a\\_b \" \n ☕ \/"',
        r"@'C:\_x\[y'",
        "|||\n  \\_ stays\n|||",
        r"// a comment may hold \_ and \[" + "\n1",
    ],
)
def test_backslashes_that_mean_something_stay(sound: str) -> None:
    undone = without_escapes(sound)

    assert undone.text == sound
    assert undone.escapes == ()


def test_each_escape_is_named_once_in_order_of_appearance() -> None:
    undone = without_escapes(r'{ "a":\[ "\_x", "\_y" \] }')

    assert undone.escapes == (r"\[", r"\_", r"\]")


def test_a_surplus_bracket_may_be_the_stray_one_or_a_sibling_of_its_kind() -> None:
    source = "{\n  a: [1],\n  b: [2]\n  ]\n}\n"

    found = deletions(source)

    assert [deletion.line for deletion in found] == [2, 3, 4]
    assert found[-1].text == "{\n  a: [1],\n  b: [2]\n}\n"


@pytest.mark.parametrize("source", ["{ a: [1] }", "[1", "{ a: [1]] ] }", "{ a: (1] }"])
def test_brackets_that_one_deletion_does_not_balance_are_left_alone(source: str) -> None:
    assert deletions(source) == []


def test_too_many_candidates_are_no_answer() -> None:
    assert deletions("{ a: 1, " + "b: [1], " * MAX_DELETIONS + "] }") == []


def test_deletions_that_differ_by_more_than_space_decide_nothing() -> None:
    found = deletions("[[1], [2]]]")

    assert len(found) > 1
    assert only_outcome(found) is None


def test_adjacent_brackets_give_one_outcome() -> None:
    found = deletions("{ a: [1]\n  ]\n}")

    outcome = only_outcome(found)

    assert outcome is not None
    assert outcome.text.split() == ["{", "a:", "[1]", "}"]


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    wrapped = st.tuples(st.sampled_from(("()", "[]", "{}")), inner)
    parts = st.lists(wrapped.map(lambda pair: pair[0][0] + pair[1] + pair[0][1]), max_size=3)
    return parts.map("".join)


balanced = st.recursive(st.just(""), nested, max_leaves=8)


@given(balanced, st.integers(0), st.sampled_from(")]}"))
def test_an_inserted_closing_bracket_is_found_with_every_other_way_to_balance(
    text: str, position: int, bracket: str
) -> None:
    at = position % (len(text) + 1)
    damaged = text[:at] + bracket + text[at:]

    found = {deletion.text for deletion in deletions(damaged)}

    every = {damaged[:i] + damaged[i + 1 :] for i, character in enumerate(damaged) if character in ")]}"}
    assert text in found
    assert found == {candidate for candidate in every if is_balanced(candidate)}


def is_balanced(text: str) -> bool:
    while (shorter := text.replace("()", "").replace("[]", "").replace("{}", "")) != text:
        text = shorter
    return not text
