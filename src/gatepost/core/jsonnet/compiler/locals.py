"""Code for the names that `local` binds: which are evaluated at once, which wait, which never get a variable."""

from collections.abc import Sequence

import msgspec

from gatepost.core.jsonnet.compiler.bindings import (
    Binding,
    Deferred,
    Env,
    Result,
    StaticFunction,
    StaticObject,
)
from gatepost.core.jsonnet.compiler.blocks import Block
from gatepost.core.jsonnet.compiler.costs import safe
from gatepost.core.jsonnet.compiler.demands import Demands
from gatepost.core.jsonnet.compiler.foresight import static, uses
from gatepost.core.jsonnet.compiler.laziness import put_off
from gatepost.core.jsonnet.compiler.unit import Unit
from gatepost.core.jsonnet.nodes import (
    Bind,
    Function,
    Import,
    Index,
    Literal,
    Node,
    Object,
    Self,
    Variable,
    walk,
)


def bind_all(
    unit: Unit, binds: Sequence[Bind], body: Node, env: Env, block: Block, *, printed: bool = False
) -> Env:
    """Write the bindings of a `local` and return the environment of its body; `printed` is what the body is for."""
    home = block.slot()
    inner = env.child({})
    group = {bind.name: bind.value for bind in binds}
    for bind in binds:
        inner.bind(bind.name, _plain(unit, bind.value, inner, home) or Deferred(bind.value, inner))
    waiting = [name for name in group if isinstance(inner.get(name), Deferred)]
    needs = _reached(unit, group)
    wanted = _wanted(unit, group, body, inner, printed=printed)
    several = [name for name in waiting if _count(unit, name, group, body) > 1 or name in needs[name]]
    eager = [
        name
        for name in several
        if name not in needs[name] and (name in wanted or unit.eager or safe(unit, group[name], inner))
    ]
    for name in several:
        inner.bind(name, Result(code=unit.fresh("x"), atom=True, lazy=True, frames=0))
    for name in several:
        if name not in eager:
            binding = inner.get(name)
            assert isinstance(binding, Result)
            put_off(unit, group[name], inner, block, binding.code)
    for name in sorted(eager, key=lambda name: len(needs[name])):
        early = inner.get(name)
        result = unit.atom(unit.value(group[name], inner, block), block)
        # What was written down before knows it under the name it had then.
        assert isinstance(early, Result)
        block.add(f"{early.code} = {result.code}")
        inner.bind(name, _one_deeper(result))
    return inner


def _one_deeper(result: Result) -> Result:
    """Return a variable's value: the reference engine would have it evaluated from where it is used."""
    return msgspec.structs.replace(result, frames=result.frames + 1)


def _plain(unit: Unit, node: Node, env: Env, home: Block) -> Binding | None:
    """Return what a binding is when it needs no evaluation."""
    match node:
        case Function():
            return StaticFunction(node, env, home)
        case Literal(value=value):
            return unit.literal(value)
        case Object():
            return static_object(node, env, home)
        case Import() | Index():
            return static(unit, node, env)
        case _:
            return None


def static_object(node: Object, env: Env, home: Block) -> StaticObject | None:
    """Return an object with functions as one whose functions are known, if nothing in it is computed."""
    named = all(isinstance(field.name, Literal) and not field.plus for field in node.fields)
    functions = any(isinstance(field.value, Function) for field in node.fields)
    plain = all(isinstance(bind.value, Function | Literal | Import | Self) for bind in node.binds)
    if not (named and functions and plain):
        return None
    known = StaticObject(node, env, home)
    inner = env.child({"self": known, **({} if env.get("$") else {"$": known})})
    for bind in node.binds:
        if isinstance(bind.value, Function):
            inner.bind(bind.name, StaticFunction(bind.value, inner, home))
        else:
            inner.bind(bind.name, Deferred(bind.value, inner))
    known.inner = inner
    return known


def _count(unit: Unit, name: str, group: dict[str, Node], body: Node) -> int:
    return uses(unit, name, body) + sum(uses(unit, name, value) for value in group.values())


def _reached(unit: Unit, group: dict[str, Node]) -> dict[str, frozenset[str]]:
    """Return, for each name of a group, the names of it that its value may look at, directly or through others."""
    direct: dict[str, set[str]] = {}
    for name, value in group.items():
        pieces = list(walk(value))
        unit.look(len(pieces))
        direct[name] = {piece.name for piece in pieces if isinstance(piece, Variable)} & group.keys()
    return {name: _closure(name, direct) for name in group}


def _closure(name: str, direct: dict[str, set[str]]) -> frozenset[str]:
    reached: set[str] = set()
    pending = [name]
    while pending:
        found = direct[pending.pop()] - reached
        reached |= found
        pending += found
    return frozenset(reached)


def _wanted(unit: Unit, group: dict[str, Node], body: Node, env: Env, *, printed: bool) -> frozenset[str]:
    demands = Demands(unit, env)
    wanted = demands.of(body, printed=printed)
    for _ in group:
        more = frozenset().union(*(demands.of(value) for name, value in group.items() if name in wanted))
        if more <= wanted:
            break
        wanted |= more
    return wanted
