"""Texts: characters, parts, upper and lower case."""

import re
from typing import Final

from gatepost.core.jsonnet.library.arguments import as_integer, evaluated, fitting, read
from gatepost.core.jsonnet.library.registry import standard
from gatepost.core.jsonnet.manifest import in_line
from gatepost.core.jsonnet.values import Doubt, Value, as_double, as_list, as_text, charge

_SPACES: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_FOLDS_OTHERWISE: Final = re.compile("[\u0130\u017f-\U0010ffff]")
"""Letters whose other case is not left to Python: what is beyond these is the engine's."""


@standard("a", gives="text", name="toString")
def to_string(a: Value) -> str:
    """A value as text; a text is itself."""
    return a if type(a) is str else in_line(a)


@standard("str", gives="texts", name="stringChars")
def string_chars(text: Value) -> list[Value]:
    """The characters of a text."""
    charge(len(as_text(text)))
    return list(text)


def _charset(text: str, chars: Value) -> str:
    if type(chars) is str:
        charge((len(text) * len(chars)) >> 10)
        return chars
    # Of the items of an array only texts of one character can be met.
    return "".join(item for item in evaluated(as_list(chars)) if type(item) is str and len(item) == 1)


@standard("str chars", gives="text", name="stripChars")
def strip_chars(text: Value, chars: Value) -> str:
    """A text without these characters at either end."""
    return read(text).strip(_charset(text, chars))


@standard("str chars", gives="text", name="lstripChars")
def lstrip_chars(text: Value, chars: Value) -> str:
    """A text without these characters at its start."""
    return read(text).lstrip(_charset(text, chars))


@standard("str chars", gives="text", name="rstripChars")
def rstrip_chars(text: Value, chars: Value) -> str:
    """A text without these characters at its end."""
    return read(text).rstrip(_charset(text, chars))


@standard("str", gives="text")
def trim(text: Value) -> str:
    """A text without white space at either end."""
    return read(text).strip(_SPACES)


@standard("a b", gives="boolean", name="startsWith")
def starts_with(a: Value, b: Value) -> bool:
    """Whether a text starts with another."""
    return as_text(a).startswith(read(b))


@standard("a b", gives="boolean", name="endsWith")
def ends_with(a: Value, b: Value) -> bool:
    """Whether a text ends with another."""
    return as_text(a).endswith(read(b))


@standard("str from len", gives="text")
def substr(text: Value, start: Value, size: Value) -> str:
    """A part of a text, from a place on; as much as there is of it."""
    first, count = as_integer(start), as_integer(size)
    if first < 0 or count < 0:
        raise Doubt("a place before the text")
    return read(text)[first : first + count]


@standard("pat str", gives="numbers", name="findSubstr")
def find_substr(part: Value, text: Value) -> list[Value]:
    """Every place where a text holds another one."""
    whole, wanted = read(text), as_text(part)
    found: list[Value] = []
    at = whole.find(wanted) if wanted else -1
    while at >= 0:
        charge(1 + (len(wanted) >> 6))
        found.append(at)
        at = whole.find(wanted, at + 1)
    return found


def _separator(text: Value) -> str:
    if as_text(text):
        return str(text)
    raise Doubt("an empty separator")


def _splits(most: Value) -> int:
    number = as_integer(most)
    if number < -1:
        raise Doubt("fewer than no splits")
    return number


def _parts(parts: list[str]) -> list[Value]:
    charge(len(parts))
    return parts


@standard("str c", gives="texts")
def split(text: Value, separator: Value) -> list[Value]:
    """The parts of a text between separators."""
    return _parts(read(text).split(_separator(separator)))


@standard("str c maxsplits", gives="texts", name="splitLimit")
def split_limit(text: Value, separator: Value, most: Value) -> list[Value]:
    """The parts of a text between separators, split so many times from the left at most."""
    return _parts(read(text).split(_separator(separator), _splits(most)))


@standard("str c maxsplits", gives="texts", name="splitLimitR")
def split_limit_right(text: Value, separator: Value, most: Value) -> list[Value]:
    """The parts of a text between separators, split so many times from the right at most."""
    return _parts(read(text).rsplit(_separator(separator), _splits(most)))


@standard("str from to", gives="text", name="strReplace")
def str_replace(text: Value, old: Value, new: Value) -> str:
    """A text with another in the place of a part of it."""
    if len(as_text(new)) > len(_separator(old)):
        fitting(len(read(text)) + text.count(old) * len(new))
    return read(text).replace(old, new)


_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_UPPER = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)}


@standard("str", gives="text", name="asciiLower")
def ascii_lower(text: Value) -> str:
    """A text with A to Z made small."""
    given = read(text)
    return given.lower() if given.isascii() else given.translate(_LOWER)


@standard("str", gives="text", name="asciiUpper")
def ascii_upper(text: Value) -> str:
    """A text with a to z made large."""
    given = read(text)
    return given.upper() if given.isascii() else given.translate(_UPPER)


@standard("str1 str2", gives="boolean", name="equalsIgnoreCase")
def equals_ignore_case(one: Value, other: Value) -> bool:
    """Whether two texts are equal but for upper and lower case."""
    if read(one) == read(other):
        return True
    if len(one) != len(other):
        return False
    if _FOLDS_OTHERWISE.search(one) or _FOLDS_OTHERWISE.search(other):
        raise Doubt("letters of many cases")
    return bool(one.lower() == other.lower())


@standard("n", gives="text")
def char(n: Value) -> str:
    """The character of a code point; the halves of a pair are none."""
    number = as_double(n)
    if not 0 <= number <= 0x10FFFF:
        raise Doubt("no code point")
    point = int(number)
    return "\ufffd" if 0xD800 <= point <= 0xDFFF else chr(point)


@standard("str", gives="number")
def codepoint(text: Value) -> int:
    """The code point of a single character."""
    return ord(as_text(text))
