"""What names stand for while a template is compiled."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import TypeAlias

import msgspec

from gatepost.core.jsonnet.compiler.blocks import Block
from gatepost.core.jsonnet.nodes import Function, Node, Object


class Kind(Enum):
    """What is known of a value before it is there; the deep ones hold no thunk, function or layered object."""

    ANY = auto()
    DEEP = auto()
    NULL = auto()
    BOOLEAN = auto()
    NUMBER = auto()
    TEXT = auto()
    ARRAY = auto()
    DEEP_ARRAY = auto()
    TEXTS = auto()
    """An array of texts."""
    DICT = auto()
    DEEP_DICT = auto()
    OBJECT = auto()
    FUNCTION = auto()


DEEP_KINDS = frozenset(
    {Kind.DEEP, Kind.NULL, Kind.BOOLEAN, Kind.NUMBER, Kind.TEXT, Kind.DEEP_ARRAY, Kind.DEEP_DICT}
    | {Kind.TEXTS}
)
OBJECTS = frozenset({Kind.DICT, Kind.DEEP_DICT, Kind.OBJECT})


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Python code for a value.

    `frames` bounds how many frames the reference engine may stack on the way to it, beyond those counted while it runs.
    """

    code: str
    kind: Kind = Kind.ANY
    atom: bool = False
    """The code is a name: using it twice costs nothing."""
    frames: int = 0
    constant: bool = False
    """The value is `value`, known now."""
    value: str | int | float | bool | None = None
    lazy: bool = False
    """The value may still be a thunk."""
    fields: "tuple[KnownField, ...] | None" = None
    """Of an object, what is in it, each under a name of its own; of anything else nothing."""
    items: "tuple[Result, ...] | None" = None
    """Of an array, what is in it."""


class KnownField(msgspec.Struct, frozen=True, kw_only=True):
    """A field of an object that is being put together."""

    name: str
    value: Result
    present: str = ""
    """Code that says whether the field is there; empty when it is."""


class StaticFunction:
    """A function whose code is known where it is called."""

    def __init__(self, node: Function, env: "Env", home: Block) -> None:
        self.node = node
        self.env = env
        self.home = home
        self.name = ""
        """Its Python name, once it was written down."""
        self.wrapped = ""
        """The Python name of the function as a value."""


class StaticObject:
    """An object whose functions are known where they are called."""

    def __init__(self, node: Object, env: "Env", home: Block) -> None:
        self.node = node
        self.outer = env
        self.home = home
        self.inner: Env | None = None
        """What its fields see when nothing extends it, once somebody asked."""
        self.name = ""
        """The Python name of the object as a value."""


class StandardLibrary:
    """What `std` stands for unless a template says otherwise."""


Static: TypeAlias = StaticFunction | StaticObject | StandardLibrary


class Deferred(msgspec.Struct, frozen=True):
    """Evaluated where it is used."""

    node: Node
    env: "Env"


class Below(msgspec.Struct, frozen=True):
    """What `super` stands for: the layers below a level of an object."""

    code: str
    level: str


Binding: TypeAlias = Result | Deferred | StaticFunction | StaticObject | StandardLibrary | Below


class Env:
    """The names in sight; `self`, `super` and `$` are among them."""

    def __init__(self, names: Mapping[str, Binding]) -> None:
        self._names = dict(names)

    def get(self, name: str) -> Binding | None:
        """Return what a name stands for."""
        return self._names.get(name)

    def child(self, names: Mapping[str, Binding]) -> "Env":
        """Return the same names and some more."""
        return Env({**self._names, **names})

    def bind(self, name: str, binding: Binding) -> None:
        """Say what a name of this environment stands for, when it could not be said before."""
        self._names[name] = binding
