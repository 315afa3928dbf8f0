"""One template being compiled: what all parts of the compiler share."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from gatepost.core.jsonnet.compiler.bindings import Env, Kind, Result, StaticFunction, StaticObject
from gatepost.core.jsonnet.compiler.blocks import Block
from gatepost.core.jsonnet.nodes import Node
from gatepost.core.jsonnet.values import LONGEST

MOST_NODES: Final = 20_000
"""Nodes compiled, those of inlined functions counted each time; a template that needs more is the engine's."""

MOST_LOOKS: Final = 300_000
"""Nodes looked at ahead of compiling them, so that no source keeps the compiler busy for long."""

_NODES_OF_A_STEP: Final = 16
"""A turn or a call takes a step, and one more for so many nodes."""

Handler = Callable[["Unit", Any, Env, Block], Result]
"""Writes the code for one kind of node into a block and returns where its value is."""


class Uncovered(Exception):
    """The compiler does not cover what the template does; the text says what."""


class Unit:
    """The names, constants and handlers of one compilation."""

    def __init__(self, handlers: Mapping[type, Handler], modules: Mapping[str, Node]) -> None:
        self._handlers = handlers
        self._count = 0
        self._constants: dict[tuple[type, str], str] = {}
        self.nodes = 0
        """Nodes compiled so far."""
        self._looks = 0
        self._fixed = 0
        self.modules = modules
        self.imported: dict[str, StaticFunction | StaticObject | Result] = {}
        self.table: dict[str, object] = {}
        """The constants by their name in the code."""
        self.inlining: list[int] = []
        self.eager = False
        """Everything is about to be printed, so that nothing is worth putting off."""
        self.top = Block()
        """What runs first, whoever needs it."""

    def fresh(self, prefix: str) -> str:
        """Return a name that nothing has yet."""
        self._count += 1
        return f"{prefix}{self._count}"

    def constant(self, value: object) -> str:
        """Return the name of a constant; the code itself never holds a template's text."""
        key = (type(value), repr(value))
        if key not in self._constants:
            name = f"k{len(self._constants)}"
            self._constants[key] = name
            self.table[name] = value
        return self._constants[key]

    def value(self, node: Node, env: Env, block: Block) -> Result:
        """Write code that evaluates a node, and return where its value is."""
        self.step()
        handler = self._handlers.get(type(node))
        if handler is None:
            raise Uncovered(f"{type(node).__name__} is not covered")
        return handler(self, node, env, block)

    def step(self) -> None:
        """Note that a node is compiled, or printed once more; raise Uncovered when there were too many."""
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise Uncovered("the template is too large")

    def price(self, since: int) -> str:
        """Return code that pays for what was compiled since there were so many nodes, each time that it runs."""
        return f"charge({1 + (self.nodes - since) // _NODES_OF_A_STEP})"

    def fixed(self, text: str) -> str:
        """Return a text that is printed as it stands; raise Uncovered when there is more than a render may print."""
        self._fixed += len(text)
        if self._fixed > LONGEST:
            raise Uncovered("the template prints too much")
        return text

    def look(self, count: int = 1) -> None:
        """Note that nodes were looked at; raise Uncovered when there were too many."""
        self._looks += count
        if self._looks > MOST_LOOKS:
            raise Uncovered("the template is too involved")

    def atom(self, result: Result, block: Block) -> Result:
        """Return a result that can be used more than once."""
        if result.atom:
            return result
        name = self.fresh("t")
        block.add(f"{name} = {result.code}")
        return msgspec.structs.replace(result, code=name, atom=True, constant=False)

    @contextmanager
    def eagerness(self, eager: bool) -> Iterator[None]:
        """Write what follows eagerly or not."""
        before, self.eager = self.eager, eager
        yield
        self.eager = before

    def literal(self, value: str | int | float | bool | None) -> Result:
        """Return a value that is known now."""
        kinds = {str: Kind.TEXT, bool: Kind.BOOLEAN, int: Kind.NUMBER, float: Kind.NUMBER}
        kind = kinds.get(type(value), Kind.NULL)
        code = repr(value) if value is None or isinstance(value, bool) else self.constant(value)
        return Result(code=code, kind=kind, atom=True, constant=True, value=value)
