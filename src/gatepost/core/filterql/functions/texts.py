"""Functions on texts."""

import base64
import binascii

from gatepost.core.filterql.functions.record import Function, on_text
from gatepost.core.filterql.values import is_list, text_of
from gatepost.model.jsonvalue import JsonValue


def _titlecase(text: str) -> str:
    return "".join(
        letter.upper() if at == 0 or text[at - 1].isspace() else letter for at, letter in enumerate(text)
    )


def _index(value: JsonValue, part: JsonValue) -> int | None:
    text, wanted = text_of(value), text_of(part)
    if text is None or wanted is None:
        return None
    found = text.find(wanted)
    return None if found < 0 else found


def _substr(value: JsonValue, start: JsonValue, end: JsonValue = None) -> str | None:
    text = text_of(value)
    if text is None or not isinstance(start, int):
        return None
    stop = len(text) if end is None else end
    if not isinstance(stop, int) or not 0 <= start <= stop <= len(text):
        return None
    return text[start:stop]


def _split(value: JsonValue, separator: JsonValue) -> list[str] | None:
    text, sign = text_of(value), text_of(separator)
    return None if text is None or not sign else text.split(sign)


def _strip(value: JsonValue) -> JsonValue:
    if is_list(value):
        return [text.strip() for item in value if (text := text_of(item)) is not None]
    text = text_of(value)
    return None if text is None else text.strip()


def _replace(value: JsonValue, what: JsonValue, by: JsonValue = "") -> str | None:
    text, old, new = text_of(value), text_of(what), text_of(by)
    if text is None or new is None:
        return None
    return text.replace(old, new) if old else text


def _join(*values: JsonValue) -> str | None:
    *parts, separator = values
    items = [item for part in parts for item in (part if is_list(part) else (part,))]
    texts = [text for item in items if (text := text_of(item))]
    return (text_of(separator) or "").join(texts) or None


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=None, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


FUNCTIONS = (
    Function(
        name="tolower",
        aliases=("string.lowercase",),
        params=("text",),
        returns="text",
        call=on_text(str.lower),
        summary="The text in lower case.",
        examples=(('tolower("ABc")', "abc"),),
    ),
    Function(
        name="string.uppercase",
        aliases=("toupper",),
        params=("text",),
        returns="text",
        call=on_text(str.upper),
        summary="The text in upper case.",
        examples=(('string.uppercase("abC")', "ABC"),),
    ),
    Function(
        name="string.titlecase",
        params=("text",),
        returns="text",
        call=on_text(_titlecase),
        summary="The text with the first letter of every word in upper case.",
        examples=(('string.titlecase("new york")', "New York"),),
    ),
    Function(
        name="string.index",
        params=("text", "text"),
        returns="number",
        call=_index,
        summary="Where the second text begins in the first, counted from 0; no value when it does not occur.",
        examples=(('string.index("hello", "l")', 2), ('string.index("hello", "z")', None)),
    ),
    Function(
        name="string.substr",
        params=("text", "number", "number"),
        optional=1,
        returns="text",
        call=_substr,
        summary="The part from one position up to, and without, another; no value outside the text.",
        examples=(('string.substr("hello", 1, 3)', "el"), ('string.substr("hello", 9)', None)),
    ),
    Function(
        name="split",
        params=("text", "text"),
        returns="list",
        call=_split,
        summary="The parts of a text between separators.",
        examples=(('split("a,b", ",")', ["a", "b"]),),
    ),
    Function(
        name="strip",
        params=("any",),
        call=_strip,
        summary="The text, or every text of a list, without white space around it.",
        examples=(('strip(" a ")', "a"),),
    ),
    Function(
        name="replace",
        params=("text", "text", "text"),
        optional=1,
        returns="text",
        call=_replace,
        summary="The text with one part replaced everywhere, or removed.",
        examples=(('replace("M20:30", "M")', "20:30"), ('replace("a-b", "-", "+")', "a+b")),
    ),
    Function(
        name="join",
        params=("any", "text"),
        rest=True,
        returns="text",
        call=_join,
        summary="The arguments joined by the last one; empty ones are left out, lists spread.",
        examples=(('join("apple", "", "peach", ",")', "apple,peach"),),
    ),
    Function(
        name="tostring",
        params=("text",),
        returns="text",
        call=on_text(str),
        summary="A number, bool, date or text as text.",
        examples=(("tostring(5)", "5"), ("tostring(true)", "true")),
    ),
    Function(
        name="encoding.b64encode",
        params=("text",),
        returns="text",
        call=on_text(lambda text: base64.b64encode(text.encode()).decode()),
        summary="The text in base 64.",
        examples=(('encoding.b64encode("hello world")', "aGVsbG8gd29ybGQ="),),
    ),
    Function(
        name="encoding.b64decode",
        params=("text",),
        returns="text",
        call=on_text(_decoded),
        summary="The text behind base 64; no value when it is none.",
        examples=(('encoding.b64decode("aGVsbG8=")', "hello"), ('encoding.b64decode("!")', None)),
    ),
)
