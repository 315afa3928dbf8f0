"""Objects put together and emptied, at every level."""

from gatepost.core.jsonnet.library.arguments import evaluated, room
from gatepost.core.jsonnet.library.registry import standard
from gatepost.core.jsonnet.objects import field_of, fields_of, is_object, lazy_field, names_of
from gatepost.core.jsonnet.values import Thunk, Value, charge

_PRUNE_FRAMES = 8
"""Frames of the engine for each level that is pruned."""


@standard("target patch", name="mergePatch")
def merge_patch(target: Value, patch: Value) -> Value:
    """A value with a patch of JSON applied: null takes a field away, objects are merged."""
    if not is_object(patch):
        return patch
    merged = {name: lazy_field(target, name) for name in names_of(target)} if is_object(target) else {}
    charge(len(merged))
    for name in names_of(patch):
        charge(1)
        value = field_of(patch, name)
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _patched(merged.get(name), value)
    return merged


def _patched(target: Value, patch: Value) -> Value:
    # Whoever looks at the field looks at what it was, too.
    if type(target) is Thunk or is_object(patch):
        return Thunk(lambda: merge_patch(_seen(target), patch))
    return patch


def _seen(value: Value) -> Value:
    (seen,) = evaluated([value])
    return seen


@standard("a")
def prune(a: Value) -> Value:
    """A value without what is null or empty in it."""
    return _pruned(a, 1)


def _pruned(value: Value, level: int) -> Value:
    room(_PRUNE_FRAMES * level)
    charge(1)
    if type(value) is list:
        items = [_pruned(item, level + 1) for item in evaluated(value)]
        return [item for item in items if _holds(item)]
    if is_object(value):
        fields = [(name, _pruned(item, level + 1)) for name, item in fields_of(value)]
        return {name: item for name, item in fields if _holds(item)}
    return value


def _holds(value: Value) -> bool:
    return value is not None and value != [] and not (is_object(value) and not names_of(value))
