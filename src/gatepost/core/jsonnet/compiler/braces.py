"""Code for arrays, objects and comprehensions."""

from collections.abc import Callable, Sequence

import msgspec

from gatepost.core.jsonnet.compiler.bindings import DEEP_KINDS, Below, Env, Kind, KnownField, Result
from gatepost.core.jsonnet.compiler.blocks import Block
from gatepost.core.jsonnet.compiler.costs import cheap
from gatepost.core.jsonnet.compiler.expressions import boolean, hold
from gatepost.core.jsonnet.compiler.foresight import mentions_object, standard
from gatepost.core.jsonnet.compiler.laziness import lazy, object_of, put_off
from gatepost.core.jsonnet.compiler.locals import bind_all
from gatepost.core.jsonnet.compiler.unit import Uncovered, Unit
from gatepost.core.jsonnet.nodes import (
    Apply,
    Array,
    ArrayComp,
    Binary,
    Field,
    For,
    If,
    Index,
    InSuper,
    Literal,
    Local,
    Node,
    Object,
    ObjectComp,
    Spec,
    SuperField,
    Variable,
    When,
)

_MOST_UNROLLED = 64
_SHORT = 24
"""Characters of code that are repeated rather than given a name."""
_VISIBILITY = {":": 0, "::": 1, ":::": 2}


def array(unit: Unit, node: Array, env: Env, block: Block) -> Result:
    """`[a, b]`."""
    items = tuple(unit.atom(lazy(unit, item, env, block), block) for item in node.items)
    deep = all(item.kind in DEEP_KINDS and not item.lazy for item in items)
    frames = max([item.frames for item in items], default=0) + 1
    kind = Kind.DEEP_ARRAY if deep else Kind.ARRAY
    code = f"[{', '.join(item.code for item in items)}]"
    return Result(code=code, kind=kind, frames=frames, items=items)


def array_comp(unit: Unit, node: ArrayComp, env: Env, block: Block) -> Result:
    """`[e for x in xs if c]`."""
    items = unit.fresh("t")
    block.add(f"{items} = []")

    def item(inner: Env, body: Block) -> Result:
        result = lazy(unit, node.body, inner, body)
        body.add(f"{items}.append({result.code})")
        return result

    result, frames = loops(unit, node.specs, env, block, item)
    kind = Kind.DEEP_ARRAY if result.kind in DEEP_KINDS and not result.lazy else Kind.ARRAY
    return Result(code=items, kind=kind, atom=True, frames=frames + 12)


def loops(
    unit: Unit, specs: Sequence[Spec], env: Env, block: Block, body: Callable[[Env, Block], Result]
) -> tuple[Result, int]:
    """Write the loops of a comprehension around what `body` writes; return its result, and the frames of all."""
    if not specs:
        result = body(env, block)
        return result, result.frames
    first, *rest = specs
    if not isinstance(first, For):
        condition = unit.value(first.condition, env, block)
        branch = block.nested(f"if {boolean(condition)}:")
        result, frames = loops(unit, rest, env, branch, body)
        return result, max(frames, condition.frames) + 1
    over = unit.value(first.over, env, block)
    name = unit.fresh("v")
    deep = over.kind in DEEP_KINDS
    kind = Kind.TEXT if over.kind is Kind.TEXTS else Kind.DEEP if deep else Kind.ANY
    item = Result(code=name, kind=kind, atom=True, lazy=not deep)
    inside = Block()
    before = unit.nodes
    result, frames = loops(unit, rest, env.child({first.name: item}), inside, body)
    turn = block.nested(f"for {name} in as_list({over.code}):")
    turn.add(unit.price(before))
    if inside.closes:
        # What is put off in a turn must keep that turn's values, so each turn is a call.
        each = unit.fresh("c")
        header = turn.nested(f"def {each}({name}):")
        header.take(inside)
        turn.add(f"{each}({name})")
    else:
        turn.take(inside)
    return result, max(frames, over.frames) + 2


def object_(unit: Unit, node: Object, env: Env, block: Block) -> Result:
    """`{ ... }`: a dict where the fields know nothing of the object, else a layer."""
    if any(_is_null(field.name) for field in node.fields):
        kept = tuple(field for field in node.fields if not _is_null(field.name))
        node = msgspec.structs.replace(node, fields=kept)
    if is_plain(unit, node, env):
        return _plain(unit, node, env, block)
    return _layered(unit, node, env, block)


def _is_null(name: Node) -> bool:
    return isinstance(name, Literal) and name.value is None


def is_plain(unit: Unit, node: Object, env: Env) -> bool:
    """Say whether an object's fields are shown, and know nothing of the object they are in."""
    outermost = env.get("$") is None
    if node.assertions or any(field.visibility != ":" or field.plus for field in node.fields):
        return False
    parts = [*(field.value for field in node.fields), *(bind.value for bind in node.binds)]
    return not any(mentions_object(unit, part, outermost=outermost) for part in parts)


def _plain(unit: Unit, node: Object, env: Env, block: Block) -> Result:
    values = Array(tuple(field.value for field in node.fields))
    inner = bind_all(unit, node.binds, values, env, block) if node.binds else env
    if env.get("$") is None:
        inner = inner.child({"$": Result(code="doubt()", kind=Kind.OBJECT)})
    names = [plain_name(field) for field in node.fields]
    if None not in names and len({name for name, _ in filter(None, names)}) == len(names):
        known = tuple(
            known_field(unit, (name, condition, field.value), (env, inner), block)
            for (name, condition), field in zip(filter(None, names), node.fields, strict=True)
        )
        return object_of(unit, known, 2)
    return _computed(unit, node, env, inner, block)


def plain_name(field: Field) -> tuple[str, Node | None] | None:
    """Return a field's name, and the condition on which it is there, where it is written as `[if c then 'name']`."""
    match field.name:
        case Literal(value=str(name)):
            return name, None
        case If(condition=condition, then=Literal(value=str(name)), otherwise=None | Literal(value=None)):
            return name, condition
        case _:
            return None


def known_field(
    unit: Unit, parts: tuple[str, Node | None, Node], scopes: tuple[Env, Env], block: Block
) -> KnownField:
    """Write a field under a condition, if there is one; the scopes are those of the condition and of the value."""
    name, condition, value = parts
    outer, inner = scopes
    if condition is None:
        return KnownField(name=name, value=unit.atom(lazy(unit, value, inner, block), block))
    tested = unit.value(condition, outer, block)
    present = boolean(tested)
    if len(present) > _SHORT:
        block.add(f"{(short := unit.fresh('t'))} = {present}")
        present = short
    if isinstance(value, Index) and isinstance(value.key, Variable) and cheap(unit, value, inner):
        # What the condition looked at: it is there, and known.
        return KnownField(name=name, value=unit.atom(unit.value(value, inner, block), block), present=present)
    held = unit.fresh("t")
    block.add(f"{held} = None")
    branch = block.nested(f"if {present}:")
    result = lazy(unit, value, inner, branch)
    branch.add(f"{held} = {result.code}")
    frames = max(result.frames, tested.frames + 1)
    whole = msgspec.structs.replace(
        result, code=held, atom=True, constant=False, fields=None, items=None, frames=frames
    )
    return KnownField(name=name, value=whole, present=present)


def _computed(unit: Unit, node: Object, env: Env, inner: Env, block: Block) -> Result:
    names = [unit.value(field.name, env, block) for field in node.fields]
    values = [unit.atom(lazy(unit, field.value, inner, block), block) for field in node.fields]
    frames = max([value.frames for value in (*names, *values)], default=0) + 2
    deep = all(value.kind in DEEP_KINDS and not value.lazy for value in values)
    items = ", ".join(f"({name.code}, {value.code})" for name, value in zip(names, values, strict=True))
    return Result(code=f"fields([{items}])", kind=Kind.DEEP_DICT if deep else Kind.DICT, frames=frames)


def _layered(unit: Unit, node: Object, env: Env, block: Block) -> Result:
    names = [unit.atom(unit.value(field.name, env, block), block) for field in node.fields]
    make, this, level = unit.fresh("l"), unit.fresh("s"), unit.fresh("n")
    body = block.nested(f"def {make}({this}, {level}):")
    # The object is not there yet when its fields are made, so that none may be looked at.
    with unit.eagerness(False):
        inner = _inside(unit, node, env, (this, level), body)
        values = [
            _field(unit, field, name, inner, body) for field, name in zip(node.fields, names, strict=True)
        ]
        held = _assertions(unit, node, env, block) if node.assertions else "None"
    pairs = ", ".join(f"{name.code}: {value.code}" for name, value in zip(names, values, strict=True))
    body.add(f"return {{{pairs}}}")
    shown = ", ".join(
        f"({name.code}, {_VISIBILITY[field.visibility]})"
        for field, name in zip(node.fields, names, strict=True)
    )
    frames = max([name.frames for name in names], default=0) + 2
    return Result(code=f"Obj((Layer(fields([{shown}]), {make}, {held}),))", kind=Kind.OBJECT, frames=frames)


def _inside(unit: Unit, node: Object, env: Env, place: tuple[str, str], body: Block) -> Env:
    this, level = place
    own = Result(code=this, kind=Kind.OBJECT, atom=True)
    inner = env.child({"self": own, "super": Below(this, level), **({} if env.get("$") else {"$": own})})
    parts = Array(tuple(field.value for field in node.fields))
    return bind_all(unit, node.binds, parts, inner, body) if node.binds else inner


def _field(unit: Unit, field: Field, name: Result, env: Env, body: Block) -> Result:
    value = field.value
    if field.plus:
        # `f+: e` stands for what is below and e, where there is something below.
        key = unit.fresh("field ")
        env = env.child({key: name})
        whole = Binary("+", SuperField(Variable(key)), value)
        value = If(InSuper(Variable(key)), whole, value)
    return put_off(unit, value, env, body) if not isinstance(value, Literal) else lazy(unit, value, env, body)


def _assertions(unit: Unit, node: Object, env: Env, block: Block) -> str:
    make, this, level = unit.fresh("l"), unit.fresh("s"), unit.fresh("n")
    body = block.nested(f"def {make}({this}, {level}):")
    inner = _inside(unit, node, env, (this, level), body)
    for assertion in node.assertions:
        hold(unit, assertion, inner, body)
    return make


def object_comp(unit: Unit, node: ObjectComp, env: Env, block: Block) -> Result:
    """`{ [k]: v for x in xs }`."""
    value = Local(node.binds, node.field.value) if node.binds else node.field.value
    looks = mentions_object(unit, value, outermost=env.get("$") is None)
    if looks or node.field.visibility != ":" or node.field.plus:
        raise Uncovered("an object comprehension that looks at the object is not covered")
    inner = env if env.get("$") else env.child({"$": Result(code="doubt()", kind=Kind.OBJECT)})
    if unrolled := _unrolled(unit, node, value, inner, block):
        return unrolled
    items = unit.fresh("t")
    block.add(f"{items} = []")

    def item(scope: Env, body: Block) -> Result:
        key = unit.value(node.field.name, scope, body)
        result = lazy(unit, value, scope, body)
        body.add(f"{items}.append(({key.code}, {result.code}))")
        return result

    result, frames = loops(unit, node.specs, inner, block, item)
    kind = Kind.DEEP_DICT if result.kind in DEEP_KINDS and not result.lazy else Kind.DICT
    return Result(code=f"fields({items})", kind=kind, frames=frames + 12)


def _unrolled(unit: Unit, node: ObjectComp, value: Node, env: Env, block: Block) -> Result | None:
    """Write `{ [k]: ... for k in std.objectFields(o) if ... }` field by field where the fields of `o` are known."""
    match node.specs:
        case (For(name=name, over=Apply(function=function, args=(Variable(name=owner),), named=())), *rest):
            pass
        case _:
            return None
    known = env.get(owner)
    of_fields = standard(unit, function, env) == "objectFields" and node.field.name == Variable(
        name, node.field.name.at
    )
    if not (of_fields and isinstance(known, Result) and known.fields and len(rest) <= 1):
        return None
    if len(known.fields) > _MOST_UNROLLED or any(field.present for field in known.fields):
        return None
    condition = rest[0].condition if rest and isinstance(rest[0], When) else None
    if rest and condition is None:
        return None
    made: list[KnownField] = []
    for field in known.fields:
        scope = env.child({name: unit.literal(field.name)})
        made.append(known_field(unit, (field.name, condition, value), (scope, scope), block))
    return object_of(unit, tuple(made), known.frames + 14)
