"""A field takes in what it asserts, and nothing else."""

from typing import Any

import pytest

from gatepost.core.assertions import assertions_of
from gatepost.model.schema import Assertions, Field, FieldType, Format, Length

NOW = 1_700_000_000_000


def kept(assertions: Assertions, value: Any) -> tuple[Any, int]:
    field = Field(name="f", type=FieldType.VALUE_MAP, assertions=assertions)
    return assertions_of([field])["f"](value, NOW)


@pytest.mark.parametrize(
    ("wanted", "good", "bad"),
    [
        (Assertions(email=True), "ada@example.com", "ada@example"),
        (Assertions(email=True), "a+b@x.co.uk", "ada at example.com"),
        (Assertions(format=Format.ALPHA), "Zoë", "Zoe2"),
        (Assertions(format=Format.ALPHANUMERIC), "Zoe2", "Zoe_2"),
        (Assertions(format=Format.UUID), "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "0f1e2d3c"),
        (Assertions(format=Format.BASE64), "aGVsbG8=", "aGVsbG8"),
        (Assertions(format=Format.HEX), "00fF", "0xff"),
        (Assertions(format=Format.INT), "-12", "1.5"),
        (Assertions(length=Length(min=2, max=3)), "abc", "abcd"),
        (Assertions(length=Length(min=2)), "ab", "a"),
        (Assertions(filter="value > 5"), 6, 5),
        (Assertions(filter='value LIKE "B-*"', length=Length(max=3)), "B-1", "B-12"),
    ],
)
def test_a_value_that_holds_is_taken_and_one_that_does_not_is_counted(
    wanted: Assertions, good: Any, bad: Any
) -> None:
    assert (good, 0) == kept(wanted, good)
    assert (None, 1) == kept(wanted, bad)


def test_of_a_set_or_a_map_what_holds_is_taken() -> None:
    wanted = Assertions(format=Format.ALPHA)

    assert (["a"], 2) == kept(wanted, ["1", "a", "2"])
    assert ({"x": "a"}, 1) == kept(wanted, {"x": "a", "y": "1"})
    assert (None, 1) == kept(wanted, {"y": "1"})


def test_a_field_without_assertions_has_nothing_to_check() -> None:
    assert {} == assertions_of([Field(name="plain"), Field(name="any", assertions=Assertions())])
