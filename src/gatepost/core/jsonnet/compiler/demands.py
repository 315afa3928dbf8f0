"""Which names an expression is sure to need, so that they are evaluated at once rather than put off."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gatepost.core.jsonnet.compiler.bindings import Env, StaticFunction
from gatepost.core.jsonnet.compiler.foresight import standard, static
from gatepost.core.jsonnet.compiler.unit import Unit
from gatepost.core.jsonnet.nodes import (
    Apply,
    Array,
    ArrayComp,
    Assert,
    Binary,
    For,
    Function,
    If,
    Index,
    Local,
    Node,
    Object,
    ObjectComp,
    Slice,
    Unary,
    Variable,
)

Names = frozenset[str]
_NONE: Names = frozenset()


class Demands:
    """Which names an expression is sure to need, however it is evaluated.

    Guesses err on the side of needing: what is evaluated too early may fail, and then the engine renders.
    """

    def __init__(self, unit: Unit, env: Env) -> None:
        self._unit = unit
        self._env = env
        self._params: dict[int, Names] = {}
        self._rules: dict[type, Callable[[Any, Names, bool], Names]] = {
            Variable: lambda node, _shadow, _printed: frozenset({node.name}),
            Array: self._array,
            Object: self._object,
            Index: lambda node, shadow, _: self._all((node.target, node.key), shadow),
            Slice: self._slice,
            Unary: lambda node, shadow, _: self._of(node.operand, shadow),
            Binary: self._binary,
            If: self._if,
            Local: self._local,
            Apply: self._apply,
            ArrayComp: self._comprehension,
            ObjectComp: self._comprehension,
            Assert: self._assert,
        }

    def of(self, node: Node, *, printed: bool = False) -> Names:
        """Return the names; `printed` asks for what printing the value needs."""
        return self._of(node, _NONE, printed=printed)

    def params(self, function: Function) -> Names:
        """Return the parameters that a call is sure to need; in a recursion the best is hoped for."""
        key = id(function)
        if key not in self._params:
            names = frozenset(param.name for param in function.params)
            self._params[key] = names
            # The function's own names hide those around, so that no name is taken for another.
            self._params[key] = self._of(function.body, names) & names
        return self._params[key]

    def _of(self, node: Node, shadow: Names, *, printed: bool = False) -> Names:
        self._unit.look()
        rule = self._rules.get(type(node))
        return rule(node, shadow, printed) if rule else _NONE

    def _all(self, nodes: Iterable[Node], shadow: Names, *, printed: bool = False) -> Names:
        return _NONE.union(*(self._of(node, shadow, printed=printed) for node in nodes))

    def _array(self, node: Array, shadow: Names, printed: bool) -> Names:
        return self._all(node.items, shadow, printed=True) if printed else _NONE

    def _object(self, node: Object, shadow: Names, printed: bool) -> Names:
        if not printed:
            return _NONE
        own = frozenset(bind.name for bind in node.binds)
        shown = [field.value for field in node.fields if field.visibility != "::"]
        return self._all(shown, shadow | own, printed=True) - own

    def _slice(self, node: Slice, shadow: Names, _printed: bool) -> Names:
        parts = (node.target, node.start, node.stop, node.step)
        return self._all([part for part in parts if part is not None], shadow)

    def _binary(self, node: Binary, shadow: Names, printed: bool) -> Names:
        if node.op in {"&&", "||"}:
            return self._of(node.left, shadow)
        # Of two objects printed as one, what the left one says is mostly printed too.
        return self._all((node.left, node.right), shadow, printed=printed and node.op == "+")

    def _if(self, node: If, shadow: Names, printed: bool) -> Names:
        both = self._of(node.otherwise, shadow, printed=printed) if node.otherwise else _NONE
        both &= self._of(node.then, shadow, printed=printed)
        return self._of(node.condition, shadow) | both

    def _local(self, node: Local, shadow: Names, printed: bool) -> Names:
        values = {bind.name: bind.value for bind in node.binds}
        inner = shadow | values.keys()
        needed = self._of(node.body, inner, printed=printed)
        seen: set[str] = set()
        while pending := [name for name in values if name in needed and name not in seen]:
            seen.update(pending)
            needed |= self._all([values[name] for name in pending], inner)
        return needed - values.keys()

    def _apply(self, node: Apply, shadow: Names, printed: bool) -> Names:
        own = self._of(node.function, shadow)
        if printed:
            return own | self._all(node.args, shadow, printed=True)
        if own & shadow:
            return own
        if standard(self._unit, node.function, self._env):
            return own | self._all(node.args, shadow)
        known = static(self._unit, node.function, self._env)
        return (
            own | self._all(self._needed(known.node, node), shadow)
            if isinstance(known, StaticFunction)
            else own
        )

    def _needed(self, function: Function, node: Apply) -> Sequence[Node]:
        """Return the arguments that a function is sure to need."""
        needed = self.params(function)
        given = [
            value for param, value in zip(function.params, node.args, strict=False) if param.name in needed
        ]
        return [*given, *(value for name, value in node.named if name in needed)]

    def _comprehension(self, node: ArrayComp | ObjectComp, shadow: Names, _printed: bool) -> Names:
        first = node.specs[0]
        return self._of(first.over, shadow) if isinstance(first, For) else _NONE

    def _assert(self, node: Assert, shadow: Names, printed: bool) -> Names:
        return self._of(node.assertion.condition, shadow) | self._of(node.body, shadow, printed=printed)
