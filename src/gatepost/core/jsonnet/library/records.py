"""Objects: which fields there are, and what is in them."""

from gatepost.core.jsonnet.library.arguments import as_function
from gatepost.core.jsonnet.library.registry import standard
from gatepost.core.jsonnet.objects import field_of, has_field, lazy_field, names_of
from gatepost.core.jsonnet.values import (
    MISSING,
    Doubt,
    Thunk,
    Value,
    apply,
    as_text,
    charge,
    force,
    truth,
)


@standard("o f", gives="boolean", name="objectHas")
def object_has(o: Value, f: Value) -> bool:
    """Whether an object shows a field."""
    return has_field(o, f, hidden=False)


@standard("o f", gives="boolean", name="objectHasAll")
def object_has_all(o: Value, f: Value) -> bool:
    """Whether an object has a field, hidden or not."""
    return has_field(o, f)


@standard("obj fname hidden", gives="boolean", name="objectHasEx")
def object_has_ex(o: Value, f: Value, hidden: Value) -> bool:
    """Whether an object has a field, a hidden one if those count."""
    return has_field(o, f, hidden=truth(hidden))


@standard("o", gives="texts", name="objectFields")
def object_fields(o: Value) -> list[Value]:
    """The names of the fields an object shows, sorted."""
    return _names(o, hidden=False)


@standard("o", gives="texts", name="objectFieldsAll")
def object_fields_all(o: Value) -> list[Value]:
    """The names of all fields of an object, sorted."""
    return _names(o, hidden=True)


@standard("obj hidden", gives="texts", name="objectFieldsEx")
def object_fields_ex(o: Value, hidden: Value) -> list[Value]:
    """The names of an object's fields, of the hidden ones too if those count, sorted."""
    return _names(o, hidden=truth(hidden))


def _names(o: Value, *, hidden: bool) -> list[Value]:
    names = names_of(o, hidden=hidden)
    charge(len(names))
    return names


@standard("o", name="objectValues")
def object_values(o: Value) -> list[Value]:
    """The values of the fields an object shows, in the order of their names."""
    return [lazy_field(o, name) for name in _names(o, hidden=False)]


@standard("o", name="objectValuesAll")
def object_values_all(o: Value) -> list[Value]:
    """The values of all fields of an object, in the order of their names."""
    return [lazy_field(o, name) for name in _names(o, hidden=True)]


@standard("o", name="objectKeysValues")
def object_keys_values(o: Value) -> list[Value]:
    """A key and a value for each field an object shows."""
    return [{"key": name, "value": lazy_field(o, name)} for name in _names(o, hidden=False)]


@standard("o", name="objectKeysValuesAll")
def object_keys_values_all(o: Value) -> list[Value]:
    """A key and a value for each field of an object."""
    return [{"key": name, "value": lazy_field(o, name)} for name in _names(o, hidden=True)]


@standard("o f default inc_hidden", optional=2, lazy=(2,))
def get(o: Value, f: Value, default: Value, inc_hidden: Value) -> Value:
    """A field of an object, or what to take without it."""
    hidden = inc_hidden is MISSING or truth(inc_hidden)
    if has_field(o, as_text(f), hidden=hidden):
        return field_of(o, f)
    return None if default is MISSING else force(default)


@standard("obj key", name="objectRemoveKey")
def object_remove_key(o: Value, key: Value) -> Value:
    """An object without a field; one whose fields see each other is the engine's."""
    name = as_text(key)
    if type(o) is not dict:
        raise Doubt("an object of layers")
    charge(len(o))
    return {own: value for own, value in o.items() if own != name}


@standard("func obj", name="mapWithKey")
def map_with_key(func: Value, o: Value) -> Value:
    """An object whose fields are put through a function with their names, when they are looked at."""
    as_function(func)
    return {name: _applied(func, name, lazy_field(o, name)) for name in _names(o, hidden=False)}


def _applied(function: Value, name: str, value: Value) -> Value:
    return Thunk(lambda: apply(function, (name, value)))
