"""Code for calls of the standard library."""

from collections.abc import Callable
from typing import Final

from gatepost.core.jsonnet.compiler.bindings import Env, Kind, Result
from gatepost.core.jsonnet.compiler.blocks import Block
from gatepost.core.jsonnet.compiler.foresight import standard
from gatepost.core.jsonnet.compiler.laziness import lazy
from gatepost.core.jsonnet.compiler.unit import Uncovered, Unit
from gatepost.core.jsonnet.library.registry import BUILTINS, Builtin
from gatepost.core.jsonnet.nodes import Apply, Literal, Node

_BUILT_IN: Final = frozenset(
    {"length", "type", "objectHas", "objectHasAll", "objectFields", "map", "filter", "join"}
)
"""Functions that are the engine's own."""

VARIABLES: Final = {
    "ly_entity": Result(code="entity", kind=Kind.DEEP_DICT, atom=True),
    "ly_job_config": Result(code="job_config", kind=Kind.DEEP, atom=True),
    "ly_auth_config": Result(code="auth_config", kind=Kind.DEEP, atom=True),
    "ly_segment_association": Result(code="association", kind=Kind.DEEP_DICT, atom=True),
}
"""What a template reads from outside: JSON, given here as values."""

_TESTS: Final = {
    "isString": "(type({0}) is str)",
    "isArray": "(type({0}) is list)",
    "isNull": "({0} is None)",
    "isNumber": "is_number({0})",
    "isObject": "is_object({0})",
    "isFunction": "(type({0}) is Function)",
    "isBoolean": "(type({0}) is bool)",
}
_NUMBER: Final = "(type({0}) is int or type({0}) is float)"
_KINDS: Final = {
    "text": Kind.TEXT,
    "boolean": Kind.BOOLEAN,
    "number": Kind.NUMBER,
    "texts": Kind.TEXTS,
    "numbers": Kind.DEEP_ARRAY,
}


def standard_call(unit: Unit, name: str, node: Apply, env: Env, block: Block) -> Result:
    """`std.f(...)`."""
    if name == "extVar":
        return _variable(node)
    if name == "parseJson" and (whole := _parsed_variable(unit, node, env)):
        return whole
    builtin = BUILTINS.get(name)
    if builtin is None:
        msg = f"std.{name} is not covered"
        raise Uncovered(msg)
    args = _arguments(unit, name, builtin, node, env, block)
    frames = max([arg.frames for arg in args if arg], default=0)
    frames += 4 if name in _BUILT_IN else builtin.frames
    special = _SPECIAL.get(name)
    if special and (code := special(args)):
        return Result(code=code, kind=Kind.BOOLEAN, frames=frames)
    code = ", ".join(arg.code if arg else "M" for arg in args)
    kind = _KINDS.get(builtin.gives, Kind.ANY)
    return Result(code=f"std_{name}({code})", kind=kind, frames=frames)


def _arguments(
    unit: Unit, name: str, builtin: Builtin, node: Apply, env: Env, block: Block
) -> list[Result | None]:
    given: list[Node | None] = [*node.args, *[None] * (len(builtin.params) - len(node.args))]
    for word, value in node.named:
        if word not in builtin.params or given[builtin.params.index(word)] is not None:
            given = []
            break
        given[builtin.params.index(word)] = value
    required = len(builtin.params) - builtin.optional
    if len(given) != len(builtin.params) or any(value is None for value in given[:required]):
        msg = f"a call of std.{name} whose arguments do not fit"
        raise Uncovered(msg)
    return [_argument(unit, name, at, value, env, block) for at, value in enumerate(given)]


def _argument(unit: Unit, name: str, at: int, value: Node | None, env: Env, block: Block) -> Result | None:
    if value is None:
        return None
    if at in BUILTINS[name].lazy:
        return lazy(unit, value, env, block)
    return unit.value(value, env, block)


def _variable(node: Apply) -> Result:
    match node.args:
        case (Literal(value="ly_event_stream"),):
            return Result(code="stream", kind=Kind.TEXT, atom=True)
        case _:
            raise Uncovered("an external variable as text is not covered")


def _parsed_variable(unit: Unit, node: Apply, env: Env) -> Result | None:
    match node.args:
        case (Apply(function=function, args=(Literal(value=str(name)),), named=()),) if name in VARIABLES:
            return VARIABLES[name] if standard(unit, function, env) == "extVar" else None
        case _:
            return None


def _test(name: str) -> Callable[[list[Result | None]], str]:
    def test(args: list[Result | None]) -> str:
        (value,) = args
        form = _NUMBER if name == "isNumber" and value and value.atom else _TESTS[name]
        return form.format(value.code if value else "M")

    return test


def _object_has(args: list[Result | None]) -> str:
    owner, name = args
    if owner and name and owner.kind is Kind.DEEP_DICT and name.kind is Kind.TEXT:
        return f"({name.code} in {owner.code})"
    return ""


_SPECIAL: Final[dict[str, Callable[[list[Result | None]], str]]] = {
    **{name: _test(name) for name in _TESTS},
    "objectHas": _object_has,
    "objectHasAll": _object_has,
}
