"""Random calls of Jsonnet's standard library, for holding the compiled ones against the reference engine."""

import random
from collections.abc import Callable, Mapping
from typing import Final

from gatepost.core.jsonnet.library import names
from gatepost.core.jsonnet.library.registry import BUILTINS
from gatepost.model.jsonvalue import JsonObject

_ = names

PROFILE: Final[JsonObject] = {
    "s": "Jürgen K\u0130 ",
    "big": 2**53 + 1,
    "huge": 2**63 - 1,
    "n": [3, 1, 2],
    "o": {"b": 2, "a": {"c": None}},
    "f": 0.1,
    "neg": -0.0,
    "t": True,
    "words": ["b", "a", "c", "a"],
    "e": {},
    "l": [[1, "x"], ["y"]],
    "nul": None,
}
NUMBERS: Final = (
    *("0", "-0", "1", "2", "3", "-1", "-2", "0.5", "-0.5", "1.5", "-2.5", "0.1", "7", "10", "16", "64"),
    *(
        "100",
        "255",
        "0.001",
        "1e-7",
        "1e300",
        "-1e300",
        "9007199254740993",
        "4294967296",
        "123456789012",
        "3.14159",
        "1e17",
        "55296",
        "128512",
        "0.49999999999999994",
        "99.995",
        "5e-324",
        "1000",
        "31",
    ),
)
TEXTS: Final = (
    *(
        "",
        "a",
        "b",
        "ab",
        "abc",
        "aXbXc",
        "x,y,z",
        "  hi \\t",
        "é",
        "Ä",
        "ä",
        "\\u017f",
        "K",
        "😀",
        "a😀b",
        "\\u0000",
        "a\\nb\\n",
    ),
    *(
        "\\u007f",
        "\\u2028",
        "\\\\",
        '\\"',
        "$$",
        "<&>",
        "%",
        "%%",
        "%d",
        "%s",
        "%5.2f",
        "%-5d|",
        "%05d",
        "%#x",
        "%e",
        "%g",
    ),
    *(
        "%c",
        "%(a)s",
        "%(a)5d|",
        "%*d",
        "%.*f",
        "%s %s",
        "%.0f",
        "% d",
        "12",
        "-12",
        "007",
        "ff",
        "0x1",
        "77",
        "1e5",
    ),
    *(
        "[1, 2]",
        '{\\"a\\": [1.50, -0, null]}',
        '\\"\\\\ud800\\"',
        "1e400",
        " true ",
        "QQ==",
        "aGVsbG8=",
        "w7w=",
        "a/b/c",
    ),
    *("yes", "null", "-", "2020-01-01", "0b1", ".5", "main", "sections"),
)
KEYS: Final = ("a", "b", "c", "main", "sections", "key", "é", "x y", "1", "true", "0x1", "1e5", "")
SMALL: Final = ("0", "1", "2", "3", "5", "-1", "1.5", "-0", "10", "1e300", "null", '"1"')
BODIES: Final[Mapping[int, tuple[str, ...]]] = {
    0: ("1", "null"),
    1: (
        *(
            "x",
            "[x]",
            "x + 1",
            "x > 1",
            "true",
            "std.length(x)",
            "std.toString(x)",
            "x == 'a'",
            "x.a",
            "'k'",
            "-x",
        ),
        *("null", "{ a: x }", "error 'f'", "x[0]", "'' + x"),
    ),
    2: ("x + y", "[x, y]", "y", "x", "x < y", "x == y", "{ [std.toString(x)]: y }", "[x] + y", "y + '' + x"),
}
_TWO: Final = frozenset({"foldl", "foldr", "mapWithIndex", "mapWithKey"})
_BOOLEANS: Final = frozenset(
    {"hidden", "inc_hidden", "indent_array_in_object", "quote_keys", "c_document_end"}
)
_SMALL: Final = frozenset({"from", "to", "count", "sz", "i", "len", "maxsplits", "index", "end", "step"})
_ARRAYS: Final = frozenset({"arr", "arrs", "ini"})
_TEXTS: Final = frozenset(
    {"str", "c", "f", "pat", "str1", "str2", "s", "r", "indent", "newline", "key_val_sep", "fname"}
)
_OBJECTS: Final = frozenset({"obj", "o", "conf", "target", "patch"})
_NUMBERS: Final = frozenset({"minVal", "maxVal", "n"})
_FUNCTIONS: Final = frozenset({"func", "keyF", "filter_func", "map_func"})
_MIXED: Final = frozenset({"vals", "sep", "chars", "what", "indexable", "input"})

Make = Callable[[], str]


class Caller:
    """Writes a random call; most arguments are of the kind that the function asks for."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def call(self, family: str) -> str:
        """Return the source of a call of a function of one module."""
        found = [name for name, builtin in BUILTINS.items() if builtin.call.__module__.endswith(f".{family}")]
        name = self._chance.choice(found)
        builtin = BUILTINS[name]
        count = len(builtin.params) - self._chance.randint(0, builtin.optional)
        args = [self._argument(name, param, family) for param in builtin.params[:count]]
        function = f"[std.{name}][0]" if self._seldom() else f"std.{name}"
        return f"local ly = std.parseJson(std.extVar('ly_entity')); {function}({', '.join(args)})"

    def _seldom(self) -> bool:
        return self._chance.random() < 0.06

    def _argument(self, name: str, param: str, family: str) -> str:
        if self._seldom():
            return self.value(2)
        if name in {"range", "makeArray", "repeat"} and param in _SMALL:
            return self._chance.choice(SMALL)
        if param in _FUNCTIONS:
            return self._function(2 if name in _TWO and param == "func" else 1)
        if family == "numbers" and param in {"a", "b", "x", "y"}:
            return self._number()
        if family == "sets" and param in {"a", "b"}:
            return self._set()
        return self._by_name(param)()

    def _by_name(self, param: str) -> Make:
        kinds: tuple[tuple[frozenset[str], Make], ...] = (
            (_BOOLEANS, lambda: self._chance.choice(["true", "false"])),
            (_SMALL, lambda: self._chance.choice(SMALL)),
            (_ARRAYS, lambda: self._array(2)),
            (_TEXTS, self._text),
            (_OBJECTS, lambda: self._object(2)),
            (_NUMBERS, self._number),
            (_MIXED, lambda: self._chance.choice([self._text(), self._array(1), self._object(1)])),
        )
        return next((make for group, make in kinds if param in group), lambda: self.value(2))

    def value(self, depth: int) -> str:
        """Return an expression of any kind."""
        leaves: list[Make] = [
            self._number,
            self._text,
            lambda: self._chance.choice(["true", "false", "null"]),
        ]
        leaves += [
            lambda: f"ly.{self._chance.choice(list(PROFILE))}",
            lambda: self._function(self._chance.randint(0, 2)),
        ]
        nested: list[Make] = [lambda: self._array(depth - 1), lambda: self._object(depth - 1)]
        return self._chance.choice(leaves + nested * 2 if depth > 0 else leaves)()

    def _number(self) -> str:
        if self._chance.random() < 0.8:
            return self._chance.choice(NUMBERS)
        return repr(round(self._chance.uniform(-1000, 1000), self._chance.randint(0, 6)))

    def _text(self) -> str:
        return f'"{self._chance.choice(TEXTS)}"'

    def _function(self, count: int) -> str:
        if self._seldom():
            return self._chance.choice(
                ["std.length", "std.toString", "std.id", "std.abs", "std.max", "std.asciiUpper"]
            )
        return f"(function({', '.join('xy'[:count])}) {self._chance.choice(BODIES[count])})"

    def _array(self, depth: int) -> str:
        makers: list[Make] = [
            self._number,
            self._text,
            lambda: str(self._chance.randint(0, 300)),
            lambda: self.value(depth - 1),
        ]
        nested: list[Make] = [lambda: self._array(depth - 1)]
        make = self._chance.choice(makers + nested if depth > 0 else makers[:3])
        items = [make() for _ in range(self._chance.choice([0, 1, 1, 2, 3, 4]))]
        if self._seldom():
            items.append("error 'no'")
        if self._seldom():
            return f"ly.{self._chance.choice(['n', 'words', 'l'])}"
        return f"[{', '.join(map(self._late, items))}]"

    def _late(self, source: str) -> str:
        # What is not written down plainly is evaluated only when it is looked at.
        return f"(if std.length([1]) > 0 then {source} else 1)" if self._seldom() else source

    def _set(self) -> str:
        numbers = sorted(self._chance.sample(range(8), self._chance.randint(0, 4)))
        texts = sorted(self._chance.sample("abcdeé", self._chance.randint(0, 4)))
        return self._chance.choice([str(numbers), str(texts), self._array(1)])

    def _object(self, depth: int) -> str:
        keys = self._chance.sample(KEYS, self._chance.randint(0, 3))
        colons = [":"] * 9 + ["::", ":::"]
        fields = [f'"{key}"{self._chance.choice(colons)} {self._late(self.value(depth - 1))}' for key in keys]
        if self._seldom():
            fields.append("own: std.length(std.objectFields(self))")
        if self._seldom():
            fields.append(f"assert {self._chance.choice(['true', 'false'])}")
        whole = f"{{ {', '.join(fields)} }}"
        return f"({whole} + {{ a+: 1, zz:: 2 }})" if self._seldom() else whole
