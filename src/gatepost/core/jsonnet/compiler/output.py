"""Code that prints: what a template says literally is joined at compile time, around the values that differ."""

from itertools import groupby

from gatepost.core.jsonnet.compiler.bindings import Env, Kind, KnownField, Result, StaticFunction
from gatepost.core.jsonnet.compiler.blocks import Block
from gatepost.core.jsonnet.compiler.braces import is_plain, loops
from gatepost.core.jsonnet.compiler.calls import arguments, given_to, writes_out
from gatepost.core.jsonnet.compiler.expressions import boolean, forced, hold
from gatepost.core.jsonnet.compiler.foresight import standard, static
from gatepost.core.jsonnet.compiler.locals import bind_all
from gatepost.core.jsonnet.compiler.unit import Unit
from gatepost.core.jsonnet.manifest import INDENT, layout_at, printed, quoted
from gatepost.core.jsonnet.nodes import Apply, Array, ArrayComp, Assert, If, Literal, Local, Node, Object

Pieces = list[str | Result]
"""What is printed in order: text known now, and results to be printed."""


_MOST_AT_ONCE = 100
"""Pieces of output joined in one go."""


class Printer:
    """Writes the code that prints one template."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self.frames = 0

    def code(self, node: Node, env: Env, block: Block, margin: str = "") -> str:
        """Return code for the whole output of a node."""
        return self._joined(self._pieces(node, env, block, margin), block)

    def _joined(self, pieces: Pieces, block: Block) -> str:
        parts = [self._code(piece) for piece in _merged(pieces)]
        if len(parts) > _MOST_AT_ONCE:
            return self._put_together(parts, block)
        if len(parts) <= 3:
            return f"({' + '.join(parts)})"
        return f"''.join(({', '.join(parts)},))"

    def _put_together(self, parts: list[str], block: Block) -> str:
        # In stretches, each of which is paid for: a long field may be printed many times.
        name = self._unit.fresh("t")
        block.add(f"{name} = []")
        for at in range(0, len(parts), _MOST_AT_ONCE):
            block.add(f"put({name}, ''.join(({', '.join(parts[at : at + _MOST_AT_ONCE])},)))")
        return f"''.join({name})"

    def _code(self, piece: str | Result) -> str:
        return self._unit.constant(piece) if isinstance(piece, str) else piece.code

    def _pieces(self, node: Node, env: Env, block: Block, margin: str) -> Pieces:
        unit = self._unit
        match node:
            case Object() if _is_literal(unit, node, env):
                return self._object(node, env, block, margin)
            case Array():
                return self._array(node, env, block, margin)
            case ArrayComp():
                return self._array_comp(node, env, block, margin)
            case Local(binds=binds, body=body):
                return self._pieces(
                    body, bind_all(unit, binds, body, env, block, printed=True), block, margin
                )
            case Assert(assertion=assertion, body=body):
                hold(unit, assertion, env, block)
                return self._pieces(body, env, block, margin)
            case If():
                return self._if(node, env, block, margin)
            case Apply() if (known := static(unit, node.function, env)) and not standard(
                unit, node.function, env
            ):
                if isinstance(known, StaticFunction) and writes_out(unit, known):
                    return self._written_out(known, node, env, block, margin)
        return self._any(self._eagerly(node, env, block), block, margin)

    def _eagerly(self, node: Node, env: Env, block: Block) -> Result:
        with self._unit.eagerness(True):
            return self._unit.value(node, env, block)

    def _any(self, result: Result, block: Block, margin: str) -> Pieces:
        self.frames = max(self.frames, result.frames)
        unit = self._unit
        if result.constant:
            return [unit.fixed(printed(result.value, margin))]
        if result.fields is not None:
            return self._fields(result.fields, block, margin)
        if result.items is not None:
            inner = margin + INDENT
            return _framed("[]", [self._again(item, block, inner) for item in result.items], margin)
        if result.kind is Kind.BOOLEAN:
            return [Result(code=f"('true' if {result.code} else 'false')")]
        result = unit.atom(result, block)
        if result.kind is Kind.TEXT:
            return [Result(code=f"q({result.code})")]
        rest = f"printed({result.code}, {unit.constant(margin)})"
        if result.kind in {Kind.NUMBER, Kind.ARRAY, Kind.DICT, Kind.OBJECT, Kind.DEEP_ARRAY, Kind.DEEP_DICT}:
            return [Result(code=rest)]
        # `q` leaves the controls beyond ASCII as they are; they are escaped in all that is printed, at the end.
        return [Result(code=f"(q({result.code}) if type({result.code}) is str else {rest})")]

    def _again(self, part: Result, block: Block, margin: str) -> Pieces:
        # A value that is known is written out wherever it is printed, and so is what is in it.
        self._unit.step()
        return self._any(forced(part), block, margin)

    def _named(self, name: str, pieces: Pieces) -> Pieces:
        return [self._unit.fixed(f"{quoted(name)}: "), *pieces]

    def _object(self, node: Object, env: Env, block: Block, margin: str) -> Pieces:
        unit = self._unit
        shown_values = Array(tuple(field.value for field in node.fields))
        inner = bind_all(unit, node.binds, shown_values, env, block, printed=True) if node.binds else env
        if env.get("$") is None:
            inner = inner.child({"$": Result(code="doubt()", kind=Kind.OBJECT)})
        shown = sorted(
            (str(field.name.value), field) for field in node.fields if isinstance(field.name, Literal)
        )
        items = [
            self._named(name, self._pieces(field.value, inner, block, margin + INDENT))
            for name, field in shown
        ]
        return _framed("{}", items, margin)

    def _fields(self, fields: tuple[KnownField, ...], block: Block, margin: str) -> Pieces:
        unit = self._unit
        inner = margin + INDENT
        shown = sorted(fields, key=lambda field: field.name)
        if not any(field.present for field in shown):
            items = [self._named(field.name, self._again(field.value, block, inner)) for field in shown]
            return _framed("{}", items, margin)
        lines = unit.fresh("t")
        block.add(f"{lines} = []")
        for field in shown:
            branch = block.nested(f"if {field.present}:") if field.present else block
            pieces = self._named(field.name, self._again(field.value, branch, inner))
            branch.add(f"{lines}.append({self._joined(pieces, branch)})")
        lead = f"\n{inner}"
        opening, between, closing = (
            unit.constant(text) for text in ("{" + lead, "," + lead, f"\n{margin}}}")
        )
        code = f"({opening} + {between}.join({lines}) + {closing} if {lines} else {unit.constant('{ }')})"
        return [Result(code=code)]

    def _array(self, node: Array, env: Env, block: Block, margin: str) -> Pieces:
        items = [self._pieces(item, env, block, margin + INDENT) for item in node.items]
        return _framed("[]", items, margin)

    def _array_comp(self, node: ArrayComp, env: Env, block: Block, margin: str) -> Pieces:
        unit = self._unit
        items = unit.fresh("t")
        block.add(f"{items} = []")

        def item(scope: Env, body: Block) -> Result:
            text = self.code(node.body, scope, body, margin + INDENT)
            body.add(f"put({items}, {text})")
            return unit.literal(None)

        _, frames = loops(unit, node.specs, env, block, item)
        self.frames = max(self.frames, frames + 12)
        edge = unit.constant(margin)
        return [Result(code=f"listed({items}, layout_at({edge}))")]

    def _if(self, node: If, env: Env, block: Block, margin: str) -> Pieces:
        unit = self._unit
        then, otherwise = node.then, node.otherwise or Literal(None)
        if not any(
            isinstance(part, Object | Array | ArrayComp | Local | If | Apply) for part in (then, otherwise)
        ):
            return self._any(self._eagerly(node, env, block), block, margin)
        condition = unit.value(node.condition, env, block)
        self.frames = max(self.frames, condition.frames)
        name = unit.fresh("t")
        for header, part in ((f"if {boolean(condition)}:", then), ("else:", otherwise)):
            branch = block.nested(header)
            branch.add(f"{name} = paid({self.code(part, env, branch, margin)})")
        return [Result(code=name, atom=True)]

    def _written_out(self, known: StaticFunction, node: Apply, env: Env, block: Block, margin: str) -> Pieces:
        unit = self._unit
        unit.inlining.append(id(known.node))
        inner = arguments(unit, known, given_to(known, node), env, block)
        pieces = self._pieces(known.node.body, inner, block, margin)
        unit.inlining.pop()
        return pieces


def _is_literal(unit: Unit, node: Object, env: Env) -> bool:
    # A name may be written as `[null]` or `[1]`: one leaves the field out, the other is an error.
    named = all(
        isinstance(field.name, Literal) and isinstance(field.name.value, str) for field in node.fields
    )
    return named and is_plain(unit, node, env)


def _framed(brackets: str, items: list[Pieces], margin: str) -> Pieces:
    if not items:
        return [layout_at("").empty if brackets == "{}" else layout_at("").empty_list]
    lead = f"\n{margin}{INDENT}"
    pieces: Pieces = [brackets[0]]
    for at, item in enumerate(items):
        pieces += [f",{lead}" if at else lead, *item]
    return [*pieces, f"\n{margin}{brackets[1]}"]


def _merged(pieces: Pieces) -> Pieces:
    merged: Pieces = []
    for fixed, run in groupby(pieces, key=lambda piece: isinstance(piece, str)):
        same = list(run)
        merged += ["".join(map(str, same))] if fixed else same
    return merged
