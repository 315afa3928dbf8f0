"""The tree of a Jsonnet source, as written; `at` is the offset at which a node starts."""

from collections.abc import Iterator
from typing import TypeAlias

import msgspec


class Literal(msgspec.Struct, frozen=True):
    """A text, a number, true, false or null; a whole number up to 2^53 is an int."""

    value: str | int | float | bool | None
    at: int = 0


class Variable(msgspec.Struct, frozen=True):
    """A name; `$` is one too."""

    name: str
    at: int = 0


class Self(msgspec.Struct, frozen=True):
    """The object in whose field this stands."""

    at: int = 0


class SuperField(msgspec.Struct, frozen=True):
    """`super.f` and `super[e]`."""

    key: "Node"
    at: int = 0


class InSuper(msgspec.Struct, frozen=True):
    """`e in super`."""

    key: "Node"
    at: int = 0


class Bind(msgspec.Struct, frozen=True):
    """A name and what it stands for; `local f(x) = e` binds a function."""

    name: str
    value: "Node"
    at: int = 0


class Local(msgspec.Struct, frozen=True):
    """`local a = 1, b = 2; body`; the names see each other."""

    binds: tuple[Bind, ...]
    body: "Node"
    at: int = 0


class Array(msgspec.Struct, frozen=True):
    """`[a, b]`."""

    items: "tuple[Node, ...]"
    at: int = 0


class For(msgspec.Struct, frozen=True):
    """`for name in over` of a comprehension."""

    name: str
    over: "Node"
    at: int = 0


class When(msgspec.Struct, frozen=True):
    """`if condition` of a comprehension."""

    condition: "Node"
    at: int = 0


Spec: TypeAlias = For | When


class ArrayComp(msgspec.Struct, frozen=True):
    """`[body for x in xs if c]`."""

    body: "Node"
    specs: tuple[Spec, ...]
    at: int = 0


class Field(msgspec.Struct, frozen=True):
    """A field of an object; `visibility` is its colons, `plus` says that it adds to what it overrides."""

    name: "Node"
    value: "Node"
    visibility: str = ":"
    plus: bool = False
    at: int = 0


class Assertion(msgspec.Struct, frozen=True):
    """`assert condition : message` of an object."""

    condition: "Node"
    message: "Node | None" = None
    at: int = 0


class Object(msgspec.Struct, frozen=True):
    """`{ ... }` with fields, locals and assertions."""

    fields: tuple[Field, ...] = ()
    binds: tuple[Bind, ...] = ()
    assertions: tuple[Assertion, ...] = ()
    at: int = 0


class ObjectComp(msgspec.Struct, frozen=True):
    """`{ [name]: value for x in xs }`."""

    field: Field
    binds: tuple[Bind, ...]
    specs: tuple[Spec, ...]
    at: int = 0


class Index(msgspec.Struct, frozen=True):
    """`target.f` and `target[e]`."""

    target: "Node"
    key: "Node"
    at: int = 0


class Slice(msgspec.Struct, frozen=True):
    """`target[a:b:c]`."""

    target: "Node"
    start: "Node | None"
    stop: "Node | None"
    step: "Node | None"
    at: int = 0


class Apply(msgspec.Struct, frozen=True):
    """A call; `named` are the arguments given by name."""

    function: "Node"
    args: "tuple[Node, ...]"
    named: "tuple[tuple[str, Node], ...]" = ()
    at: int = 0


class Binary(msgspec.Struct, frozen=True):
    """Two operands; `e { ... }` is their sum."""

    op: str
    left: "Node"
    right: "Node"
    at: int = 0


class Unary(msgspec.Struct, frozen=True):
    """One operand."""

    op: str
    operand: "Node"
    at: int = 0


class If(msgspec.Struct, frozen=True):
    """`if a then b else c`; without else it gives null."""

    condition: "Node"
    then: "Node"
    otherwise: "Node | None"
    at: int = 0


class Param(msgspec.Struct, frozen=True):
    """A parameter, with what it is when it is not given."""

    name: str
    default: "Node | None" = None
    at: int = 0


class Function(msgspec.Struct, frozen=True):
    """`function(a, b=1) body`."""

    params: tuple[Param, ...]
    body: "Node"
    at: int = 0


class Error(msgspec.Struct, frozen=True):
    """`error e`."""

    message: "Node"
    at: int = 0


class Assert(msgspec.Struct, frozen=True):
    """`assert condition : message; body`."""

    assertion: Assertion
    body: "Node"
    at: int = 0


class Import(msgspec.Struct, frozen=True):
    """`import 'name'`; `keyword` may be importstr or importbin."""

    keyword: str
    name: str
    at: int = 0


Node: TypeAlias = (
    Literal
    | Variable
    | Self
    | SuperField
    | InSuper
    | Local
    | Array
    | ArrayComp
    | Object
    | ObjectComp
    | Index
    | Slice
    | Apply
    | Binary
    | Unary
    | If
    | Function
    | Error
    | Assert
    | Import
)

Piece: TypeAlias = Node | Bind | Spec | Field | Assertion | Param


def children(piece: Piece) -> Iterator[Piece]:
    """Yield the parts of a node directly below it, in the order in which they are written."""
    for name in piece.__struct_fields__:
        yield from _pieces(getattr(piece, name))


def walk(piece: Piece) -> Iterator[Piece]:
    """Yield a node and everything below it, from the top down."""
    pending = [piece]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(reversed(list(children(current))))


def _pieces(part: object) -> Iterator[Piece]:
    if isinstance(part, tuple):
        for item in part:
            yield from _pieces(item)
    elif isinstance(part, msgspec.Struct):
        yield part  # type: ignore[misc] # every struct of this module is one
