import pytest

from gatepost.core.templates.vetting import MAX_NESTING, vet
from gatepost.model.errors import TemplateError


def test_five_hundred_nested_brackets_pass_and_one_more_does_not() -> None:
    vet("[" * MAX_NESTING + "]" * MAX_NESTING)

    with pytest.raises(TemplateError, match="nested more than 500 deep") as refused:
        vet("[\n" * (MAX_NESTING + 1))

    assert (refused.value.line, refused.value.column) == (MAX_NESTING + 1, 1)


@pytest.mark.parametrize(
    "quiet",
    [
        '"{}"',
        "'it\\'s {}'",
        '@"""{}"',
        "@'''{}'",
        "// {}\n1",
        "# {}\n1",
        "/* {}\n */ 1",
        "|||\n  {}\n|||",
        "/* never closed {}",
        '"never closed {}',
    ],
)
def test_brackets_in_strings_and_comments_do_not_nest(quiet: str) -> None:
    vet(quiet.format("[{(" * MAX_NESTING))


def test_brackets_after_a_text_block_nest_again() -> None:
    source = "|||\n  harmless [[[\n|||\n" + "[" * (MAX_NESTING + 1)

    with pytest.raises(TemplateError) as refused:
        vet(source)

    assert refused.value.line == 4


def test_a_source_may_have_256_kib_of_utf8() -> None:
    vet("é" * (128 * 1024))

    with pytest.raises(TemplateError, match="262,145 bytes; at most 256 KiB"):
        vet("é" * (128 * 1024) + "x")


@pytest.mark.parametrize(("intruder", "name"), [("\0", "NUL"), ("\udc80", "surrogate")])
def test_what_is_no_text_is_refused_where_it_stands(intruder: str, name: str) -> None:
    with pytest.raises(TemplateError, match=name) as refused:
        vet(f"{{\n  a: '{intruder}'\n}}")

    assert (refused.value.line, refused.value.column) == (2, 7)


@pytest.mark.parametrize("keyword", ["import", "importstr", "importbin"])
@pytest.mark.parametrize("name", ["'/etc/passwd'", '"other.libsonnet"', "@'/etc/passwd'", "/* now */ '../x'"])
def test_a_template_may_not_import_a_file(keyword: str, name: str) -> None:
    with pytest.raises(TemplateError, match=r"may only import 'lytemplates\.libsonnet'") as refused:
        vet(f"local ly = 1;\n  {keyword} {name}")

    assert (refused.value.line, refused.value.column) == (2, 3)


@pytest.mark.parametrize(
    "source",
    ["import 'lytemplates.libsonnet'", "{ important: 'x' }", "'import' + '/etc/passwd'", "// import 'x'\n1"],
)
def test_the_library_and_mere_words_pass(source: str) -> None:
    vet(source)


@pytest.mark.parametrize("hostile", ["|||\nx", "'\\", '"\\', "/*", "@'", "|||-", "\\", "[]" * 5])
def test_hostile_repetition_is_read_once(hostile: str) -> None:
    vet(hostile * (200_000 // len(hostile)))
