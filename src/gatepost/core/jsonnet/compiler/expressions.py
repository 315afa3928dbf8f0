"""Code for literals, names, operators, conditions, locals and indexing."""

from typing import Final

import msgspec

from gatepost.core.jsonnet.compiler.bindings import (
    DEEP_KINDS,
    OBJECTS,
    Below,
    Deferred,
    Env,
    Kind,
    Result,
    StandardLibrary,
    StaticFunction,
    StaticObject,
)
from gatepost.core.jsonnet.compiler.blocks import Block
from gatepost.core.jsonnet.compiler.costs import cheap
from gatepost.core.jsonnet.compiler.foresight import standard, static
from gatepost.core.jsonnet.compiler.laziness import object_of, object_value, wrapped
from gatepost.core.jsonnet.compiler.locals import bind_all
from gatepost.core.jsonnet.compiler.unit import Uncovered, Unit
from gatepost.core.jsonnet.library.registry import BUILTINS, CONSTANTS
from gatepost.core.jsonnet.nodes import (
    Apply,
    Assert,
    Assertion,
    Binary,
    Error,
    If,
    Import,
    Index,
    InSuper,
    Literal,
    Local,
    Node,
    Self,
    Slice,
    SuperField,
    Unary,
    Variable,
)

_ARITHMETIC: Final = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "%": "mod",
    "&": "bit_and",
    "|": "bit_or",
    "^": "bit_xor",
    "<<": "shift_left",
    ">>": "shift_right",
}
_ORDER: Final = {"<", "<=", ">", ">="}
_UNARY: Final = {"-": "negative", "+": "positive", "~": "complement"}


def literal(unit: Unit, node: Literal, _env: Env, _block: Block) -> Result:
    """A constant."""
    return unit.literal(node.value)


def variable(unit: Unit, node: Variable, env: Env, block: Block) -> Result:
    """What a name stands for, evaluated."""
    return bound(unit, node.name, env, block)


def self_(unit: Unit, _node: Self, env: Env, block: Block) -> Result:
    """The object around."""
    return bound(unit, "self", env, block)


def bound(unit: Unit, name: str, env: Env, block: Block) -> Result:
    """Return the evaluated value of a binding."""
    match env.get(name):
        case Result() as result:
            return forced(result)
        case Deferred(node=node, env=inner):
            result = unit.value(node, inner, block)
            return msgspec.structs.replace(result, frames=result.frames + 1)
        case StaticFunction() as function:
            return wrapped(unit, function)
        case StaticObject() as known:
            return object_value(unit, known)
        case StandardLibrary():
            raise Uncovered("std as a value is not covered")
        case _:
            msg = f"the name {name!r} is not known"
            raise Uncovered(msg)


def super_field(unit: Unit, node: SuperField, env: Env, block: Block) -> Result:
    """`super.f`."""
    below = _below(env)
    key = unit.value(node.key, env, block)
    return Result(code=f"{below.code}.field(as_text({key.code}), {below.level})", frames=key.frames + 4)


def in_super(unit: Unit, node: InSuper, env: Env, block: Block) -> Result:
    """`f in super`."""
    below = _below(env)
    key = unit.value(node.key, env, block)
    code = f"{below.code}.has(as_text({key.code}), {below.level})"
    return Result(code=code, kind=Kind.BOOLEAN, frames=key.frames + 1)


def _below(env: Env) -> Below:
    below = env.get("super")
    if not isinstance(below, Below):
        raise Uncovered("super outside of an object")
    return below


def index(unit: Unit, node: Index, env: Env, block: Block) -> Result:
    """`target.f` and `target[e]`."""
    if name := standard(unit, node, env):
        if name in CONSTANTS:
            return unit.literal(CONSTANTS[name])
        return Result(code=f"std[{unit.constant(name)}]", kind=Kind.FUNCTION, frames=1)
    known = static(unit, node, env)
    if isinstance(known, StaticFunction):
        return wrapped(unit, known)
    target = unit.value(node.target, env, block)
    key = unit.value(node.key, env, block)
    frames = max(target.frames, key.frames) + 2
    if known_value := _part(target, key):
        return msgspec.structs.replace(forced(known_value), frames=max(frames, known_value.frames + 2))
    if target.kind is Kind.DEEP_DICT and key.kind is Kind.TEXT:
        return Result(code=f"{target.code}[{key.code}]", kind=Kind.DEEP, frames=frames)
    kind = Kind.DEEP if target.kind in DEEP_KINDS else Kind.ANY
    how = "field_of" if key.constant and isinstance(key.value, str) else "at"
    return Result(code=f"{how}({target.code}, {key.code})", kind=kind, frames=frames)


def _part(target: Result, key: Result) -> Result | None:
    """Return the field or item that a constant names, where it is known to be there."""
    if not key.constant:
        return None
    for field in target.fields or ():
        if field.name == key.value and not field.present:
            return field.value
    if target.items and type(key.value) is int and 0 <= key.value < len(target.items):
        return target.items[key.value]
    return None


def forced(result: Result) -> Result:
    """Return a result whose value is there for sure."""
    if not result.lazy:
        return result
    code = f"({result.code} if type({result.code}) is not T else F({result.code}))"
    return Result(code=code, frames=result.frames + 1)


def slice_(unit: Unit, node: Slice, env: Env, block: Block) -> Result:
    """`target[a:b:c]`."""
    target = unit.value(node.target, env, block)
    parts = [
        unit.value(part, env, block) if part is not None else unit.literal(None)
        for part in (node.start, node.stop, node.step)
    ]
    code = ", ".join(part.code for part in (target, *parts))
    frames = max(part.frames for part in (target, *parts)) + 8
    kind = Kind.DEEP if target.kind in DEEP_KINDS else Kind.ANY
    return Result(code=f"sliced({code})", kind=kind, frames=frames)


def unary(unit: Unit, node: Unary, env: Env, block: Block) -> Result:
    """`-a`, `+a`, `!a`, `~a`."""
    operand = unit.value(node.operand, env, block)
    if node.op == "!":
        return Result(code=f"(not {boolean(operand)})", kind=Kind.BOOLEAN, frames=operand.frames)
    return Result(code=f"{_UNARY[node.op]}({operand.code})", kind=Kind.NUMBER, frames=operand.frames)


def boolean(result: Result) -> str:
    """Return code for a value that must be true or false."""
    return result.code if result.kind is Kind.BOOLEAN else f"truth({result.code})"


def binary(unit: Unit, node: Binary, env: Env, block: Block) -> Result:
    """Two operands and an operator."""
    if node.op in {"&&", "||"}:
        return _logical(unit, node, env, block)
    left = unit.value(node.left, env, block)
    right = unit.value(node.right, env, block)
    frames = max(left.frames, right.frames) + 3
    if node.op in {"==", "!="}:
        code = _equality(left, right)
        return Result(code=code if node.op == "==" else f"(not {code})", kind=Kind.BOOLEAN, frames=frames)
    if node.op in _ORDER:
        alike = left.kind is right.kind is Kind.NUMBER
        plain = f"({left.code} {node.op} {right.code})"
        code = plain if alike else f"(compare({left.code}, {right.code}) {node.op} 0)"
        return Result(code=code, kind=Kind.BOOLEAN, frames=frames)
    if node.op == "in":
        return Result(code=f"has_field({right.code}, {left.code})", kind=Kind.BOOLEAN, frames=frames)
    if node.op == "+" and left.fields is not None and right.fields is not None:
        return _sum_of_objects(unit, left, right, frames)
    return _arithmetic(node.op, left, right, frames)


def _sum_of_objects(unit: Unit, left: Result, right: Result, frames: int) -> Result:
    names = {field.name for field in right.fields or ()}
    kept = tuple(field for field in left.fields or () if field.name not in names)
    both = {field.name for field in left.fields or ()} & {
        field.name for field in right.fields or () if field.present
    }
    if both:
        return _arithmetic("+", left, right, frames)
    return object_of(unit, (*kept, *(right.fields or ())), frames + 12)


def _arithmetic(op: str, left: Result, right: Result, frames: int) -> Result:
    kinds = (left.kind, right.kind)
    if op == "+" and kinds == (Kind.TEXT, Kind.TEXT):
        return Result(code=f"text_sum({left.code}, {right.code})", kind=Kind.TEXT, frames=frames)
    kind = Kind.ANY
    if op not in {"+", "%"}:
        kind = Kind.NUMBER
    elif Kind.TEXT in kinds and (op == "+" or left.kind is Kind.TEXT):
        kind = Kind.TEXT
    elif op == "+" and kinds[0] in OBJECTS and kinds[1] in OBJECTS:
        kind = Kind.OBJECT
    # `%` may format a text, which takes frames of its own.
    frames += BUILTINS["mod"].frames if op == "%" else 0
    return Result(code=f"{_ARITHMETIC[op]}({left.code}, {right.code})", kind=kind, frames=frames)


def _equality(left: Result, right: Result) -> str:
    if left.constant and not right.constant:
        left, right = right, left
    if right.constant and (right.value is None or isinstance(right.value, bool)):
        return f"({left.code} is {right.code})"
    if right.constant and isinstance(right.value, str):
        # A text equals nothing but a text, so Python's own comparison is the same one.
        return f"({left.code} == {right.code})"
    if left.kind is Kind.NUMBER and right.kind is Kind.NUMBER:
        return f"({left.code} == {right.code})"
    return f"equals({left.code}, {right.code})"


def _logical(unit: Unit, node: Binary, env: Env, block: Block) -> Result:
    left = unit.value(node.left, env, block)
    aside = Block()
    right = unit.value(node.right, env, aside)
    frames = max(left.frames, right.frames)
    if aside.empty:
        word = "and" if node.op == "&&" else "or"
        return Result(code=f"({boolean(left)} {word} {boolean(right)})", kind=Kind.BOOLEAN, frames=frames)
    name = unit.fresh("t")
    block.add(f"{name} = {boolean(left)}")
    branch = block.nested(f"if {name}:" if node.op == "&&" else f"if not {name}:")
    branch.take(aside)
    branch.add(f"{name} = {boolean(right)}")
    return Result(code=name, kind=Kind.BOOLEAN, atom=True, frames=frames)


def if_(unit: Unit, node: If, env: Env, block: Block) -> Result:
    """`if a then b else c`."""
    if found := _presence(unit, node, env, block):
        return found
    condition = unit.value(node.condition, env, block)
    if condition.constant and isinstance(condition.value, bool):
        chosen = node.then if condition.value else (node.otherwise or Literal(None))
        return unit.value(chosen, env, block)
    asides = (Block(), Block())
    then = unit.value(node.then, env, asides[0])
    otherwise = unit.value(node.otherwise or Literal(None), env, asides[1])
    kind = joint_kind(then.kind, otherwise.kind)
    frames = max(condition.frames, then.frames, otherwise.frames)
    if all(aside.empty for aside in asides):
        code = f"({then.code} if {boolean(condition)} else {otherwise.code})"
        return Result(code=code, kind=kind, frames=frames)
    name = unit.fresh("t")
    for header, aside, branch in (
        (f"if {boolean(condition)}:", asides[0], then),
        ("else:", asides[1], otherwise),
    ):
        inner = block.nested(header)
        inner.take(aside)
        inner.add(f"{name} = {branch.code}")
    return Result(code=name, kind=kind, atom=True, frames=frames)


def joint_kind(one: Kind, other: Kind) -> Kind:
    """Return what is known of a value that is one or the other."""
    if one is other:
        return one
    return Kind.DEEP if one in DEEP_KINDS and other in DEEP_KINDS else Kind.ANY


def _presence(unit: Unit, node: If, env: Env, block: Block) -> Result | None:
    """Write `if std.objectHas(o, f) then o[f] else d` as one look-up where `o` is a plain object."""
    match node.condition, node.then:
        case (
            Apply(function=function, args=(Variable(name=owner), key), named=()),
            Index(target=Variable(name=target), key=again),
        ) if owner == target and _same(key, again) and standard(unit, function, env) == "objectHas":
            pass
        case _:
            return None
    if not cheap(unit, key, env):
        return None
    whole = bound(unit, owner, env, block)
    if whole.kind is not Kind.DEEP_DICT:
        return None
    name = unit.value(key, env, block)
    if name.kind is not Kind.TEXT:
        return None
    aside = Block()
    default = unit.value(node.otherwise or Literal(None), env, aside)
    kind = Kind.DEEP if default.kind in DEEP_KINDS else Kind.ANY
    frames = max(whole.frames, name.frames, default.frames) + 3
    if not aside.empty or not default.constant:
        return None
    return Result(code=f"{whole.code}.get({name.code}, {default.code})", kind=kind, frames=frames)


def _same(one: Node, other: Node) -> bool:
    match one, other:
        case Variable(name=a), Variable(name=b):
            return a == b
        case Literal(value=a), Literal(value=b):
            return a == b
        case _:
            return False


def local(unit: Unit, node: Local, env: Env, block: Block) -> Result:
    """`local a = 1; body`."""
    inner = bind_all(unit, node.binds, node.body, env, block)
    return unit.value(node.body, inner, block)


def import_(unit: Unit, node: Import, env: Env, _block: Block) -> Result:
    """`import 'name'`: the template library, as a value."""
    known = static(unit, node, env)
    if isinstance(known, StaticObject):
        return object_value(unit, known)
    msg = f"{node.keyword} of a file is not covered"
    raise Uncovered(msg)


def error(_unit: Unit, _node: Error, _env: Env, _block: Block) -> Result:
    """`error e`: the engine says it."""
    return Result(code="doubt()")


def assertion(unit: Unit, node: Assert, env: Env, block: Block) -> Result:
    """`assert c; body`."""
    hold(unit, node.assertion, env, block)
    return unit.value(node.body, env, block)


def hold(unit: Unit, node: Assertion, env: Env, block: Block) -> None:
    """Write the check of an assertion; its message is the engine's affair."""
    condition = unit.value(node.condition, env, block)
    block.nested(f"if not {boolean(condition)}:").add("doubt()")
