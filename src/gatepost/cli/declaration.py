"""Configuration as files: one YAML file, or all of a folder, as one document whose every value knows its place."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gatepost.cli.failure import CommandError
from gatepost.cli.interpolation import interpolated, refers
from gatepost.cli.shape import misfits
from gatepost.cli.templatecases import folder_beside, type_of, written_in
from gatepost.cli.yamltree import Keys, Place, Problem, Tree
from gatepost.model.errors import InvalidInput
from gatepost.operations.configuration.declaration import Declaration

_NAMED: frozenset[Keys] = frozenset(
    {("streams",), ("schema", "fields"), ("audiences",), ("templates",), ("authorizations",), ("jobs",)}
)
"""Maps from the names of things to what they are."""
_GATHERED: frozenset[Keys] = _NAMED | {(), ("account",), ("schema",)}
"""Maps that may be spread over the files of a folder; nothing in them may be there twice."""
_APPENDED: Keys = ("schema", "mappings")
_SHORTEST_SECRET = 8
"""Shorter texts are hardly secrets, and hiding every `prod` or `sandbox` makes messages unreadable."""
_HEADER_DEPTH = 4
"""`authorizations.<name>.headers.<header>`: from here on everything is taken for a secret."""


class DeclarationError(CommandError):
    """The files cannot be applied; `problems` says why, in the order of the files."""

    def __init__(self, problems: list[Problem]) -> None:
        count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        super().__init__(f"{count}; nothing was changed")
        self.problems = problems


class Declared(NamedTuple):
    """What the files say."""

    document: dict[str, Any]
    places: dict[str, Place]
    """By dotted path."""
    secrets: frozenset[str]

    def problem(self, path: str, message: str, line: int = 0, column: int = 0) -> Problem:
        """Return what is wrong at a path of the document; line and column count within the value there."""
        place = self._place(path)
        if line and place.verbatim:
            first = place.column if line == 1 else 1
            place = place._replace(line=place.line + line - 1, column=first + max(column, 1) - 1)
        elif line:
            message = f"{message} (line {line}, column {column} of this text)"
        return Problem(place, tuple(path.split(".")) if path else (), self.masked(message))

    def masked(self, text: str) -> str:
        """Return a text without the secrets."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def _place(self, path: str) -> Place:
        """Return the place of a value, or of the nearest one around it."""
        while path not in self.places and path:
            path = path.rpartition(".")[0]
        return self.places[path]


def load_declaration(path: Path, environment: Mapping[str, str]) -> Declared:
    """Read a file or the YAML files of a folder; raise DeclarationError with everything that is wrong."""
    trees = [_read(file) for file in _files(path)]
    readers = [_Filled(tree, environment) for tree in trees]
    gathered = _Gathered()
    for tree in trees:
        gathered.add(tree)
    problems = [problem for tree in trees for problem in tree.problems] + gathered.problems
    # A file that could not be read to its end would be told that much is missing.
    problems = problems or list(gathered.misfits())
    if problems:
        raise DeclarationError(sorted(problems, key=lambda problem: problem.place[:3]))
    places = {".".join(keys): place for keys, place in gathered.places.items() if keys[-1:] != ("",)}
    secrets = frozenset(secret for reader in readers for secret in reader.secrets)
    return Declared(gathered.document, {"": Place(path, 1, 1), **places}, secrets)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        msg = f"{path} does not exist"
        raise CommandError(msg, hint="Name a YAML file, or a folder with YAML files in it.")
    files = sorted(file for file in path.iterdir() if file.suffix in {".yaml", ".yml"} and file.is_file())
    if not files:
        msg = f"{path} holds no *.yaml file"
        raise CommandError(msg, hint="Name a YAML file, or a folder with YAML files in it.")
    return files


def _read(file: Path) -> Tree:
    tree = Tree(file)
    tree.places[()] = Place(file, 1, 1)
    try:
        tree.read(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        tree.problems.append(Problem(Place(file, 1, 1), (), f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        tree.problems.append(Problem(Place(file, 1, 1), (), f"is not UTF-8, see byte {error.start}"))
    if tree.value is not None and not isinstance(tree.value, dict):
        tree.problems.append(
            Problem(tree.places[()], (), "the file starts with sections such as `audiences:`")
        )
        tree.value = None
    return tree


class _Filled:
    """Fills a tree: references to the environment, secrets by file, templates by path."""

    def __init__(self, tree: Tree, environment: Mapping[str, str]) -> None:
        self.secrets: set[str] = set()
        self._tree = tree
        self._environment = environment
        tree.value = self._filled(tree.value, ())

    def _filled(self, value: Any, keys: Keys) -> Any:
        match value:
            case str():
                return self._text(value, keys)
            case {"file": name} if keys[:1] == ("authorizations",) and len(value) == 1:
                return self._secret_file(self._filled(name, (*keys, "file")), keys)
            case dict():
                filled = {key: self._filled(item, (*keys, key)) for key, item in value.items()}
                return self._template(filled, keys) if keys[:-1] == ("templates",) else filled
            case list():
                return [self._filled(item, (*keys, str(i))) for i, item in enumerate(value)]
            case None if keys[:-1] in _NAMED:
                # A name with nothing under it is a thing with nothing but its defaults.
                return self._template({}, keys) if keys[0] == "templates" else {}
            case _:
                return value

    def _text(self, text: str, keys: Keys) -> str:
        if "${" in text:
            self._tree.places[keys] = self._tree.places[keys]._replace(verbatim=False)
        try:
            value = interpolated(text, self._environment)
        except InvalidInput as error:
            self._wrong(keys, error.message)
            return text
        if keys[:1] == ("authorizations",) and (len(keys) >= _HEADER_DEPTH or refers(text)):
            self._hide(value)
        return value

    def _secret_file(self, name: Any, keys: Keys) -> str:
        text = self._file(name, (*keys, "file")).rstrip("\r\n")
        self._hide(text)
        return text

    def _template(self, template: dict[str, Any], keys: Keys) -> dict[str, Any]:
        if ("path" in template) is ("source" in template):
            self._wrong(
                keys, "give either `path`, the file that holds the text, or the text itself as `source`"
            )
            return {**template, "source": ""}
        if "source" in template:
            return self._with_cases(template, None, keys)
        path = template.pop("path")
        template["source"] = self._file(path, (*keys, "path"))
        file = self._tree.file.parent / str(path)
        self._tree.places[(*keys, "source")] = Place(file, 1, 1, verbatim=True)
        if "type" not in template and type_of(file) != "jsonnet":
            template["type"] = type_of(file)
        return self._with_cases(template, folder_beside(file), keys)

    def _with_cases(self, template: dict[str, Any], beside: Path | None, keys: Keys) -> dict[str, Any]:
        """Add the cases that lie in the folder a template names, or else beside its file."""
        named = template.get("cases")
        folder = self._tree.file.parent / named if isinstance(named, str) else beside
        if folder is None or not (isinstance(named, str) or (named is None and folder.is_dir())):
            return template
        template.pop("cases", None)
        try:
            cases = written_in(folder)
        except CommandError as error:
            self._wrong((*keys, "cases"), error.message)
            return template
        for one in cases:
            self._tree.places[(*keys, "cases", one.name)] = Place(one.file, 1, 1)
        return {**template, "cases": {one.name: one.document for one in cases}} if cases else template

    def _file(self, name: Any, keys: Keys) -> str:
        """Return the text of a file named relative to the YAML file."""
        if not isinstance(name, str) or not name:
            self._wrong(keys, "name a file, relative to this one")
            return ""
        file = self._tree.file.parent / Path(name).expanduser()
        try:
            return file.read_text(encoding="utf-8")
        except OSError as error:
            self._wrong(keys, f"{file} cannot be read: {error.strerror}")
        except UnicodeDecodeError as error:
            self._wrong(keys, f"{file} is not UTF-8, see byte {error.start}")
        return ""

    def _hide(self, secret: str) -> None:
        if len(secret) >= _SHORTEST_SECRET:
            self.secrets.add(secret)

    def _wrong(self, keys: Keys, message: str) -> None:
        place = self._tree.places.get((*keys, "")) if keys[:-1] in _NAMED else self._tree.places.get(keys)
        place = place or self._tree.places[keys[:-1]]
        self._tree.problems.append(Problem(place, keys, message))


class _Gathered:
    """The trees of several files put together."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {}
        self.places: dict[Keys, Place] = {}
        self.problems: list[Problem] = []

    def add(self, tree: Tree) -> None:
        """Add a file."""
        mappings = _at(self.document, _APPENDED)
        shift = len(mappings) if isinstance(mappings, list) else 0
        if isinstance(tree.value, dict):
            self._merge(self.document, tree.value, (), tree)
        for keys, place in _shifted(tree.places, shift):
            self.places.setdefault(keys, place)

    def misfits(self) -> Iterator[Problem]:
        """Yield what does not fit a declaration."""
        for misfit in misfits(self.document, Declaration):
            key_place = self.places.get((*misfit.keys, ""))
            place = key_place if misfit.at_key and key_place else self.places[misfit.keys]
            yield Problem(place, misfit.keys, misfit.message)

    def _merge(self, into: dict[str, Any], add: dict[str, Any], keys: Keys, tree: Tree) -> None:
        for key, value in add.items():
            below = (*keys, key)
            held = into.get(key)
            if held is None:
                # A section may be written with nothing under it.
                into[key] = {} if value is None and below in _GATHERED else value
            elif below in _GATHERED and isinstance(held, dict) and isinstance(value, dict | None):
                self._merge(held, value or {}, below, tree)
            elif below == _APPENDED and isinstance(held, list) and isinstance(value, list):
                into[key] = [*held, *value]
            else:
                place = tree.places[(*below, "")]
                message = f"{key!r} is already declared at {self.places[(*below, '')]}"
                self.problems.append(Problem(place, below, message))


def _at(document: Any, keys: Keys) -> Any:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _shifted(places: Mapping[Keys, Place], shift: int) -> Iterator[tuple[Keys, Place]]:
    """Yield the places of a file whose mappings come after `shift` others."""
    for keys, place in places.items():
        if keys[:2] == _APPENDED and len(keys) > 2 and keys[2]:
            yield (*_APPENDED, str(int(keys[2]) + shift), *keys[3:]), place
        else:
            yield keys, place
