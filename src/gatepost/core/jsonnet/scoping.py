"""What is wrong with a source before anything of it runs: names nobody bound, and names bound twice."""

from collections.abc import Iterable, Sequence

from gatepost.core.jsonnet.nodes import (
    ArrayComp,
    Bind,
    Field,
    For,
    Function,
    InSuper,
    Literal,
    Local,
    Node,
    Object,
    ObjectComp,
    Piece,
    Self,
    Spec,
    SuperField,
    Variable,
    children,
)
from gatepost.core.jsonnet.tokens import SyntaxFault

Scope = frozenset[str]


def check(tree: Node) -> None:
    """Raise SyntaxFault where a name is not bound, or is bound twice in one place."""
    pending: list[tuple[Piece, Scope]] = [(tree, frozenset({"std"}))]
    while pending:
        piece, scope = pending.pop()
        pending += _inside(piece, scope)


def _inside(piece: Piece, scope: Scope) -> Iterable[tuple[Piece, Scope]]:
    """Return the parts of a node, each with the names in its sight."""
    match piece:
        case Variable(name=name):
            _require(name in scope, f"the name {name!r} is not known", piece)
        case Self() | SuperField() | InSuper():
            _require("self" in scope, "there is no object around", piece)
        case Function(params=params, body=body):
            _once([param.name for param in params], piece)
            inner = scope | {param.name for param in params}
            return [
                (part, inner) for part in (body, *(param.default for param in params)) if part is not None
            ]
        case Local(binds=binds, body=body):
            inner = _bound(binds, scope, piece)
            return [(body, inner), *((bind.value, inner) for bind in binds)]
        case ArrayComp(body=body, specs=specs):
            parts, inner = _specs(specs, scope)
            return [*parts, (body, inner)]
        case Object():
            return _object(piece, scope)
        case ObjectComp(field=field, binds=binds, specs=specs):
            parts, inner = _specs(specs, scope)
            return [*parts, (field.name, inner), *_fields(field, binds, inner, piece)]
    return [(child, scope) for child in children(piece)]


def _object(piece: Object, scope: Scope) -> list[tuple[Piece, Scope]]:
    _once([str(field.name.value) for field in piece.fields if isinstance(field.name, Literal)], piece)
    inner = _bound(piece.binds, scope, piece) | {"self", "$"}
    values = [
        *(field.value for field in piece.fields),
        *(bind.value for bind in piece.binds),
        *piece.assertions,
    ]
    return [*((field.name, scope) for field in piece.fields), *((value, inner) for value in values)]


def _fields(field: Field, binds: Sequence[Bind], scope: Scope, piece: Piece) -> list[tuple[Piece, Scope]]:
    inner = _bound(binds, scope, piece) | {"self", "$"}
    return [(field.value, inner), *((bind.value, inner) for bind in binds)]


def _specs(specs: Sequence[Spec], scope: Scope) -> tuple[list[tuple[Piece, Scope]], Scope]:
    parts: list[tuple[Piece, Scope]] = []
    for spec in specs:
        parts.append((spec.over if isinstance(spec, For) else spec.condition, scope))
        if isinstance(spec, For):
            scope |= {spec.name}
    return parts, scope


def _bound(binds: Sequence[Bind], scope: Scope, piece: Piece) -> Scope:
    _once([bind.name for bind in binds], piece)
    return scope | {bind.name for bind in binds}


def _once(names: Sequence[str], piece: Piece) -> None:
    _require(len(set(names)) == len(names), "a name is bound twice", piece)


def _require(holds: bool, message: str, piece: Piece) -> None:
    if not holds:
        raise SyntaxFault(message, piece.at)
