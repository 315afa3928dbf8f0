"""The Jsonnet parser: a source becomes a tree, or a SyntaxFault."""

from collections.abc import Callable

from gatepost.core.jsonnet.nodes import (
    Apply,
    Array,
    ArrayComp,
    Assert,
    Assertion,
    Binary,
    Bind,
    Error,
    Field,
    For,
    Function,
    If,
    Import,
    Index,
    InSuper,
    Literal,
    Local,
    Node,
    Object,
    ObjectComp,
    Param,
    Self,
    Slice,
    Spec,
    SuperField,
    Unary,
    Variable,
    When,
)
from gatepost.core.jsonnet.tokens import SyntaxFault, Token, scan

_LEVELS = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<", ">", "<=", ">=", "in"),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)
_STRENGTH = {op: level for level, ops in enumerate(_LEVELS) for op in ops}
_UNARY = frozenset({"+", "-", "!", "~"})
_CONSTANTS = {"null": None, "true": True, "false": False}
_IMPORTS = frozenset({"import", "importstr", "importbin"})
_VISIBILITIES = (":::", "::", ":")

DEEPEST = 250
"""Levels of expressions in expressions; more is left to the reference engine."""


def parse(source: str) -> Node:
    """Return the tree of a source; raise SyntaxFault where it is not Jsonnet, or nests too deeply."""
    parser = _Parser(source)
    node = parser.expression()
    parser.expect("", kind="end")
    return node


class _Parser:
    """Recursive descent, with precedence climbing for the binary operators."""

    def __init__(self, source: str) -> None:
        self._tokens = list(scan(source))
        self._next = 0
        self._depth = 0

    # What all rules use.

    @property
    def token(self) -> Token:
        return self._tokens[self._next]

    def take(self) -> Token:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def at(self, text: str, *, ahead: int = 0) -> bool:
        index = self._next + ahead
        if index >= len(self._tokens):
            return False
        token = self._tokens[index]
        return token.text == text and token.kind not in {"text", "number"}

    def accept(self, text: str) -> bool:
        if self.at(text):
            self._next += 1
            return True
        return False

    def expect(self, text: str, *, kind: str = "") -> Token:
        token = self.token
        fits = token.kind == kind if kind else self.at(text)
        if not fits:
            msg = f"expected {text or kind!r}, found {token.text!r}"
            raise SyntaxFault(msg, token.at)
        return self.take()

    # Expressions.

    def expression(self, level: int = 0) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise SyntaxFault("expressions nested too deeply", self.token.at)
        node = self._operand()
        while (strength := self._operator_strength()) >= level:
            operator = self.take()
            if operator.text == "in" and self.at("super"):
                self.take()
                node = InSuper(node, operator.at)
                if self._operator_strength() > strength:
                    # `a in super + b`: the engine takes `super` for no operand.
                    raise SyntaxFault("an operator after 'in super' that binds tighter", self.token.at)
                continue
            node = Binary(operator.text, node, self.expression(strength + 1), operator.at)
        self._depth -= 1
        return node

    def _operator_strength(self) -> int:
        if self.token.kind not in {"operator", "keyword"}:
            return -1
        return _STRENGTH.get(self.token.text, -1)

    def _operand(self) -> Node:
        token = self.token
        if token.kind == "operator" and token.text in _UNARY:
            self.take()
            self._depth += 1
            operand = self._operand()
            self._depth -= 1
            return Unary(token.text, operand, token.at)
        return self._postfixed(self._primary())

    def _postfixed(self, node: Node) -> Node:
        while True:
            token = self.token
            if self.accept("."):
                name = self.expect("", kind="name")
                node = Index(node, Literal(name.text, name.at), token.at)
            elif self.accept("["):
                node = self._bracket(node, token.at)
            elif self.accept("("):
                args, named = self._arguments()
                self.accept("tailstrict")
                node = Apply(node, args, named, token.at)
            elif self.at("{"):
                node = Binary("+", node, self._object(), token.at)
            else:
                return node

    def _bracket(self, target: Node, at: int) -> Node:
        parts: list[Node | None] = [None]
        while not self.accept("]"):
            if self.accept(":"):
                parts.append(None)
            elif self.accept("::"):
                parts += [None, None]
            elif parts[-1] is None:
                parts[-1] = self.expression()
            else:
                raise SyntaxFault("expected ']' or ':'", self.token.at)
        if len(parts) == 1:
            if parts[0] is None:
                raise SyntaxFault("expected an index", at)
            return Index(target, parts[0], at)
        if len(parts) > 3:
            raise SyntaxFault("a slice has at most three parts", at)
        start, stop, step = (*parts, None)[:3]
        return Slice(target, start, stop, step, at)

    def _arguments(self) -> tuple[tuple[Node, ...], tuple[tuple[str, Node], ...]]:
        args: list[Node] = []
        named: list[tuple[str, Node]] = []
        while not self.accept(")"):
            if self.token.kind == "name" and self.at("=", ahead=1):
                name = self.take().text
                self.take()
                named.append((name, self.expression()))
            elif named:
                raise SyntaxFault("an argument without a name after one with a name", self.token.at)
            else:
                args.append(self.expression())
            if not self.at(")"):
                self.expect(",")
        return tuple(args), tuple(named)

    # Operands.

    def _primary(self) -> Node:
        token = self.token
        match token.kind:
            case "number" | "text":
                self.take()
                return Literal(token.value, token.at)
            case "name":
                self.take()
                return Variable(token.text, token.at)
            case "keyword":
                return self._keyword()
        if self.accept("$"):
            return Variable("$", token.at)
        if self.at("{"):
            return self._object()
        if self.accept("["):
            return self._array(token.at)
        if self.accept("("):
            node = self.expression()
            self.expect(")")
            return node
        msg = f"expected an expression, found {token.text!r}"
        raise SyntaxFault(msg, token.at)

    def _keyword(self) -> Node:
        token = self.take()
        if token.text in _CONSTANTS:
            return Literal(_CONSTANTS[token.text], token.at)
        if token.text in _IMPORTS:
            name = self.expect("", kind="text")
            return Import(token.text, str(name.value), token.at)
        rules: dict[str, Callable[[int], Node]] = {
            "self": Self,
            "super": self._super,
            "if": self._if,
            "local": self._local,
            "function": self._function,
            "assert": self._assert,
            "error": lambda at: Error(self.expression(), at),
        }
        if token.text not in rules:
            msg = f"expected an expression, found {token.text!r}"
            raise SyntaxFault(msg, token.at)
        return rules[token.text](token.at)

    def _super(self, at: int) -> Node:
        if self.accept("."):
            name = self.expect("", kind="name")
            return SuperField(Literal(name.text, name.at), at)
        self.expect("[")
        key = self.expression()
        self.expect("]")
        return SuperField(key, at)

    def _if(self, at: int) -> Node:
        condition = self.expression()
        self.expect("then")
        then = self.expression()
        return If(condition, then, self.expression() if self.accept("else") else None, at)

    def _local(self, at: int) -> Node:
        binds = [self._bind()]
        while self.accept(","):
            binds.append(self._bind())
        self.expect(";")
        return Local(tuple(binds), self.expression(), at)

    def _bind(self) -> Bind:
        name = self.expect("", kind="name")
        params = self._params() if self.accept("(") else None
        self.expect("=")
        value = self.expression()
        return Bind(name.text, value if params is None else Function(params, value, name.at), name.at)

    def _function(self, at: int) -> Node:
        self.expect("(")
        return Function(self._params(), self.expression(), at)

    def _params(self) -> tuple[Param, ...]:
        params: list[Param] = []
        while not self.accept(")"):
            name = self.expect("", kind="name")
            params.append(Param(name.text, self.expression() if self.accept("=") else None, name.at))
            if not self.at(")"):
                self.expect(",")
        return tuple(params)

    def _assert(self, at: int) -> Node:
        assertion = self._assertion(at)
        self.expect(";")
        return Assert(assertion, self.expression(), at)

    def _assertion(self, at: int) -> Assertion:
        condition = self.expression()
        return Assertion(condition, self.expression() if self.accept(":") else None, at)

    def _array(self, at: int) -> Node:
        items: list[Node] = []
        while not self.accept("]"):
            items.append(self.expression())
            comma = self.accept(",")
            if len(items) == 1 and self.at("for"):
                specs = self._specs()
                self.expect("]")
                return ArrayComp(items[0], specs, at)
            if not comma and not self.at("]"):
                self.expect("]")
        return Array(tuple(items), at)

    def _specs(self) -> tuple[Spec, ...]:
        specs: list[Spec] = []
        while True:
            token = self.token
            if self.accept("for"):
                name = self.expect("", kind="name")
                self.expect("in")
                specs.append(For(name.text, self.expression(), token.at))
            elif self.accept("if"):
                specs.append(When(self.expression(), token.at))
            else:
                return tuple(specs)
            if len(specs) > DEEPEST:
                raise SyntaxFault("loops nested too deeply", token.at)

    # Objects.

    def _object(self) -> Node:
        opening = self.expect("{")
        fields: list[Field] = []
        binds: list[Bind] = []
        assertions: list[Assertion] = []
        while not self.accept("}"):
            token = self.token
            if self.accept("local"):
                binds.append(self._bind())
            elif self.accept("assert"):
                assertions.append(self._assertion(token.at))
            else:
                fields.append(self._field())
            comma = self.accept(",")
            if self.at("for"):
                return self._object_comp(fields, binds, assertions, opening.at)
            if not comma and not self.at("}"):
                self.expect("}")
        return Object(tuple(fields), tuple(binds), tuple(assertions), opening.at)

    def _object_comp(
        self, fields: list[Field], binds: list[Bind], assertions: list[Assertion], at: int
    ) -> Node:
        specs = self._specs()
        self.expect("}")
        if len(fields) != 1 or assertions or isinstance(fields[0].name, Literal):
            raise SyntaxFault("an object comprehension has one computed field", at)
        return ObjectComp(fields[0], tuple(binds), specs, at)

    def _field(self) -> Field:
        token = self.take()
        name: Node
        if token.kind in {"name", "text"}:
            name = Literal(token.text if token.kind == "name" else token.value, token.at)
        elif token.text == "[" and token.kind == "mark":
            name = self.expression()
            self.expect("]")
        else:
            msg = f"expected a field, found {token.text!r}"
            raise SyntaxFault(msg, token.at)
        params = self._params() if self.accept("(") else None
        plus, visibility = self._colons()
        if plus and params is not None:
            raise SyntaxFault("a method is not added to another", token.at)
        value = self.expression()
        return Field(
            name, value if params is None else Function(params, value, token.at), visibility, plus, token.at
        )

    def _colons(self) -> tuple[bool, str]:
        token = self.expect("", kind="operator")
        plus = token.text.startswith("+")
        colons = token.text[1:] if plus else token.text
        if colons not in _VISIBILITIES:
            msg = f"expected ':', found {token.text!r}"
            raise SyntaxFault(msg, token.at)
        return plus, colons
