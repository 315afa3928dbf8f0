"""Code for calls: of known functions, written out where they are small, of the standard library, of anything else."""

import msgspec

from gatepost.core.jsonnet.compiler.bindings import Deferred, Env, Kind, Result, StaticFunction
from gatepost.core.jsonnet.compiler.blocks import Block
from gatepost.core.jsonnet.compiler.costs import SMALL, cheap
from gatepost.core.jsonnet.compiler.demands import Demands
from gatepost.core.jsonnet.compiler.foresight import size, standard, static, uses
from gatepost.core.jsonnet.compiler.intrinsics import standard_call
from gatepost.core.jsonnet.compiler.laziness import called, lazy, put_off
from gatepost.core.jsonnet.compiler.unit import Uncovered, Unit
from gatepost.core.jsonnet.nodes import Apply, Function, Literal, Node, Variable, walk

_DEEPEST = 12
"""Functions written out within each other."""


def call(unit: Unit, node: Apply, env: Env, block: Block) -> Result:
    """`f(a, b=1)`."""
    if name := standard(unit, node.function, env):
        return standard_call(unit, name, node, env, block)
    known = static(unit, node.function, env)
    if isinstance(node.function, Function):
        known = StaticFunction(node.function, env, block.slot())
    if not isinstance(known, StaticFunction):
        return _unknown(unit, node, env, block)
    given = given_to(known, node)
    if writes_out(unit, known):
        return _written_out(unit, known, given, env, block)
    args = [lazy(unit, value, env, block) if value is not None else None for value in given]
    code = ", ".join(arg.code if arg else "M" for arg in args)
    frames = max([arg.frames for arg in args if arg], default=0)
    return Result(code=f"{called(unit, known)}({code})", frames=frames + 2)


def given_to(known: StaticFunction, node: Apply) -> list[Node | None]:
    """Return the arguments in the order of the parameters."""
    params = known.node.params
    names = [param.name for param in params]
    given: list[Node | None] = [*node.args, *[None] * (len(params) - len(node.args))]
    wrong = len(given) > len(params)
    for name, value in node.named:
        if wrong or name not in names or given[names.index(name)] is not None:
            wrong = True
            break
        given[names.index(name)] = value
    if wrong or any(
        value is None and param.default is None for value, param in zip(given, params, strict=True)
    ):
        raise Uncovered("a call whose arguments do not fit")
    return given


def writes_out(unit: Unit, known: StaticFunction) -> bool:
    """Say whether a function is written out where it is called."""
    key = id(known.node)
    if known.name or key in unit.inlining or len(unit.inlining) >= _DEEPEST:
        return False
    return size(unit, known.node.body, SMALL) <= SMALL and not _recursive(unit, known)


def _recursive(unit: Unit, known: StaticFunction) -> bool:
    # A function that names itself may come back to itself; others are caught by the depth.
    return any(known.env.get(name) is known for name in _names(unit, known.node))


def _names(unit: Unit, node: Function) -> set[str]:
    pieces = list(walk(node.body))
    unit.look(len(pieces))
    return {piece.name for piece in pieces if isinstance(piece, Variable)}


def _written_out(
    unit: Unit, known: StaticFunction, given: list[Node | None], env: Env, block: Block
) -> Result:
    unit.inlining.append(id(known.node))
    inner = arguments(unit, known, given, env, block)
    result = unit.value(known.node.body, inner, block)
    unit.inlining.pop()
    return msgspec.structs.replace(result, frames=result.frames + 3)


def arguments(unit: Unit, known: StaticFunction, given: list[Node | None], env: Env, block: Block) -> Env:
    """Bind the parameters of a function that is written out."""
    inner = known.env.child({})
    needed = Demands(unit, known.env).params(known.node)
    for param, value in zip(known.node.params, given, strict=True):
        scope = inner if value is None else env
        node = param.default if value is None else value
        assert node is not None
        _argument(unit, (param.name, node), scope, (known.node, inner, needed), block)
    return inner


def _argument(
    unit: Unit,
    given: tuple[str, Node],
    scope: Env,
    callee: tuple[Function, Env, frozenset[str]],
    block: Block,
) -> None:
    name, node = given
    function, inner, needed = callee
    count = uses(unit, name, function.body) + sum(
        uses(unit, name, p.default) for p in function.params if p.default
    )
    if isinstance(node, Literal):
        inner.bind(name, unit.literal(node.value))
    elif (
        isinstance(node, Variable)
        and (binding := scope.get(node.name)) is not None
        and not isinstance(binding, Deferred)
    ):
        inner.bind(name, binding)
    elif known := static(unit, node, scope):
        inner.bind(name, known)
    elif count <= 1:
        inner.bind(name, Deferred(node, scope))
    elif name in needed or cheap(unit, node, scope):
        inner.bind(name, unit.atom(unit.value(node, scope, block), block))
    else:
        inner.bind(name, put_off(unit, node, scope, block))


def _unknown(unit: Unit, node: Apply, env: Env, block: Block) -> Result:
    function = unit.value(node.function, env, block)
    args = [lazy(unit, arg, env, block) for arg in node.args]
    named = [(name, lazy(unit, value, env, block)) for name, value in node.named]
    frames = max([function.frames, *(arg.frames for arg in args), *(arg.frames for _, arg in named)])
    code = "".join(f"{arg.code}, " for arg in args)
    words = ", ".join(f"{unit.constant(name)}: {arg.code}" for name, arg in named)
    extra = f", {{{words}}}" if words else ""
    return Result(code=f"apply({function.code}, ({code}){extra})", kind=Kind.ANY, frames=frames + 3)
