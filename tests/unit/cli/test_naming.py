"""Things are found by id, by the beginning of one, or by name."""

import pytest

from gatepost.cli.failure import CommandError
from gatepost.cli.naming import named

JOBS = [
    {"id": "abcd1111", "name": "insider_enter"},
    {"id": "abcd2222", "name": "insider_exit"},
    {"id": "ffff3333", "name": "insider_exit"},
]


@pytest.mark.parametrize("wanted", ["abcd1111", "abcd11", "insider_enter"])
def test_a_thing_is_found(wanted: str) -> None:
    assert named(JOBS, wanted, "job")["id"] == "abcd1111"


def test_a_name_of_two_things_is_refused_with_their_ids() -> None:
    with pytest.raises(CommandError, match="2 jobs are called 'insider_exit'") as caught:
        named(JOBS, "insider_exit", "job")

    assert caught.value.hint == "Name one by its id: abcd2222, ffff3333"


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(CommandError, match="there is no job 'insider'") as caught:
        named(JOBS[:1], "insider", "job")

    assert caught.value.hint == "There are: insider_enter"
