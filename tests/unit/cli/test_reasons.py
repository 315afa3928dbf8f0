"""A reason in a table is the one line that helps."""

import pytest

from gatepost.cli.reasons import brief

ASSERTED = "omitted: RUNTIME ERROR: no email\n\ttemplate:(2:1)-(3:9)\t\n\tDuring evaluation\t\n"
IN_THE_LIBRARY = (
    "RUNTIME ERROR: Index 0 out of bounds\n\tlytemplates.libsonnet:9:1-5\tfunction <get>\n"
    '\ttemplate:1:11-71\tthunk <e> from <$>\n\ttemplate:3:6-7\t\n\tField "at"\t\n'
)


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("", ""),
        ("HTTP 404", "HTTP 404"),
        (ASSERTED, "omitted: RUNTIME ERROR: no email (line 2, column 1 of the template)"),
        (IN_THE_LIBRARY, "RUNTIME ERROR: Index 0 out of bounds (line 1, column 11 of the template)"),
        ("<html>" + "x" * 500, "<html>" + "x" * 151 + "..."),
    ],
)
def test_a_reason_is_cut_to_its_line_and_place(reason: str, shown: str) -> None:
    assert brief(reason) == shown
