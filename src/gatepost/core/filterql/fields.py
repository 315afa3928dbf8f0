"""Where names lead: into a profile, whose fields have types, or into an event."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from gatepost.core.filterql.functions import Kind
from gatepost.core.filterql.nodes import Name
from gatepost.core.filterql.source import Code, Source
from gatepost.model.jsonvalue import JsonValue

_KINDS: dict[str, Kind] = {
    "string": "text",
    "int": "number",
    "number": "number",
    "bool": "bool",
    "date": "date",
    "[]time": "dates",
    "[]string": "list",
    "ts[]string": "list",
}
_MAP = "map[string]"
_VALUE_KINDS: dict[str, Kind] = {**_KINDS, "time": "date", "intsum": "number"}
KNOWN_TYPES = frozenset(
    {*_KINDS, *(f"{_MAP}{inner}" for inner in ("string", "int", "number", "bool", "time", "intsum", "value"))}
)
"""The types of fields that filters are compiled for; a field without a type is anything."""


class Value(msgspec.Struct, frozen=True):
    """Code for a value and what is known about it beforehand."""

    code: Code
    kind: Kind = "any"


class Names(Protocol):
    """Turns names into code and remembers which were read."""

    reads: set[str]

    def read(self, name: Name, source: Source) -> Value:
        """Give the code that reads a name."""


class ProfileNames:
    """Names of profile fields; `a.b` is the field of that name, or else the key `b` of the map `a`."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self.reads: set[str] = set()
        self._types = types

    def read(self, name: Name, source: Source) -> Value:
        """Give the code that reads a name."""
        if name.key is not None:
            return self._entry(name.field, name.key, source)
        field, dot, key = name.field.partition(".")
        if name.field in self._types or not (field and dot and key):
            return self._field(name.field, source)
        if field in self._types:
            return self._entry(field, key, source)
        self.reads.update((name.field, field))
        reader = source.constant(_whole_or_entry(name.field, field, key))
        return Value(Code(f"{reader}(get)"))

    def _field(self, field: str, source: Source) -> Value:
        self.reads.add(field)
        return Value(Code(f"get({source.constant(field)})"), kind_of(self._types.get(field, "")))

    def _entry(self, field: str, key: str, source: Source) -> Value:
        self.reads.add(field)
        held, name = source.fresh("t"), source.constant(field)
        text = f"({held}.get({source.constant(key)}) if ({held} := get({name})).__class__ is dict else None)"
        inner = self._types.get(field, "").removeprefix(_MAP)
        return Value(Code(text, level=1), _VALUE_KINDS.get(inner, "any"))


class EventNames:
    """Names of event fields; nested ones were flattened, so a dotted name is a field like any other."""

    def __init__(self) -> None:
        self.reads: set[str] = set()

    def read(self, name: Name, source: Source) -> Value:
        """Give the code that reads a name."""
        field = field_name(name)
        self.reads.add(field)
        return Value(Code(f"get({source.constant(field)})"))


def field_name(name: Name) -> str:
    """Spell a name as one flat field."""
    return name.field if name.key is None else f"{name.field}.{name.key}"


def kind_of(type_: str) -> Kind:
    """Say what a field of a type holds; an unknown or absent type is anything."""
    return "map" if type_.startswith(_MAP) else _KINDS.get(type_, "any")


def _whole_or_entry(whole: str, field: str, key: str) -> Callable[[Callable[[str], JsonValue]], JsonValue]:
    def read(get: Callable[[str], JsonValue]) -> JsonValue:
        value = get(whole)
        if value is not None:
            return value
        held = get(field)
        return held.get(key) if isinstance(held, Mapping) else None

    return read
