"""What a configuration document may say; unknown keys are refused, because they are misspelt ones."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from gatepost.model.jsonvalue import JsonValue
from gatepost.model.schema import IDENTIFIERS_LIMIT, Length
from gatepost.operations.configuration.problems import ConfigurationInvalid, Problem

_PLACE = re.compile(r"(?P<message>.*?)(?: - at `(?P<path>.*)`)?", re.DOTALL)
_INDEX = re.compile(r"\[(\d+)\]")


class _Declared(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Part of a document."""


class DeclaredAccount(_Declared, frozen=True, kw_only=True):
    """The account itself."""

    name: str


class DeclaredStream(_Declared, frozen=True, kw_only=True):
    """How the events of a stream are read."""

    timestamp_field: str = ""
    event_name_field: str = ""
    description: str = ""


class DeclaredAssertions(_Declared, frozen=True, kw_only=True):
    """What a value must be to be taken into a field."""

    email: bool = False
    format: str = "any"
    length: Length | None = None
    filter: str = ""


class DeclaredField(_Declared, frozen=True, kw_only=True):
    """One field of the profile; without `merge`, its type's usual operator."""

    type: str = "string"
    merge: str = ""
    identifier: bool = False
    capacity: int = 0
    keep_days: int = 0
    assertions: DeclaredAssertions | None = None
    pii: bool = False
    tags: tuple[str, ...] = ()
    description: str = ""
    long_description: str = ""


class DeclaredMapping(_Declared, frozen=True, kw_only=True):
    """How a field is filled from the events of a stream."""

    stream: str
    field: str
    expression: str
    guard: str = msgspec.field(default="", name="if")


class DeclaredSchema(_Declared, frozen=True, kw_only=True):
    """Fields, what fills them, and which identifiers are strongest."""

    ranks: tuple[str, ...] = ()
    fields: dict[str, DeclaredField] = {}
    mappings: tuple[DeclaredMapping, ...] = ()
    blocked: tuple[str, ...] = ()
    """Values that identify nobody in this account."""
    identifiers_limit: int = IDENTIFIERS_LIMIT


class DeclaredAudience(_Declared, frozen=True, kw_only=True):
    """An audience; its key is the slug."""

    filter: str
    name: str = ""
    description: str = ""
    public: bool = False
    tags: tuple[str, ...] = ()
    expires: str = ""


class DeclaredTemplate(_Declared, frozen=True, kw_only=True):
    """A template; its key is the name."""

    source: str
    type: str = "jsonnet"
    """`jsonnet`, `js1` or `handlebars`."""
    description: str = ""
    cases: dict[str, Any] = {}
    """By name, what has to come out for which profile; a case that fails refuses the document."""


class DeclaredAuthorization(_Declared, frozen=True, kw_only=True):
    """Credentials; its key is the label. Values are never shown, not even by a repr."""

    type: str = "header_param_auth"
    headers: dict[str, str] = {}
    parameters: dict[str, str] = {}
    description: str = ""

    def __repr__(self) -> str:
        names = [*self.headers, *self.parameters]
        return f"DeclaredAuthorization(type={self.type!r}, names={names})"


class DeclaredJob(_Declared, frozen=True, kw_only=True):
    """A job; its key is the name."""

    audiences: tuple[str, ...]
    url: str = ""
    url_template: str = ""
    """The name of a template that prints the URL, instead of `url`."""
    url_hosts: tuple[str, ...] = ()
    """Hosts to which a template may lead the authorization."""
    authorization: str = ""
    template: str = ""
    events: str = "both"
    """`enter`, `exit` or `both`."""
    fields: tuple[str, ...] = ()
    stream: str = ""
    backfill: bool = False
    method: str = "POST"
    workers: int = 0
    """Simultaneous requests; 0 is automatic."""
    do_not_retry: tuple[int, ...] = ()
    compact: bool = False
    description: str = ""


class Declaration(_Declared, frozen=True, kw_only=True):
    """A whole document; a part that is absent is left alone."""

    account: DeclaredAccount | None = None
    streams: dict[str, DeclaredStream] = {}
    schema: DeclaredSchema | None = None
    audiences: dict[str, DeclaredAudience] = {}
    templates: dict[str, DeclaredTemplate] = {}
    authorizations: dict[str, DeclaredAuthorization] = {}
    jobs: dict[str, DeclaredJob] = {}


_SECTIONS: dict[str, type[_Declared]] = {
    "streams": DeclaredStream,
    "audiences": DeclaredAudience,
    "templates": DeclaredTemplate,
    "authorizations": DeclaredAuthorization,
    "jobs": DeclaredJob,
}


def read_declaration(document: JsonValue) -> Declaration:
    """Return a parsed YAML or JSON document as a declaration; raise ConfigurationInvalid with every place."""
    plain = _without_nothing(document)
    _keep_cases(document, plain)
    try:
        return msgspec.convert(plain, Declaration)
    except msgspec.ValidationError as error:
        found = list(_problems(plain)) if isinstance(plain, dict) else []
        raise ConfigurationInvalid(found or [_problem("", plain, error)]) from None


def _without_nothing(value: JsonValue) -> JsonValue:
    """Drop what has a key and no value, as YAML writes an empty section."""
    if isinstance(value, dict):
        return {key: _without_nothing(inner) for key, inner in value.items() if inner is not None}
    return value


def _keep_cases(document: JsonValue, plain: JsonValue) -> None:
    """Put cases back as they were: in a profile or a body, nothing is a value like any other."""
    templates = document.get("templates") if isinstance(document, dict) else None
    for name, template in templates.items() if isinstance(templates, dict) else ():
        if isinstance(template, dict) and template.get("cases") is not None and isinstance(plain, dict):
            plain["templates"][name]["cases"] = template["cases"]


def _problems(document: dict[str, JsonValue]) -> Iterator[Problem]:
    """Look at every entry by itself, so that each one's first problem is told with its key."""
    for section, type_ in _SECTIONS.items():
        yield from _entries(section, document.get(section), type_)
    schema = document.get("schema")
    if isinstance(schema, dict):
        yield from _entries("schema.fields", schema.get("fields"), DeclaredField)
        yield from _entry("schema", {**schema, "fields": {}}, DeclaredSchema)


def _entries(path: str, entries: JsonValue, type_: type[_Declared]) -> Iterator[Problem]:
    if isinstance(entries, dict):
        for key, entry in entries.items():
            yield from _entry(f"{path}.{key}", entry, type_)


def _entry(path: str, entry: JsonValue, type_: type[_Declared]) -> Iterator[Problem]:
    try:
        msgspec.convert(entry, type_)
    except msgspec.ValidationError as error:
        yield _problem(path, entry, error)


def _problem(path: str, value: JsonValue, error: msgspec.ValidationError) -> Problem:
    found = _PLACE.fullmatch(str(error))
    message, place = (found["message"], found["path"] or "") if found else (str(error), "")
    place = _INDEX.sub(r".\1", place.removeprefix("$")).lstrip(".")
    if place.endswith("[...]"):
        place = _text_missing(place.removesuffix("[...]"), value)
    return Problem(path=".".join(filter(None, (path, place))), message=message)


def _text_missing(place: str, value: JsonValue) -> str:
    """Find the key that msgspec leaves out when a text is missing among many."""
    entries = value.get(place) if isinstance(value, dict) else None
    if not isinstance(entries, dict):
        return place
    odd = next((str(key) for key, inner in entries.items() if not isinstance(inner, str)), "")
    return f"{place}.{odd}"
