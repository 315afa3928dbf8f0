"""The tree as JSON: `{op, args}`, `{ident}`, `{val}`, `{seg}`, `{func, args}`, `{list}`.

Read are also a list as bare `{args}`, a function as `op`, and `include` as an operator.
"""

from collections.abc import Mapping

from gatepost.core.filterql.calls import check_calls
from gatepost.core.filterql.functions import BY_NAME
from gatepost.core.filterql.nodes import (
    COMPARISONS,
    DEEPEST,
    Call,
    Everything,
    Include,
    ListOf,
    Literal,
    Name,
    Node,
    Operation,
    joined,
    negated,
    too_deep,
)
from gatepost.core.filterql.parser import name_parts
from gatepost.core.filterql.values import is_list
from gatepost.model.errors import FilterError
from gatepost.model.jsonvalue import JsonObject, JsonValue

_ARITIES = {
    **dict.fromkeys(COMPARISONS, 2),
    **dict.fromkeys(("in", "intersects", "contains", "like", "+", "-", "*", "/", "%"), 2),
    **dict.fromkeys(("not", "exists", "neg"), 1),
    "between": 3,
}
_SYNONYMS = {"==": "=", "<>": "!=", "&&": "and", "||": "or", "!": "not"}
_ALL: JsonObject = {"ident": "*"}


def to_ast(node: Node) -> JsonObject:
    """Turn a tree into JSON."""
    match node:
        case Operation(op=op, args=args):
            return {"op": op, "args": [to_ast(arg) for arg in args]}
        case Call(function=function, args=args):
            return {"func": function, "args": [to_ast(arg) for arg in args]}
        case ListOf(items=items):
            return {"list": [to_ast(item) for item in items]}
        case Name(field=field, key=None):
            return {"ident": field if "`" not in field and field != "*" else _ticked(field)}
        case Name(field=field, key=str(key)):
            return {"ident": f"{_ticked(field)}.{_ticked(key)}"}
        case Literal(value=value):
            return {"val": value}
        case Include(audience=audience):
            return {"seg": audience}
        case _:
            return dict(_ALL)


def from_ast(obj: JsonValue) -> Node:
    """Turn JSON into a tree; a wrong part is refused with its path."""
    node = _node(obj, "ast", 1)
    check_calls(node)
    return node


def _node(obj: JsonValue, path: str, level: int) -> Node:
    if level > DEEPEST:
        raise too_deep()
    if not isinstance(obj, Mapping):
        raise _wrong(path, "must be an object")
    match obj:
        case {"op": str(op)}:
            return _operation(op, _nodes(obj.get("args", ()), f"{path}.args", level), path)
        case {"func": str(function)}:
            return Call(function.lower(), _nodes(obj.get("args", ()), f"{path}.args", level))
        case {"list": listed} | {"args": listed}:
            return ListOf(_nodes(listed, f"{path}.{'list' if 'list' in obj else 'args'}", level))
        case {"ident": "*"} | {"ident": "match_all"}:
            return Everything()
        case {"ident": str(text)} if text:
            return Name(*name_parts(text)) if text.startswith("`") else Name(text)
        case {"val": str() | int() | float() | bool() | None as value}:
            return Literal(value)
        case {"seg": str(audience)} if audience:
            return Include(audience)
        case _:
            raise _wrong(path, "is no part of a filter; expected op and args, ident, val, seg, func or list")


def _nodes(items: JsonValue, path: str, level: int) -> tuple[Node, ...]:
    if not is_list(items):
        raise _wrong(path, "must be a list")
    found = []
    for place, item in enumerate(items):
        found.append(_node(item, f"{path}.{place}", level + 1))
    return tuple(found)


def _operation(word: str, args: tuple[Node, ...], path: str) -> Node:
    op = _SYNONYMS.get(word.lower(), word.lower())
    if op in {"and", "or"}:
        return joined(op, args)
    if op == "include":
        return _include(args, path)
    if op not in _ARITIES and op in BY_NAME:
        return Call(op, args)
    if op not in _ARITIES:
        raise _wrong(path, f"has the unknown operator {word}")
    if len(args) != _ARITIES[op]:
        raise _wrong(path, f"has the operator {word}, which takes {_ARITIES[op]} args, found {len(args)}")
    return negated(args[0]) if op == "not" else Operation(op, args)


def _include(args: tuple[Node, ...], path: str) -> Include:
    match args:
        case (
            (Name(field=audience, key=None),)
            | (Literal(value=str(audience)),)
            | (Include(audience=audience),)
        ):
            return Include(audience)
        case _:
            raise _wrong(path, "has the operator include, which takes the slug or id of one audience")


def _wrong(path: str, problem: str) -> FilterError:
    error = FilterError(f"{path} {problem}")
    error.path = path
    return error


def _ticked(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
