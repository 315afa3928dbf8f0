"""Code for what is put off: thunks, functions as values, objects written down where they are first needed."""

from gatepost.core.jsonnet.compiler.bindings import (
    DEEP_KINDS,
    Env,
    Kind,
    KnownField,
    Result,
    StaticFunction,
    StaticObject,
)
from gatepost.core.jsonnet.compiler.blocks import Block
from gatepost.core.jsonnet.compiler.costs import cheap
from gatepost.core.jsonnet.compiler.demands import Demands
from gatepost.core.jsonnet.compiler.unit import Unit
from gatepost.core.jsonnet.nodes import Function, Node, Variable

_THUNK_FRAMES = 8
"""Frames that forcing a thunk counts by itself; see `force`."""


def lazy(unit: Unit, node: Node, env: Env, block: Block) -> Result:
    """Write code for a value that may wait: a thunk, or the value where that is cheaper."""
    if isinstance(node, Variable):
        binding = env.get(node.name)
        if isinstance(binding, Result):
            return binding
    if unit.eager or cheap(unit, node, env):
        return unit.value(node, env, block)
    return put_off(unit, node, env, block)


def put_off(unit: Unit, node: Node, env: Env, block: Block, name: str = "") -> Result:
    """Write a thunk, under a name if one is given."""
    name = name or unit.fresh("x")
    make = unit.fresh("m")
    body = block.nested(f"def {make}():")
    counted = body.slot()
    result = _aside(unit, node, env, body)
    if result.frames > _THUNK_FRAMES:
        counted.add(f"deeper({result.frames})")
        result = unit.atom(result, body)
        body.add(f"d[0] -= {result.frames}")
    body.add(f"return {result.code}")
    block.add(f"{name} = T({make})")
    return Result(code=name, atom=True, lazy=True, frames=0)


def _aside(unit: Unit, node: Node, env: Env, body: Block) -> Result:
    # Whoever asks for it later may not want all of it.
    with unit.eagerness(False):
        return unit.value(node, env, body)


def called(unit: Unit, function: StaticFunction) -> str:
    """Return the Python name of a known function, which is written down at its first use."""
    if function.name:
        return function.name
    function.name = unit.fresh("f")
    names = [unit.fresh("a") for _ in function.node.params]
    body = function.home.nested(f"def {function.name}({', '.join(names)}):")
    counted = body.slot()
    env = _parameters(unit, function, names, body)
    before = unit.nodes
    outer, unit.inlining = unit.inlining, []
    result = _aside(unit, function.node.body, env, body)
    unit.inlining = outer
    frames = result.frames + 3
    counted.add(f"deeper({frames})")
    counted.add(unit.price(before))
    result = unit.atom(result, body)
    body.add(f"d[0] -= {frames}")
    body.add(f"return {result.code}")
    return function.name


def _parameters(unit: Unit, function: StaticFunction, names: list[str], body: Block) -> Env:
    needed = Demands(unit, function.env).params(function.node)
    params = function.node.params
    # A default may read every parameter, those after it too.
    inner = function.env.child(
        {
            param.name: Result(code=name, atom=True, lazy=True)
            for param, name in zip(params, names, strict=True)
        }
    )
    for param, name in zip(params, names, strict=True):
        if param.default is not None:
            absent = body.nested(f"if {name} is M:")
            result = put_off(unit, param.default, inner, absent)
            absent.add(f"{name} = {result.code}")
    ready = {}
    for param, name in zip(params, names, strict=True):
        if param.name in needed:
            body.add(f"if type({name}) is T: {name} = F({name})")
            ready[param.name] = Result(code=name, atom=True)
    return inner.child(ready)


def wrapped(unit: Unit, function: StaticFunction) -> Result:
    """Return a known function as a value."""
    if not function.wrapped:
        name = called(unit, function)
        function.wrapped = unit.fresh("w")
        params = function.node.params
        names = unit.constant(tuple(param.name for param in params))
        optional = unit.constant(tuple(param.default is not None for param in params))
        function.home.add(f"{function.wrapped} = Function({name}, {names}, {optional})")
    return Result(code=function.wrapped, kind=Kind.FUNCTION, atom=True)


def function_value(unit: Unit, node: Function, env: Env, block: Block) -> Result:
    """Write a function where it stands, as a value."""
    return wrapped(unit, StaticFunction(node, env, block.slot()))


def object_value(unit: Unit, known: StaticObject) -> Result:
    """Return a known object as a value; it is made when it is first looked at."""
    if not known.name:
        known.name = unit.fresh("o")
        put_off(unit, known.node, known.outer, known.home, known.name)
    return Result(code=f"F({known.name})", kind=Kind.OBJECT, frames=1)


def object_of(unit: Unit, fields: tuple[KnownField, ...], frames: int) -> Result:
    """Return an object of fields that are all written down."""
    deep = all(field.value.kind in DEEP_KINDS and not field.value.lazy for field in fields)
    parts = [
        f"**({{{_pair(unit, field)}}} if {field.present} else {{}})" if field.present else _pair(unit, field)
        for field in fields
    ]
    kind = Kind.DEEP_DICT if deep else Kind.DICT
    frames = max([frames, *(field.value.frames + 2 for field in fields)])
    return Result(code=f"{{{', '.join(parts)}}}", kind=kind, frames=frames, fields=fields)


def _pair(unit: Unit, field: KnownField) -> str:
    return f"{unit.constant(field.name)}: {field.value.code}"
