"""Random Jsonnet templates and the two engines that render them, for holding one against the other."""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from _gojsonnet import evaluate_snippet

from gatepost.core.jsonnet.program import Doubt, Uncovered, compile_template
from gatepost.core.templates.presets import library
from gatepost.engines import jsonnet as engine
from gatepost.model.jsonvalue import JsonObject

CONFIG: JsonObject = {"key": "email", "limit": 3, "additional": {"a": [1]}}
AUTH: JsonObject = {"token": "t"}
_NATIVES = {
    "sha256": (("value",), engine._sha256),
    "sha1": (("value",), engine._sha1),
    "hmacSha256": (("message", "key"), engine._hmac_sha256),
}
_FILES = {name: text.encode() for name, text in library().items()}

Choice = TypeVar("Choice")

Names = tuple[tuple[str, str], ...]
"""Names in sight with the kind of value each stands for; a function's is its parameters and what it gives."""

TEXTS = (
    '""',
    "'a'",
    "'b c'",
    "'é'",
    '"\\u007f"',
    '"\\n\\""',
    '"email"',
    "@'a\\b'",
    '"name"',
    '"\\u0085x"',
    '"😀"',
)
NUMBERS = ("0", "1", "-1", "2", "3", "0.5", "-0", "1e3", "9007199254740993", "0.1", "1e-7", "1e16", "4")
KEYS = ("a", "b", "c", "name", "email", "x")
FIELDS = (
    "email",
    "age",
    "score",
    "tags",
    "address",
    "big",
    "none",
    "missing",
    "nested",
    "segment_events",
    "odd",
)
LISTS = ("[]", "[1, 2, 3]", '["a", "b"]', "[null, 1, 'x']")
OBJECTS = ("{}", "{ a: 1 }", "{ a: 'x', b: [1] }", "{ a: { b: 2 } }")

PROFILES: tuple[JsonObject, ...] = (
    {
        "email": "ada@example.com",
        "age": 36,
        "score": 41.5,
        "_segments": ["tea", "coffee"],
        "tags": ["a", "b", None],
        "address": {"a": 1, "name": "n\x7f", "x": {"b": []}},
        "big": 2**53 + 1,
        "none": None,
        "nested": {"a": {"b": {"c": [1, {"d": -0.0}]}}},
        "odd": '\u0085"\\\n\u2028😀',
        "segment_events": [{"id": "0bad", "slug": "tea", "event": "enter", "enter": "2017-10-15T19:12:00Z"}],
    },
    {
        "email": "",
        "age": 0.1,
        "score": -0.0,
        "tags": [],
        "address": {},
        "big": -(2**63),
        "segment_events": [{"id": "cafe", "slug": "é", "event": "exit", "exit": "2017-10-15T19:12:00Z"}],
    },
    {},
)


def reference(source: str, entity: object) -> str | None:
    """Return what the reference engine prints, or None when it refuses."""
    variables = {
        "ly_entity": msgspec.json.encode(entity).decode(),
        "ly_job_config": msgspec.json.encode(CONFIG).decode(),
        "ly_auth_config": msgspec.json.encode(AUTH).decode(),
        "ly_segment_association": "{}",
        "ly_event_stream": "",
    }
    try:
        text: str = evaluate_snippet(
            "template",
            source,
            ext_vars=variables,
            import_callback=lambda _folder, name: (name, _FILES[name]),
            native_callbacks=_NATIVES,
        )
    except RuntimeError:
        return None
    return text


class Compiled(msgspec.Struct, frozen=True):
    """What became of a template on the fast path: a text, or why there is none."""

    text: str | None
    covered: bool = True
    cause: BaseException | None = None


def compiled(source: str, entity: JsonObject) -> Compiled:
    """Render on the fast path."""
    try:
        program = compile_template(source, library())
    except Uncovered as uncovered:
        return Compiled(None, covered=False, cause=uncovered)
    try:
        return Compiled(program.render(entity, CONFIG, AUTH))
    except Doubt as doubt:
        return Compiled(None, cause=doubt.__cause__)


class Writer:
    """Writes a random template; most of them render, some do not."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._count = 0
        self._forms: dict[str, Sequence[Callable[[int, Names], str]]] = {
            "text": (self._joined, self._called_text, self._printed),
            "number": (self._computed, self._measured),
            "boolean": (self._compared, self._decided, self._tested),
            "list": (self._listed, self._looped, self._mapped, self._sliced),
            "object": (self._braces, self._braces, self._added, self._keyed, self._known),
            "any": (),
        }

    def template(self) -> str:
        """Return a source."""
        kind = self._one("any", "object", "object", "list", "text", "number")
        body = self.expression(self._chance.randint(2, 6), kind, ())
        return f"local ly = import 'lytemplates.libsonnet';\n{body}"

    def expression(self, depth: int, kind: str, names: Names) -> str:
        """Return an expression of a kind, which may be `any`."""
        if kind == "any":
            kind = self._one("text", "number", "boolean", "list", "object", "object")
        if depth <= 0:
            return self._leaf(kind, names)
        shared = (self._chosen, self._bound, self._read, self._indexed, self._called, self._guarded)
        if self._chance.random() < 0.45:
            return self._one(*shared)(depth - 1, kind, names)
        return self._one(*self._forms[kind])(depth - 1, names)

    # Choosing.

    def _one(self, *choices: Choice) -> Choice:
        return self._chance.choice(choices)

    def _maybe(self, share: float) -> bool:
        return self._chance.random() < share

    def _fresh(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def _leaf(self, kind: str, names: Names) -> str:
        known = [name for name, of in names if of in {kind, "any"}]
        if known and self._maybe(0.6):
            return self._one(*known)
        leaves = {
            "text": TEXTS,
            "number": NUMBERS,
            "boolean": ("true", "false"),
            "list": LISTS,
            "object": OBJECTS,
        }
        return self._one(*leaves[kind])

    # Forms that give any kind.

    def _chosen(self, depth: int, kind: str, names: Names) -> str:
        condition = self.expression(depth, "boolean", names)
        then = self.expression(depth, kind, names)
        otherwise = f" else {self.expression(depth, kind, names)}" if self._maybe(0.9) else ""
        return f"(if {condition} then {then}{otherwise})"

    def _bound(self, depth: int, kind: str, names: Names) -> str:
        binds: list[str] = []
        for _ in range(self._chance.randint(1, 3)):
            if self._maybe(0.3):
                name, param, gives = (
                    self._fresh("f"),
                    self._fresh("p"),
                    self._one("text", "number", "list", "object"),
                )
                body = self.expression(depth - 1, gives, (*names, (param, "any")))
                default = f"={self.expression(0, 'any', names)}" if self._maybe(0.5) else ""
                binds.append(f"{name}({param}{default}) = {body}")
                names = (*names, (name, f"function {gives}" if default else "function"))
            else:
                name, of = self._fresh("v"), self._one("text", "number", "boolean", "list", "object")
                binds.append(f"{name} = {self.expression(depth, of, names)}")
                names = (*names, (name, of))
        return f"(local {', '.join(binds)}; {self.expression(depth, kind, names)})"

    def _read(self, _depth: int, kind: str, names: Names) -> str:
        field = self._one(*FIELDS)
        reads = {
            "text": (
                "ly.get('email', 'z')",
                "ly.segSlug()",
                "ly.getFirstField('tags', 'z')",
                f"std.toString(ly.get('{field}'))",
            ),
            "number": (
                "ly.get('age', 7)",
                "ly.get('score', 1)",
                "ly.get('big', 0)",
                "std.length(ly.segEvents())",
            ),
            "boolean": (
                f"ly.has('{field}')",
                "ly.isEnter()",
                "ly.inSeg('tea')",
                f"ly.isValidSha1(ly.get('{field}'))",
            ),
            "list": ("ly.get('tags', [])", "ly.segEvents()", "ly.get('_segments', [''])"),
            "object": (
                "ly.get('address', {})",
                "ly.segEvents()[0]",
                "ly.get('nested', {})",
                "ly.jobConfGet('additional')",
            ),
        }
        if self._maybe(0.2):
            return f"ly.{self._one('get', 'getFirstField')}('{field}', {self.expression(0, kind, names)})"
        return self._one(*reads[kind])

    def _indexed(self, depth: int, kind: str, names: Names) -> str:
        value, other = self.expression(depth, kind, names), self.expression(depth, "any", names)
        one, two = self._chance.sample(KEYS, 2)
        return self._one(
            f"{{ {one}: {value}, {two}: {other} }}.{one}", f"[{value}, {other}][0]", f"[{other}, {value}][1]"
        )

    def _called(self, depth: int, kind: str, names: Names) -> str:
        known = [name for name, of in names if of == f"function {kind}"]
        if known:
            return f"{self._one(*known)}({self.expression(depth, 'any', names) if self._maybe(0.7) else ''})"
        param = self._fresh("p")
        body = self.expression(depth, kind, (*names, (param, "any")))
        return f"(function({param}) {body})({self.expression(depth, 'any', names)})"

    def _guarded(self, depth: int, kind: str, names: Names) -> str:
        value = self.expression(depth, kind, names)
        if self._maybe(0.2):
            return f"error {self.expression(depth, 'text', names)}"
        return f"(assert {self.expression(depth, 'boolean', names)}; {value})"

    # Forms of one kind.

    def _joined(self, depth: int, names: Names) -> str:
        return f"({self.expression(depth, 'text', names)} + {self.expression(depth, self._one('text', 'any'), names)})"

    def _called_text(self, depth: int, names: Names) -> str:
        text = self.expression(depth, "text", names)
        return self._one(
            f"std.asciiUpper({text})",
            f"std.type({self.expression(depth, 'any', names)})",
            f"ly.sha256({self.expression(depth, 'any', names)})",
            f"std.stripChars({text}, {self.expression(depth, 'text', names)})",
            f"std.join({text}, [std.toString(x) for x in {self.expression(depth, 'list', names)}])",
        )

    def _printed(self, depth: int, names: Names) -> str:
        return f"std.toString({self.expression(depth, 'any', names)})"

    def _computed(self, depth: int, names: Names) -> str:
        left, right = (self.expression(depth, "number", names) for _ in range(2))
        operator = self._one("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>")
        return f"({left} {operator} {right})" if self._maybe(0.8) else f"{self._one('-', '+', '~')}({left})"

    def _measured(self, depth: int, names: Names) -> str:
        if self._maybe(0.5):
            return f"std.length({self.expression(depth, self._one('text', 'list', 'object'), names)})"
        body = self.expression(depth - 1, "number", (*names, ("x", "number"), ("y", "any")))
        return f"std.foldl(function(x, y) {body}, {self.expression(depth, 'list', names)}, 0)"

    def _compared(self, depth: int, names: Names) -> str:
        kind = self._one("number", "text", "number", "list", "any")
        operator = self._one("==", "!=") if kind == "any" else self._one("<", "<=", ">", ">=", "==", "!=")
        return f"({self.expression(depth, kind, names)} {operator} {self.expression(depth, kind, names)})"

    def _decided(self, depth: int, names: Names) -> str:
        left, right = (self.expression(depth, "boolean", names) for _ in range(2))
        return self._one(f"({left} && {right})", f"({left} || {right})", f"!({left})")

    def _tested(self, depth: int, names: Names) -> str:
        value = self.expression(depth, "any", names)
        key = self._one(*KEYS)
        return self._one(
            f"std.is{self._one('String', 'Number', 'Boolean', 'Array', 'Object', 'Function')}({value})",
            f"('{key}' in {self.expression(depth, 'object', names)})",
            f"std.objectHas({self.expression(depth, 'object', names)}, '{key}')",
            f"std.member({self.expression(depth, 'list', names)}, {value})",
        )

    def _listed(self, depth: int, names: Names) -> str:
        return (
            f"[{', '.join(self.expression(depth, 'any', names) for _ in range(self._chance.randint(0, 3)))}]"
        )

    def _looped(self, depth: int, names: Names) -> str:
        name = self._fresh("x")
        inner = (*names, (name, "any"))
        loop = f"for {name} in {self.expression(depth, 'list', names)}"
        if self._maybe(0.3):
            second = self._fresh("x")
            loop += f" for {second} in {self.expression(depth - 1, 'list', inner)}"
            inner = (*inner, (second, "any"))
        condition = f" if {self.expression(depth - 1, 'boolean', inner)}" if self._maybe(0.4) else ""
        return f"[{self.expression(depth, 'any', inner)} {loop}{condition}]"

    def _mapped(self, depth: int, names: Names) -> str:
        name, over = self._fresh("x"), self.expression(depth, "list", names)
        inner = (*names, (name, "any"))
        return self._one(
            f"std.map(function({name}) {self.expression(depth, 'any', inner)}, {over})",
            f"std.filter(function({name}) {self.expression(depth, 'boolean', inner)}, {over})",
            f"std.objectFields({self.expression(depth, 'object', names)})",
            f"std.objectValues({self.expression(depth, 'object', names)})",
            f"({over} + {self.expression(depth, 'list', names)})",
        )

    def _sliced(self, depth: int, names: Names) -> str:
        start, stop = self._one("", "1", "-1", "0"), self._one("", "2", "-1", "1")
        return f"{self.expression(depth, 'list', names)}[{start}:{stop}]"

    def _braces(self, depth: int, names: Names) -> str:
        parts: list[str] = []
        for key in self._chance.sample(KEYS, self._chance.randint(0, 4)):
            if self._maybe(0.1):
                name = self._fresh("v")
                parts.append(f"local {name} = {self.expression(depth, 'any', names)}")
                names = (*names, (name, "any"))
            elif self._maybe(0.05):
                parts.append(f"assert {self.expression(depth - 1, 'boolean', names)}")
            else:
                parts.append(self._field(depth, key, names))
        return f"{{ {', '.join(parts)} }}"

    def _field(self, depth: int, key: str, names: Names) -> str:
        other = self._one(*KEYS)
        value = self.expression(depth, "any", names)
        if self._maybe(0.15):
            looks = (f"self.{other}", f"$.{other}", f"[self.{other}]", f"{{ z: $.{other} }}")
            value = self._one(*looks, f"if '{other}' in super then super.{other} else {value}")
        colons = ":" if self._maybe(0.85) else self._one("::", ":::", "+:")
        if self._maybe(0.08):
            return f"{key}(p=1):: {value}"
        if self._maybe(0.15):
            computed = self._one(f"'{key}'", f"if {self.expression(0, 'boolean', names)} then '{key}'")
            return f"[{computed}]{colons} {value}"
        return f"{key}{colons} {value}"

    def _added(self, depth: int, names: Names) -> str:
        if self._maybe(0.3):
            value = self.expression(depth, self._one("number", "text", "object", "list"), names)
            more = f"{{ {self._one(*KEYS)}+: {value} }}"
            return f"({self.expression(depth, 'object', names)} + {more})"
        return f"({self.expression(depth, 'object', names)} + {self.expression(depth, 'object', names)})"

    def _keyed(self, depth: int, names: Names) -> str:
        name = self._fresh("x")
        inner = (*names, (name, "text"))
        over = self._one(f"std.objectFields({self.expression(depth, 'object', names)})", '["a", "c", "name"]')
        key = self._one(name, name, f"{name} + {self._one(*TEXTS)}")
        condition = f" if {self.expression(depth - 1, 'boolean', inner)}" if self._maybe(0.4) else ""
        return f"{{ [{key}]: {self.expression(depth, 'any', inner)} for {name} in {over}{condition} }}"

    def _known(self, depth: int, names: Names) -> str:
        whole = self.expression(depth, "object", names)
        return f"(local o = {whole}; {{ [k]: o[k] for k in std.objectFields(o) if o[k] != null }})"
