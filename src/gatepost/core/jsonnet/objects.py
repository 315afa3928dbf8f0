"""Objects whose fields see `self`, `super` or are hidden: layers, the last of which wins."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gatepost.core.jsonnet.values import Doubt, Thunk, Value, charge, force

VISIBLE, HIDDEN, FORCED = 0, 1, 2
"""One, two and three colons: shown unless hidden below, hidden, shown whatever is below."""

Make = Callable[["Obj", int], dict[str, Value]]
"""Given the object and the level of the layer in it, its fields."""

Assertions = Callable[["Obj", int], None]
"""Given the same, raises where a condition does not hold."""


class Layer:
    """What one pair of braces says: its fields with their visibility, how to make them, and what must hold."""

    __slots__ = ("assertions", "fields", "make")

    def __init__(self, fields: Mapping[str, int], make: Make, assertions: Assertions | None = None) -> None:
        self.fields = fields
        self.make = make
        self.assertions = assertions


class Obj:
    """Layers, from the lowest to the one that wins; a field is evaluated once."""

    __slots__ = ("_built", "_held", "layers", "shown")

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        self.layers = layers
        self._built: list[dict[str, Value] | None] = [None] * len(layers)
        self._held = not any(layer.assertions for layer in layers)
        self.shown = _visibilities(layers)

    def field(self, name: str, below: int | None = None) -> Value:
        """Return a field's value, of the layers below a level if one is given; without the field, raise."""
        self.hold()
        at = self._level(name, len(self.layers) if below is None else below)
        if at < 0:
            raise Doubt("no such field")
        return force(self._layer(at)[name])

    def has(self, name: str, below: int | None = None) -> bool:
        """Say whether there is such a field, hidden or not."""
        if below is None:
            return name in self.shown
        return self._level(name, below) >= 0

    def hold(self) -> None:
        """Make sure that the assertions hold; while they are looked at, they may read the object."""
        if self._held:
            return
        self._held = True
        for at, layer in enumerate(self.layers):
            if layer.assertions:
                layer.assertions(self, at)

    def _level(self, name: str, below: int) -> int:
        for at in range(below - 1, -1, -1):
            if name in self.layers[at].fields:
                return at
        return -1

    def _layer(self, at: int) -> dict[str, Value]:
        built = self._built[at]
        if built is None:
            built = self._built[at] = self.layers[at].make(self, at)
        return built


def _visibilities(layers: tuple[Layer, ...]) -> dict[str, bool]:
    shown: dict[str, bool] = {}
    for layer in layers:
        for name, visibility in layer.fields.items():
            if visibility == VISIBLE:
                shown.setdefault(name, True)
            else:
                shown[name] = visibility == FORCED
    return shown


def constant_layer(fields: dict[str, Value]) -> Layer:
    """Return the layer of fields that know nothing of the object they are in."""
    return Layer(dict.fromkeys(fields, VISIBLE), lambda _self, _level: fields)


def joined(left: Value, right: Value) -> Value:
    """Return two objects as one, in which the right one wins."""
    if type(left) is dict and type(right) is dict:
        charge((len(left) + len(right)) >> 3)
        return {**left, **right}
    layers = (*_layers(left), *_layers(right))
    charge(len(layers) + (sum(len(layer.fields) for layer in layers) >> 3))
    return Obj(layers)


def _layers(value: Value) -> tuple[Layer, ...]:
    if type(value) is dict:
        return (constant_layer(value),)
    if type(value) is Obj:
        return value.layers
    raise Doubt("not an object")


def is_object(value: Value) -> bool:
    """Say whether this is an object."""
    return type(value) is dict or type(value) is Obj


def names_of(value: Value, *, hidden: bool = False) -> list[str]:
    """Return the names of an object's fields, sorted."""
    if type(value) is dict:
        charge(len(value) >> 3)
        return sorted(value)
    if type(value) is Obj:
        charge(len(value.shown) >> 3)
        return sorted(name for name, shown in value.shown.items() if shown or hidden)
    raise Doubt("not an object")


def field_of(value: Value, name: str) -> Value:
    """Return a field of an object."""
    if type(value) is dict:
        found = value[name]
        return force(found) if type(found) is Thunk else found
    if type(value) is Obj:
        return value.field(name)
    raise Doubt("not an object")


def lazy_field(value: Value, name: str) -> Value:
    """Return a field of an object to be evaluated later."""
    if type(value) is dict:
        return value[name]
    return Thunk(lambda: field_of(value, name))


def has_field(value: Value, name: Any, *, hidden: bool = True) -> bool:
    """Say whether an object has a field of this name."""
    if type(name) is not str:
        raise Doubt("not a text")
    if type(value) is dict:
        return name in value
    if type(value) is Obj:
        shown = value.shown.get(name)
        return shown is not None and (hidden or shown)
    raise Doubt("not an object")


def shown_names(value: Obj) -> list[str]:
    """Return the names of the fields that an object shows, sorted, once its assertions hold."""
    value.hold()
    return names_of(value)


def fields_of(value: Value) -> Iterator[tuple[str, Value]]:
    """Yield the visible fields of an object, evaluated, sorted by name."""
    if type(value) is dict:
        for name in names_of(value):
            found = value[name]
            yield name, force(found) if type(found) is Thunk else found
        return
    if type(value) is Obj:
        value.hold()
    for name in names_of(value):
        yield name, field_of(value, name)
