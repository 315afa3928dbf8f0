"""A file of events is cut into bodies, and a mistake in a body is found again in the file."""

import pytest

from gatepost.cli import batches
from gatepost.cli.batches import csv_batches, json_batches, line_batches
from gatepost.cli.failure import CommandError


@pytest.fixture(autouse=True)
def _small_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST", 2)


def test_lines_are_cut_and_keep_their_numbers() -> None:
    lines = [b'{"n":1}\n', b'{"n":2}\n', b'{"n":3}\n']

    cut = list(line_batches(lines, 1))

    assert [(batch.first, batch.body) for batch in cut] == [(1, b'{"n":1}\n{"n":2}\n'), (3, b'{"n":3}\n')]
    assert cut[1].line(1) == 3


def test_every_body_of_a_csv_begins_with_the_header() -> None:
    lines = [b"id,note\n", b"1,one\n", b"2,two\n", b"3,three\n"]

    cut = list(csv_batches(lines, 1))

    assert [batch.body for batch in cut] == [b"id,note\n1,one\n2,two\n", b"id,note\n3,three\n"]
    assert [(batch.first, batch.line(2)) for batch in cut] == [(2, 2), (4, 4)]


def test_a_quoted_line_break_stays_inside_its_record() -> None:
    lines = [b"id,note\n", b'1,"two\n', b'lines"\n', b"2,x\n", b"3,y\n"]

    cut = list(csv_batches(lines, 1))

    assert [batch.body for batch in cut] == [b'id,note\n1,"two\nlines"\n2,x\n', b"id,note\n3,y\n"]
    assert [batch.first for batch in cut] == [2, 5]


def test_going_on_with_a_line_still_sends_the_header() -> None:
    lines = [b"id\n", b"1\n", b"2\n", b"3\n"]

    (batch,) = csv_batches(lines, 3)

    assert batch.body == b"id\n2\n3\n"
    assert batch.line(2) == 3


def test_an_array_is_cut_into_arrays_without_being_rewritten() -> None:
    cut = list(json_batches(b'[{"n": 1.0},\n {"n":2}, {"n":3}]', 1))

    assert [(batch.first, batch.body) for batch in cut] == [(1, b'[{"n": 1.0},{"n":2}]'), (3, b'[{"n":3}]')]


def test_a_single_event_is_a_body_by_itself() -> None:
    (batch,) = json_batches(b'{"n":1}', 1)

    assert batch.body == b'{"n":1}'


def test_what_is_no_array_is_refused_with_the_format_that_may_be_meant() -> None:
    with pytest.raises(CommandError) as caught:
        list(json_batches(b'[{"n":1}\n{"n":2}', 1))

    assert "--format ndjson" in caught.value.hint
