import pytest

from gatepost.core.templates.positions import template_error


@pytest.mark.parametrize(
    ("message", "source", "line", "column", "text"),
    [
        (
            "template:2:5-8 Unknown variable: foo\n\n b: foo}\n\n",
            "{a: 1,\n b: foo}",
            2,
            5,
            "Unknown variable: foo",
        ),
        ("template:1:4 Unexpected end of file\n\n1 +\n\n", "1 +", 1, 4, "Unexpected end of file"),
        (
            "template:1:8-14 template:1:8-14 Unknown escape sequence in string literal: \\_\n\nlocal",
            'local a="\\_x"; a',
            1,
            8,
            "Unknown escape sequence in string literal: \\_",
        ),
        (
            "template:(1:8)-(3:4) Block string literals not allowed\n\nimport |||",
            "import |||\n a\n|||",
            1,
            8,
            "Block",
        ),
        ("template:1:14-18 Unknown variable: nope\n\n", "{ 'é🍵': nope }", 1, 10, "Unknown variable: nope"),
    ],
)
def test_the_engines_position_becomes_line_and_column_in_characters(
    message: str, source: str, line: int, column: int, text: str
) -> None:
    error = template_error(message, source)

    assert (error.line, error.column) == (line, column)
    assert error.message.startswith(f"line {line}, column {column}: {text}")


def test_the_excerpt_points_a_caret_at_the_column_through_tabs() -> None:
    error = template_error("template:2:4-7 Unknown variable: foo\n\n", "{\n\tb:foo\n}")

    assert error.excerpt == "\tb:foo\n\t  ^"


def test_of_a_long_line_only_the_part_around_the_fault_is_shown() -> None:
    source = "'" + "x" * 5_000 + "' + foo + '" + "y" * 5_000 + "'"

    error = template_error("template:1:5006-5009 Unknown variable: foo\n\n", source)

    shown, caret = error.excerpt.split("\n")
    assert len(shown) <= 100
    assert shown[caret.index("^") :].startswith("foo")


def test_a_message_without_position_is_kept_whole() -> None:
    error = template_error("the template takes longer than the time limit of 1 s", "1")

    assert error.message == "the template takes longer than the time limit of 1 s"
    assert (error.line, error.column) == (0, 0)
