"""Values printed as JSON, and in the notations of other languages."""

from decimal import Decimal
from json.encoder import encode_basestring
from typing import NamedTuple

from gatepost.core.jsonnet.library.arguments import evaluated, fitting, read, room, short
from gatepost.core.jsonnet.library.registry import standard
from gatepost.core.jsonnet.library.texts import to_string
from gatepost.core.jsonnet.manifest import digits, quoted
from gatepost.core.jsonnet.objects import field_of, fields_of, has_field, is_object
from gatepost.core.jsonnet.values import MISSING, Doubt, Value, as_double, as_list, as_text, charge, is_number

_PYTHON_FRAMES = 28
"""Frames of the engine for each level that is printed as Python."""
_XML_FRAMES = 24


class Form(NamedTuple):
    """What stands for one level, what ends a line and what follows a key."""

    indent: str
    newline: str
    colon: str


def shortest(value: Value) -> str:
    """Return a number with as few digits as tell it from others, all of them before or behind the point."""
    number = as_double(value)
    if type(number) is int:
        return str(number)
    text = repr(number)
    if "e" in text:
        return f"{Decimal(text):f}"
    return text.removesuffix(".0")


def _quoted(text: str) -> str:
    return encode_basestring(read(text)).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _json(value: Value, form: Form, margin: str) -> str:
    kind = type(value)
    if kind is str:
        return _quoted(value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if is_number(value):
        return shortest(value)
    inner = margin + form.indent
    if kind is list:
        items = [_json(item, form, inner) for item in evaluated(value)]
        return _bracketed("[]", items, form, margin)
    if not is_object(value):
        raise Doubt("not to be printed")
    fields = [f"{_quoted(name)}{form.colon}{_json(item, form, inner)}" for name, item in fields_of(value)]
    return _bracketed("{}", fields, form, margin)


def _bracketed(brackets: str, items: list[str], form: Form, margin: str) -> str:
    inner = margin + form.indent
    comma = f",{form.newline}{inner}"
    charge(len(items))
    fitting(sum(map(len, items)) + len(comma) * (len(items) + 1))
    lead = inner if items else ""
    return f"{brackets[0]}{form.newline}{lead}{comma.join(items)}{form.newline}{margin}{brackets[1]}"


@standard("value indent newline key_val_sep", optional=2, gives="text", name="manifestJsonEx")
def manifest_json_ex(value: Value, indent: Value, newline: Value, colon: Value) -> str:
    """A value as JSON; what indents, ends a line and follows a key is given."""
    end = "\n" if newline is MISSING else short(newline)
    return _json(value, Form(short(indent), end, ": " if colon is MISSING else short(colon)), "")


@standard("value", gives="text", name="manifestJson")
def manifest_json(value: Value) -> str:
    """A value as JSON over several lines."""
    return _json(value, Form("    ", "\n", ": "), "")


@standard("value", gives="text", name="manifestJsonMinified")
def manifest_json_minified(value: Value) -> str:
    """A value as JSON without white space."""
    return _json(value, Form("", "", ":"), "")


@standard("v", gives="text", name="manifestPython", frames=32)
def manifest_python(value: Value) -> str:
    """A value as Python."""
    return _python(value, 1)


def _python(value: Value, level: int) -> str:
    room(_PYTHON_FRAMES * level)
    kind = type(value)
    if kind is str:
        return quoted(read(value))
    if value is None or kind is bool:
        return str(value)
    if is_number(value):
        return digits(value)
    if kind is list:
        parts, brackets = [_python(item, level + 1) for item in evaluated(value)], "[]"
    elif is_object(value):
        parts = [f"{quoted(name)}: {_python(item, level + 1)}" for name, item in fields_of(value)]
        brackets = "{}"
    else:
        raise Doubt("not to be printed")
    charge(len(parts))
    fitting(sum(map(len, parts)))
    return f"{brackets[0]}{', '.join(parts)}{brackets[1]}"


@standard("conf", gives="text", name="manifestPythonVars", frames=48)
def manifest_python_vars(conf: Value) -> str:
    """The fields of an object as variables of Python."""
    return "".join([f"{name} = {_python(value, 1)}\n" for name, value in fields_of(conf)])


@standard("ini", gives="text", name="manifestIni", frames=40)
def manifest_ini(ini: Value) -> str:
    """An object of a main part and sections as an INI file."""
    main = _settings(field_of(ini, "main")) if has_field(ini, "main", hidden=False) else []
    found = [*main]
    for name, section in fields_of(field_of(ini, "sections")):
        found += [f"[{name}]\n", *_settings(section)]
    charge(len(found))
    return "".join(found)


def _settings(section: Value) -> list[str]:
    found: list[str] = []
    for name, value in fields_of(section):
        items = evaluated(value) if type(value) is list else [value]
        found += [f"{name} = {to_string(item)}\n" for item in items]
    fitting(sum(map(len, found)))
    return found


@standard("value", gives="text", name="manifestXmlJsonml", frames=40)
def manifest_xml(value: Value) -> str:
    """An array of a tag, perhaps attributes, and what is inside, as XML."""
    return _element(as_list(value), 1)


def _element(value: Value, level: int) -> str:
    room(_XML_FRAMES * level)
    if type(value) is str:
        return value
    tag, *inside = evaluated(as_list(value))
    attributes = ""
    if inside and is_object(inside[0]):
        pairs = [f' {name}="{to_string(item)}"' for name, item in fields_of(inside.pop(0))]
        attributes = "".join(pairs)
    children = "".join([_element(child, level + 1) for child in inside])
    fitting(len(attributes) + len(children))
    return f"<{as_text(tag)}{attributes}>{children}</{tag}>"
