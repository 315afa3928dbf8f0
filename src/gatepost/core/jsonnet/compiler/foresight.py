"""What can be told of an expression before it is compiled: what it stands for, what it needs, what it costs."""

from gatepost.core.jsonnet.compiler.bindings import (
    Deferred,
    Env,
    StandardLibrary,
    Static,
    StaticFunction,
    StaticObject,
)
from gatepost.core.jsonnet.compiler.unit import Unit
from gatepost.core.jsonnet.nodes import (
    Array,
    ArrayComp,
    Field,
    Function,
    Import,
    Index,
    InSuper,
    Literal,
    Node,
    Object,
    ObjectComp,
    Piece,
    Self,
    SuperField,
    Variable,
    children,
    walk,
)


def static(unit: Unit, node: Node, env: Env) -> Static | None:
    """Return the function, object or library that an expression stands for, if that is plain to see."""
    match node:
        case Variable(name=name):
            return _bound(unit, name, env)
        case Self():
            return _bound(unit, "self", env)
        case Index(target=target, key=Literal(value=str(name))):
            owner = static(unit, target, env)
            return static_field(unit, owner, name) if isinstance(owner, StaticObject) else None
        case Import(keyword="import", name=name):
            module = unit.imported.get(name)
            return module if isinstance(module, StaticFunction | StaticObject) else None
        case _:
            return None


def _bound(unit: Unit, name: str, env: Env) -> Static | None:
    binding = env.get(name)
    if isinstance(binding, Deferred):
        return static(unit, binding.node, binding.env)
    return binding if isinstance(binding, StaticFunction | StaticObject | StandardLibrary) else None


def static_field(unit: Unit, owner: StaticObject, name: str) -> Static | None:
    """Return what a field of a known object stands for."""
    for field in owner.node.fields:
        if isinstance(field.name, Literal) and field.name.value == name and not field.plus:
            inner = owner.inner
            if inner is None:
                return None
            if isinstance(field.value, Function):
                return _function(owner, field, inner)
            return static(unit, field.value, inner)
    return None


def _function(owner: StaticObject, field: Field, inner: Env) -> StaticFunction:
    # One function is one object, so that it is written down once.
    key = f"field {field.at}"
    known = inner.get(key)
    if isinstance(known, StaticFunction):
        return known
    assert isinstance(field.value, Function)
    made = StaticFunction(field.value, inner, owner.home)
    inner.bind(key, made)
    return made


def standard(unit: Unit, node: Node, env: Env) -> str:
    """Return the name of the standard library's function that an expression is, or nothing."""
    match node:
        case Index(target=target, key=Literal(value=str(name))):
            return name if isinstance(static(unit, target, env), StandardLibrary) else ""
        case _:
            return ""


def size(unit: Unit, node: Node, most: int) -> int:
    """Return the number of nodes of an expression, counted no further than one above `most`."""
    count = 0
    for _ in walk(node):
        count += 1
        if count > most:
            break
    unit.look(count)
    return count


def mentions_object(unit: Unit, piece: Piece, *, outermost: bool) -> bool:
    """Say whether a field's value needs the object it is in: by self, by super, or by `$` of the outermost one."""
    pending: list[tuple[Piece, bool]] = [(piece, True)]
    while pending:
        current, own = pending.pop()
        unit.look()
        if own and isinstance(current, Self | SuperField | InSuper):
            return True
        if outermost and isinstance(current, Variable) and current.name == "$":
            return True
        inside = own and not isinstance(current, Object | ObjectComp)
        if isinstance(current, Object | ObjectComp):
            # Names of fields belong to the object around.
            fields = current.fields if isinstance(current, Object) else (current.field,)
            pending += [(field.name, own) for field in fields]
        pending += [(child, inside) for child in children(current)]
    return False


def uses(unit: Unit, name: str, node: Piece) -> int:
    """Return how often a name is used in an expression; within what may run more than once a use counts twice."""
    count = 0
    pending: list[tuple[Piece, bool]] = [(node, False)]
    while pending:
        current, often = pending.pop()
        unit.look()
        if isinstance(current, Variable) and current.name == name:
            count += 2 if often else 1
            continue
        inner = often or isinstance(current, Function | ArrayComp | ObjectComp | Object | Array)
        pending += [(child, inner) for child in children(current)]
    return count
