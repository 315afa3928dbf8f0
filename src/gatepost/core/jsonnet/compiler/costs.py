"""What an expression costs: whether it is worth putting off, and whether a function is small enough to write out."""

from gatepost.core.jsonnet.compiler.bindings import (
    Deferred,
    Env,
    Result,
    StaticFunction,
)
from gatepost.core.jsonnet.compiler.foresight import size, standard, static
from gatepost.core.jsonnet.compiler.unit import Unit
from gatepost.core.jsonnet.nodes import (
    Apply,
    Array,
    Binary,
    Function,
    If,
    Index,
    Literal,
    Local,
    Node,
    Object,
    Unary,
    Variable,
)

SMALL = 60
"""Nodes of a function that is written out where it is called."""

QUICK = frozenset(
    {
        "abs",
        "asciiLower",
        "asciiUpper",
        "ceil",
        "endsWith",
        "floor",
        "get",
        "isArray",
        "isBoolean",
        "isFunction",
    }
    | {"isNumber", "isObject", "isString", "length", "max", "member", "min", "objectHas", "objectHasAll"}
    | {"startsWith", "substr", "toString", "type"}
)
"""Functions of the standard library that take no time worth putting off."""


def cheap(unit: Unit, node: Node, env: Env, shadow: frozenset[str] = frozenset()) -> bool:
    """Say whether evaluating an expression now costs less than putting it off; it may fail where it is not needed.

    Names in `shadow` are bound within, to something as cheap.
    """
    unit.look()
    match node:
        case Literal() | Function() | Array() | Object():
            return True
        case Variable(name=name):
            return name in shadow or _cheap_name(unit, name, env)
        case Index() | Unary() | Binary() | If():
            return all(cheap(unit, part, env, shadow) for part in _operands(node))
        case Local(binds=binds, body=body):
            inner = shadow | {bind.name for bind in binds}
            return all(cheap(unit, part, env, inner) for part in (*(bind.value for bind in binds), body))
        case Apply():
            return _cheap_call(unit, node, env, shadow)
        case _:
            return False


def _operands(node: Index | Unary | Binary | If) -> tuple[Node, ...]:
    match node:
        case Index(target=target, key=key):
            return target, key
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return left, right
        case If(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise) if otherwise else (condition, then)


def safe(unit: Unit, node: Node, env: Env) -> bool:
    """Say whether evaluating an expression now costs little and will hardly fail, needed or not."""
    return cheap(unit, node, env) and not _dares(unit, node, env)


def _dares(unit: Unit, node: Node, env: Env) -> bool:
    """Say whether an expression does what fails now and then; what stands behind a condition is taken to be guarded."""
    unit.look()
    match node:
        case Index():
            return static(unit, node, env) is None and not standard(unit, node, env)
        case Binary(op=op):
            daring = op not in {"==", "!=", "&&", "||"}
            return daring or _dares(unit, node.left, env) or _dares(unit, node.right, env)
        case Unary(op=op, operand=operand):
            return op != "!" or _dares(unit, operand, env)
        case If(condition=condition):
            return _dares(unit, condition, env)
        case Local(binds=binds, body=body):
            return any(_dares(unit, part, env) for part in (*(bind.value for bind in binds), body))
        case Apply(function=function, args=args):
            known = static(unit, function, env)
            inside = isinstance(known, StaticFunction) and _dares(unit, known.node.body, known.env)
            return inside or any(_dares(unit, arg, env) for arg in args)
        case _:
            return False


def _cheap_name(unit: Unit, name: str, env: Env) -> bool:
    binding = env.get(name)
    if isinstance(binding, Result):
        return not binding.lazy
    if isinstance(binding, Deferred):
        return cheap(unit, binding.node, binding.env)
    return binding is not None


def _cheap_call(unit: Unit, node: Apply, env: Env, shadow: frozenset[str]) -> bool:
    if not all(cheap(unit, part, env, shadow) for part in (*node.args, *(value for _, value in node.named))):
        return False
    if name := standard(unit, node.function, env):
        return name in QUICK
    known = static(unit, node.function, env)
    if not isinstance(known, StaticFunction) or id(known.node) in unit.inlining:
        return False
    if size(unit, known.node.body, SMALL) > SMALL:
        return False
    unit.inlining.append(id(known.node))
    try:
        inner = frozenset(param.name for param in known.node.params)
        return cheap(unit, known.node.body, known.env, inner)
    finally:
        unit.inlining.pop()
