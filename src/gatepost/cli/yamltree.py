"""YAML as values that remember where they stand, without the parts of YAML that surprise."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Keys = tuple[str, ...]
"""Where a value is, as `("audiences", "big_spenders", "filter")`."""

_TEXT_TAG = "tag:yaml.org,2002:str"
_USUAL_TAGS = frozenset({_TEXT_TAG, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_MOST_VALUES = 200_000
"""Aliases can make a small file endless."""


class Place(NamedTuple):
    """Where something stands; lines and columns count from 1."""

    file: Path
    line: int
    column: int
    verbatim: bool = False
    """Whether the text of the value begins right here and goes on as it is written."""

    def __str__(self) -> str:
        """Print it the way editors and compilers do."""
        return f"{self.file}:{self.line}:{self.column}"


class Problem(NamedTuple):
    """One thing that is wrong in a file."""

    place: Place
    keys: Keys
    message: str

    def __str__(self) -> str:
        """Print it on one line that an editor can jump to."""
        where = f"{'.'.join(self.keys)}: " if self.keys else ""
        return f"{self.place}: {where}{self.message}"


class Tree:
    """The values of one file, the place of each, and what is wrong with them."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.value: Any = None
        self.places: dict[Keys, Place] = {}
        self.problems: list[Problem] = []
        self._open: set[int] = set()
        self._count = 0

    def read(self, text: str) -> None:
        """Read a text; what is wrong with it lands in `problems`."""
        try:
            root = yaml.compose(text, Loader=_PlainLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Place(self.file, mark.line + 1, mark.column + 1) if mark else Place(self.file, 1, 1)
            self.problems.append(Problem(place, (), _explained(error, text)))
        except (yaml.YAMLError, RecursionError) as error:
            told = (
                "it is nested too deeply" if isinstance(error, RecursionError) else str(error).split("\n")[0]
            )
            self.problems.append(Problem(Place(self.file, 1, 1), (), f"this is not YAML: {told}"))
        else:
            self.value = None if root is None else self._built(root, ())

    def _built(self, node: Node, keys: Keys) -> Any:
        self.places[keys] = self._place(node)
        self._count += 1
        if id(node) in self._open or self._count > _MOST_VALUES:
            self._wrong(node, keys, "this alias makes the file endless; write the values out")
            return None
        if node.tag not in _USUAL_TAGS:
            self._wrong(node, keys, f"the tag {node.tag} has no meaning here; leave it out")
            return None
        self._open.add(id(node))
        try:
            match node:
                case MappingNode():
                    return self._mapping(node, keys)
                case SequenceNode():
                    return [self._built(item, (*keys, str(i))) for i, item in enumerate(node.value)]
                case _:
                    return _scalar(node)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, keys: Keys) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._wrong(key_node, keys, "a key is one word or a quoted text")
                continue
            key = str(key_node.value)
            below = (*keys, key)
            if key == "<<":
                self._wrong(key_node, keys, "merge keys (<<) are not read; write the keys out")
            elif key in built:
                first = self.places[(*below, "")].line
                self._wrong(
                    key_node, below, f"{key!r} is here a second time; the first one is on line {first}"
                )
            else:
                # The key's own place, for what is wrong with the key and not with its value.
                self.places[(*below, "")] = self._place(key_node)
                built[key] = self._built(value_node, below)
        return built

    def _place(self, node: Node) -> Place:
        mark, style = node.start_mark, getattr(node, "style", None)
        quoted = isinstance(style, str) and style in "'\""
        one_line = mark.line == node.end_mark.line
        # Doubled quotes and escapes shift columns; then only the start is sure.
        width = node.end_mark.column - mark.column - (2 if quoted else 0)
        verbatim = isinstance(node, ScalarNode) and one_line and width == len(node.value)
        return Place(self.file, mark.line + 1, mark.column + 1 + (1 if quoted and verbatim else 0), verbatim)

    def _wrong(self, node: Node, keys: Keys, message: str) -> None:
        self.problems.append(Problem(self._place(node), keys, message))


class _PlainLoader(yaml.SafeLoader):
    """Leaves the meaning of plain words to `_scalar`: here `no` is a country and 12:30 a time of day."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as the base class declares it


def _scalar(node: Node) -> Any:
    text = str(node.value)
    if getattr(node, "style", None) is not None:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _explained(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark
    line = text.split("\n")[mark.line] if mark and mark.line < text.count("\n") + 1 else ""
    if mark and "\t" in line[: mark.column + 1]:
        return "YAML is indented with spaces, here is a tab"
    problem = error.problem or "this is not YAML"
    context = f" {error.context}" if error.context else ""
    return f"this is not YAML: {problem}{context}"
