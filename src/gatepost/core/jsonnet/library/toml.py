"""Values printed as TOML."""

import re
from typing import Final, NamedTuple

from gatepost.core.jsonnet.library.arguments import evaluated, fitting, read, short
from gatepost.core.jsonnet.library.registry import standard
from gatepost.core.jsonnet.manifest import digits, quoted
from gatepost.core.jsonnet.objects import fields_of, is_object, names_of
from gatepost.core.jsonnet.values import Doubt, Value, charge, is_number

_BARE: Final = re.compile("[A-Za-z0-9_-]+", re.ASCII)


class Table(NamedTuple):
    """Where a table stands: its path, its margin, and what indents one more level."""

    path: tuple[str, ...]
    margin: str
    indent: str

    def within(self, name: str) -> "Table":
        """Return the place of a table in this one."""
        return Table((*self.path, name), self.margin, self.indent)

    def inside(self) -> "Table":
        """Return the place of what this table holds."""
        return Table(self.path, self.margin + self.indent, self.indent)


@standard("value", gives="text", name="manifestToml")
def manifest_toml(value: Value) -> str:
    """An object as TOML."""
    return _table(value, Table((), "", "  "))


@standard("value indent", gives="text", name="manifestTomlEx")
def manifest_toml_ex(value: Value, indent: Value) -> str:
    """An object as TOML; what indents is given."""
    return _table(value, Table((), "", short(indent)))


def _key(name: str) -> str:
    if not name:
        return "''"
    return name if _BARE.fullmatch(name) else quoted(name)


def _is_section(value: Value) -> bool:
    if type(value) is list:
        return bool(value) and all(map(is_object, evaluated(value)))
    return is_object(value)


def _table(value: Value, table: Table) -> str:
    if not is_object(value):
        raise Doubt("not an object")
    lines: list[str] = []
    sections = [""]
    for name, item in fields_of(value):
        if _is_section(item):
            sections.append(_section(item, table.within(name)))
        else:
            text = f"{_key(name)} = {_value(item, table.indent, inline=False)}"
            lines += [f"{table.margin}{line}" for line in text.split("\n")]
    charge(len(lines))
    fitting(sum(map(len, lines)) + sum(map(len, sections)))
    return "\n".join(lines) + "\n\n".join(sections)


def _section(value: Value, table: Table) -> str:
    name = ".".join(map(_key, table.path))
    if type(value) is not list:
        return _headed(f"{table.margin}[{name}]", value, table)
    head = f"{table.margin}[[{name}]]"
    return "\n\n".join([_headed(head, item, table) for item in evaluated(value)])


def _headed(head: str, value: Value, table: Table) -> str:
    return head + ("\n" if names_of(value) else "") + _table(value, table.inside())


def _value(value: Value, indent: str, *, inline: bool) -> str:
    kind = type(value)
    if kind is str:
        return quoted(read(value))
    if kind is bool:
        return "true" if value else "false"
    if is_number(value):
        return digits(value)
    if kind is list:
        return _array(value, "" if inline else indent, " " if inline else "\n")
    if not is_object(value):
        raise Doubt("not to be printed")
    pairs = [f"{_key(name)} = {_value(item, indent, inline=True)}" for name, item in fields_of(value)]
    charge(len(pairs))
    fitting(sum(map(len, pairs)))
    return f"{{ {', '.join(pairs)} }}"


def _array(items: list[Value], lead: str, end: str) -> str:
    if not items:
        return "[]"
    parts = [lead + _value(item, lead, inline=True) for item in evaluated(items)]
    fitting(sum(map(len, parts)))
    return f"[{end}{f',{end}'.join(parts)}{end}]"
