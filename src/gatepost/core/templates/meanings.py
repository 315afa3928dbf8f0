"""What the names of a Jsonnet template stand for: the library, the profile, its triggers, readers of fields."""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from itertools import islice

import msgspec

from gatepost.core.jsonnet.nodes import (
    Apply,
    Array,
    Bind,
    Function,
    Import,
    Index,
    Literal,
    Node,
    Variable,
    walk,
)
from gatepost.core.templates.presets import LIBRARY_NAME

_CHAIN = 8
"""So many steps of `a.b.c` are followed."""
_BODY = 2_000
"""So much of a function is looked through for what it reads."""
_ENTITY = "ly_entity"
_FIELD_ARGUMENT = {"get": "field", "has": "field", "getFirstField": "field", "getMap": "a"}
"""Library functions that read a field of the profile, and what they call its name."""
_OBJECT_PLACE = {"get": 2, "has": 1, "getFirstField": 2, "getMap": 3}
"""Where the same functions take another object to read from."""


class Thing(Enum):
    """What an expression stands for."""

    LIBRARY = "library"
    ENTITY = "entity"
    EVENTS = "events"
    """The triggers, an empty list when there are none."""
    RAW_EVENTS = "raw events"
    """The triggers as the profile has them, which may be nothing."""
    TRIGGER = "trigger"


class Reader(msgspec.Struct, frozen=True):
    """A function of the template's own that reads the fields its parameters name."""

    function: str
    places: Mapping[int, str]
    """The parameters, by place."""


class Words(msgspec.Struct, frozen=True):
    """A name that takes the values of a list of texts, one after the other."""

    texts: tuple[Literal, ...]


Meaning = Thing | Reader | Words
Names = Mapping[str, Meaning]


class Read(msgspec.Struct, frozen=True):
    """A field that is read by name."""

    field: str
    at: int
    function: str
    default: Node | None = None
    """What stands in for a value that is not there, where the call says so."""


def meaning_of(node: Node, names: Names, steps: int = _CHAIN) -> Meaning | None:
    """Return what an expression stands for, if that is anything of interest."""
    match node:
        case Import(keyword="import", name=name):
            return Thing.LIBRARY if name == LIBRARY_NAME else None
        case Variable(name=name):
            return names.get(name)
        case Apply(function=Index(target=target, key=Literal(value=str(name)))) if steps:
            return _of_call(node, name, meaning_of(target, names, steps - 1))
        case Index(target=target, key=Literal(value=key)) if steps:
            return _of_member(meaning_of(target, names, steps - 1), key)
        case _:
            return None


def _of_call(call: Apply, name: str, target: Meaning | None) -> Meaning | None:
    if target is Thing.LIBRARY and name == "segEvents" and not call.args and not call.named:
        return Thing.EVENTS
    if target is Thing.LIBRARY and name == "get" and _is_text(field_argument(call, name), "segment_events"):
        return Thing.RAW_EVENTS
    if target is Thing.LIBRARY and name == "getFirstField":
        return Thing.TRIGGER if _is_text(field_argument(call, name), "segment_events") else None
    if target is None and name == "parseJson" and call.args and isinstance(call.args[0], Apply):
        inner = call.args[0]
        return Thing.ENTITY if inner.args and _is_text(inner.args[0], _ENTITY) else None
    return None


def _of_member(target: Meaning | None, key: object) -> Meaning | None:
    if target is Thing.ENTITY and key == "segment_events":
        return Thing.RAW_EVENTS
    first = key == 0 and not isinstance(key, bool)
    return Thing.TRIGGER if target in {Thing.EVENTS, Thing.RAW_EVENTS} and first else None


def bound(binds: Iterable[Bind], names: Names) -> Names:
    """Return the names with those that some binds add, which may build on each other in any order."""
    binds = tuple(binds)
    outer = {name: meaning for name, meaning in names.items() if name not in {bind.name for bind in binds}}
    for _ in range(2):
        for bind in binds:
            value = bind.value
            meaning = (
                _reader(bind.name, value, outer) if isinstance(value, Function) else meaning_of(value, outer)
            )
            if meaning is not None:
                outer[bind.name] = meaning
    return outer


def looped(name: str, over: Node, names: Names) -> Names:
    """Return the names with the one that a comprehension runs over a list."""
    inner = without((name,), names)
    if isinstance(over, Array) and all(isinstance(item, Literal) for item in over.items):
        texts = tuple(
            item for item in over.items if isinstance(item, Literal) and isinstance(item.value, str)
        )
        return {**inner, name: Words(texts)}
    of_triggers = meaning_of(over, names) in {Thing.EVENTS, Thing.RAW_EVENTS}
    return {**inner, name: Thing.TRIGGER} if of_triggers else inner


def without(gone: Iterable[str], names: Names) -> Names:
    """Return the names without those that something nearer has taken."""
    taken = set(gone)
    return {name: meaning for name, meaning in names.items() if name not in taken}


def reads_of(call: Apply, names: Names) -> Iterator[Read]:
    """Yield the fields of the profile that a call reads by names which stand in the source."""
    match call.function:
        case Index(target=target, key=Literal(value=str(name))) if name in _FIELD_ARGUMENT:
            if meaning_of(target, names) is Thing.LIBRARY and not _reads_elsewhere(call, name):
                default = _argument(call, 1, "default") if name in {"get", "getFirstField"} else None
                yield from _reads(field_argument(call, name), names, name, default)
        case Variable(name=name):
            reader = names.get(name)
            for place, parameter in reader.places.items() if isinstance(reader, Reader) else ():
                yield from _reads(_argument(call, place, parameter), names, name, None)
        case _:
            return


def field_argument(call: Apply, name: str) -> Node | None:
    """Return the argument by which a library function is told the field."""
    return _argument(call, 0, _FIELD_ARGUMENT[name])


def _reads(field: Node | None, names: Names, function: str, default: Node | None) -> Iterator[Read]:
    if isinstance(field, Literal) and isinstance(field.value, str):
        yield Read(field.value, field.at, function, default)
    elif isinstance(field, Variable) and isinstance(words := names.get(field.name), Words):
        for text in words.texts:
            yield Read(str(text.value), text.at, function, default)


def _reader(name: str, function: Function, names: Names) -> Reader | None:
    """Return which parameters of a function name fields that it reads."""
    places = {parameter.name: place for place, parameter in enumerate(function.params)}
    inner = without(places, names)
    found: dict[int, str] = {}
    for piece in islice(walk(function.body), _BODY):
        for field in _read_variables(piece, inner) if isinstance(piece, Apply) else ():
            if field in places:
                found[places[field]] = field
    return Reader(name, found) if found else None


def _read_variables(call: Apply, names: Names) -> Iterator[str]:
    match call.function:
        case Index(target=target, key=Literal(value=str(name))) if name in _FIELD_ARGUMENT:
            fields = [field_argument(call, name)]
            if meaning_of(target, names) is not Thing.LIBRARY or _reads_elsewhere(call, name):
                return
        case Variable(name=name) if isinstance(reader := names.get(name), Reader):
            fields = [_argument(call, place, parameter) for place, parameter in reader.places.items()]
        case _:
            return
    yield from (field.name for field in fields if isinstance(field, Variable))


def _reads_elsewhere(call: Apply, name: str) -> bool:
    return _argument(call, _OBJECT_PLACE[name], "obj") is not None


def _argument(call: Apply, place: int, name: str) -> Node | None:
    return call.args[place] if place < len(call.args) else dict(call.named).get(name)


def _is_text(node: Node | None, text: str) -> bool:
    return isinstance(node, Literal) and node.value == text
