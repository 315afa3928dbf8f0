"""Holds a declaration against the records it is read into, so that each mistake is named at its own line."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, NamedTuple

from msgspec import inspect

from gatepost.cli.yamltree import Keys


class Misfit(NamedTuple):
    """A value that does not fit."""

    keys: Keys
    message: str
    at_key: bool = False
    """Whether the key is wrong and not its value."""


def misfits(value: Any, record: type) -> Iterator[Misfit]:
    """Yield every place where a document does not fit a record type."""
    yield from _misfits(value, inspect.type_info(record), ())


def _misfits(value: Any, wanted: inspect.Type, keys: Keys) -> Iterator[Misfit]:
    match wanted:
        case inspect.UnionType():
            yield from _misfits(
                value, next(t for t in wanted.types if not isinstance(t, inspect.NoneType)), keys
            )
        case inspect.StructType():
            yield from _of_record(value, wanted, keys)
        case inspect.DictType():
            yield from _of_map(value, wanted, keys)
        case inspect.VarTupleType() | inspect.ListType():
            yield from _of_list(value, wanted, keys)
        case _:
            yield from _of_scalar(value, wanted, keys)


def _of_record(value: Any, wanted: inspect.StructType, keys: Keys) -> Iterator[Misfit]:
    if not isinstance(value, dict):
        yield Misfit(
            keys, f"here belongs something with keys such as {_listed(wanted)}, not {_kind_of(value)}"
        )
        return
    known = {field.encode_name: field for field in wanted.fields}
    guessed: set[str] = set()
    for key, inner in value.items():
        if key not in known:
            near = get_close_matches(key, known, n=1)
            guessed.update(near)
            hint = f"did you mean {near[0]}?" if near else f"there are {_listed(wanted)}"
            yield Misfit((*keys, key), f"there is no {key!r} here; {hint}", at_key=True)
        elif inner is not None:
            yield from _misfits(inner, known[key].type, (*keys, key))
    for name, field in known.items():
        if field.required and value.get(name) is None and name not in guessed:
            yield Misfit(keys, f"{name!r} is missing", at_key=True)


def _of_map(value: Any, wanted: inspect.DictType, keys: Keys) -> Iterator[Misfit]:
    if not isinstance(value, dict):
        yield Misfit(keys, f"here belong names with a value each, not {_kind_of(value)}")
        return
    for key, inner in value.items():
        if inner is not None:
            yield from _misfits(inner, wanted.value_type, (*keys, key))


def _of_list(value: Any, wanted: inspect.VarTupleType | inspect.ListType, keys: Keys) -> Iterator[Misfit]:
    if not isinstance(value, list):
        yield Misfit(keys, f"here belongs a list, not {_kind_of(value)}; write [a, b]")
        return
    for index, inner in enumerate(value):
        yield from _misfits(inner, wanted.item_type, (*keys, str(index)))


def _of_scalar(value: Any, wanted: inspect.Type, keys: Keys) -> Iterator[Misfit]:
    match wanted:
        case inspect.StrType():
            if not isinstance(value, str):
                quotes = "; put it in quotes" if isinstance(value, int | float) else ""
                yield Misfit(keys, f"here belongs a text, not {_kind_of(value)}{quotes}")
        case inspect.BoolType():
            if not isinstance(value, bool):
                yield Misfit(keys, f"here belongs true or false, not {_kind_of(value)}")
        case inspect.IntType():
            if not isinstance(value, int) or isinstance(value, bool):
                yield Misfit(keys, f"here belongs a whole number, not {_kind_of(value)}")
        case _:
            # Whatever else a record may hold is looked at by the server alone.
            return


def _listed(wanted: inspect.StructType) -> str:
    return ", ".join(field.encode_name for field in wanted.fields)


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "names with values"
