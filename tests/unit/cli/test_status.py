from gatepost.cli.status import _notes

QUIET = {"lag": 0, "deliveries": {}, "counters": {}, "duties": [], "templates_distrusted": []}


def test_when_all_is_well_there_is_nothing_to_look_at() -> None:
    assert list(_notes(QUIET)) == []


def test_templates_on_which_the_engines_disagreed_are_named() -> None:
    (note,) = _notes({**QUIET, "templates_distrusted": ["insider_enter"]})

    assert (note["name"], note["count"]) == ("templates_distrusted", 1)
    assert "insider_enter" in note["text"]
    assert "report" in note["next"]
