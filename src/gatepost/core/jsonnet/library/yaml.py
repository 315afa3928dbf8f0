"""Values printed as YAML."""

import re
from typing import Final, NamedTuple

from gatepost.core.jsonnet.library.arguments import evaluated, fitting, read
from gatepost.core.jsonnet.library.documents import shortest
from gatepost.core.jsonnet.library.registry import standard
from gatepost.core.jsonnet.manifest import quoted
from gatepost.core.jsonnet.objects import fields_of, is_object
from gatepost.core.jsonnet.values import MISSING, Doubt, Value, as_list, charge, is_number, truth

_LEVEL: Final = "  "
_PLAIN: Final = re.compile("[A-Za-z0-9_/.-]+", re.ASCII)
_RESERVED: Final = frozenset(
    ["true", "false", "yes", "no", "on", "off", "y", "n", ".nan", "-.inf", ".inf", "null", "-", "---"]
)
_OTHERWISE: Final = re.compile(
    r"""
    [0-9]*-[0-9]*-[0-9]* | [-+]?0b[01_]+                        # a date; a number to the base of two
    | .*0x[0-9a-f_].*                                           # of sixteen
    | -?([0-9]+[.]?[0-9]*|[.][0-9]+)(e-?[0-9]+)? | -?inf(inity)? | nan
    """,
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
"""Keys that would be read as something else than a text."""


class Form(NamedTuple):
    """Whether arrays in objects are indented, and whether every key is in quotation marks."""

    indented: bool
    quoted: bool


def _chosen(value: Value, *, otherwise: bool) -> bool:
    return otherwise if value is MISSING else truth(value)


@standard("value indent_array_in_object quote_keys", optional=2, gives="text", name="manifestYamlDoc")
def manifest_yaml(value: Value, indented: Value, quote: Value) -> str:
    """A value as YAML."""
    return _yaml(value, Form(_chosen(indented, otherwise=False), _chosen(quote, otherwise=True)), "")


@standard(
    "value indent_array_in_object c_document_end quote_keys",
    optional=3,
    gives="text",
    name="manifestYamlStream",
)
def manifest_yaml_stream(value: Value, indented: Value, ended: Value, quote: Value) -> str:
    """The values of an array as documents of YAML."""
    end = "\n...\n" if _chosen(ended, otherwise=True) else "\n"
    documents = [manifest_yaml(item, indented, quote) for item in evaluated(as_list(value))]
    return "---\n" + "\n---\n".join(documents) + end


def _yaml(value: Value, form: Form, margin: str) -> str:
    kind = type(value)
    if kind is str:
        return _text(value, margin)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if is_number(value):
        return shortest(value)
    if kind is list:
        parts = [_item(item, form, margin) for item in evaluated(value)]
        return _together(parts, margin) if parts else "[]"
    if not is_object(value):
        raise Doubt("not to be printed")
    parts = [_field(name, item, form, margin) for name, item in fields_of(value)]
    return _together(parts, margin) if parts else "{}"


def _text(text: str, margin: str) -> str:
    if not text.endswith("\n"):
        return quoted(read(text))
    lead = f"\n{margin}{_LEVEL}"
    fitting(len(text) + len(lead) * text.count("\n"))
    return f"|{lead}{text[:-1].replace(chr(10), lead)}"


def _together(parts: list[str], margin: str) -> str:
    charge(len(parts))
    fitting(sum(map(len, parts)) + len(margin) * len(parts))
    return f"\n{margin}".join(parts)


def _item(value: Value, form: Form, margin: str) -> str:
    if type(value) is not list and not is_object(value):
        return f"- {_yaml(value, form, margin)}"
    inner = margin + _LEVEL
    lead = f"\n{inner}" if type(value) is list and value else " "
    return f"-{lead}{_yaml(value, form, inner)}"


def _field(name: str, value: Value, form: Form, margin: str) -> str:
    key = quoted(name) if form.quoted or not _bare(name) else name
    nested = type(value) is list or is_object(value)
    inner = margin + _LEVEL if is_object(value) or form.indented else margin
    text = _yaml(value, form, inner if nested else margin)
    if nested and text not in {"[]", "{}"}:
        return f"{key}:\n{inner}{text}"
    return f"{key}: {text}"


def _bare(name: str) -> bool:
    if not _PLAIN.fullmatch(name) or name.lower() in _RESERVED:
        return False
    if "e" in name.lower() and name[-3:].isdigit():
        # A number too large to be one is a text for the engine.
        raise Doubt("a key near to a number")
    return not _OTHERWISE.fullmatch(name)
