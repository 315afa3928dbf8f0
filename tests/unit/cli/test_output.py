"""What commands print: aligned text for people, one JSON document for programs, colours only in a terminal."""

import io
import json

import pytest

from gatepost.cli.output import Output


def test_a_table_holds_every_value_unbroken_where_no_terminal_limits_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = "a name " * 40

    Output(json=False).table(("name", ">size"), [(name.strip(), 12345), ("[b]plain[/b]", None)], empty="none")

    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[1].endswith("12,345")
    assert name.strip() in lines[1]
    assert lines[2].startswith("[b]plain[/b]")


class Terminal(io.StringIO):
    """A screen of 80 columns."""

    def isatty(self) -> bool:
        return True


def screen_of(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    for name, value in {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    return terminal


def test_a_narrow_screen_loses_the_least_important_columns_rather_than_shreds_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = screen_of(monkeypatch)
    columns = ("?id", "name", "status", "?triggers", "?>audiences", "destination", ">delivered", ">waiting")
    row = ("5e0d1a6f2c3b", "insider_enter", "running", "enter", 1, "unification.useinsider.com", 12_345, 0)

    Output(json=False).table(columns, [row], empty="none")

    lines = [line.rstrip() for line in screen.getvalue().splitlines()]
    assert lines == [
        "name           status   destination                 delivered  waiting",
        "insider_enter  running  unification.useinsider.com     12,345        0",
    ]


def test_what_fits_is_all_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = screen_of(monkeypatch)
    Output(json=False).table(("?id", "name", "?created"), [("5e0d", "one", "today")], empty="none")

    assert screen.getvalue().splitlines()[0].split() == ["id", "name", "created"]


def test_lines_in_a_file_end_with_their_last_word(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=False).table(("name", "note"), [("a", "long " * 50), ("b", "short")], empty="none")

    assert capsys.readouterr().out.splitlines()[2] == "b     short"


def test_an_empty_table_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=False).table(("name",), [], empty="There are no jobs yet.")

    assert capsys.readouterr().out == "There are no jobs yet.\n"


def test_with_json_there_is_one_document_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(json=True)

    out.document([{"name": "Zoë"}])
    out.table(("name",), [("Zoë",)], empty="none")
    out.facts([("name", "Zoë")])
    out.say("done")

    printed = capsys.readouterr()
    assert json.loads(printed.out) == [{"name": "Zoë"}]
    assert printed.err == ""


def test_a_warning_reaches_people_even_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=True).warn("this stays there for good")

    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "! this stays there for good\n")


def test_nothing_is_coloured_outside_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(json=False)

    out.table(("name",), [("x",)], empty="none")
    out.warn("look")

    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err
