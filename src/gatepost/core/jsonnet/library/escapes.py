"""Texts in the quotation marks and escapes of other languages."""

from gatepost.core.jsonnet.library.arguments import fitting, read
from gatepost.core.jsonnet.library.registry import standard
from gatepost.core.jsonnet.library.texts import to_string
from gatepost.core.jsonnet.manifest import quoted
from gatepost.core.jsonnet.values import Value


@standard("str_", gives="text", name="escapeStringJson")
def escape_json(value: Value) -> str:
    """A value as a text of JSON."""
    return quoted(read(to_string(value)))


@standard("str", gives="text", name="escapeStringPython")
def escape_python(value: Value) -> str:
    """A value as a text of Python."""
    return quoted(read(to_string(value)))


@standard("str_", gives="text", name="escapeStringBash")
def escape_bash(value: Value) -> str:
    """A value in the quotation marks of a shell."""
    text = to_string(value)
    fitting(len(text) + 4 * text.count("'"))
    return "'" + text.replace("'", "'\"'\"'") + "'"


@standard("str_", gives="text", name="escapeStringDollars")
def escape_dollars(value: Value) -> str:
    """A value as text, each dollar sign twice."""
    text = to_string(value)
    fitting(2 * len(text))
    return text.replace("$", "$$")


_ENTITIES = str.maketrans({"<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "'": "&apos;"})


@standard("str_", gives="text", name="escapeStringXML")
def escape_xml(value: Value) -> str:
    """A value as text of XML."""
    text = to_string(value)
    fitting(6 * len(text))
    return text.translate(_ENTITIES)
