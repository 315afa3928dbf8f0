"""What beginners mean: the engine says what it met, this says what would be right."""

import re
from collections.abc import Callable

import msgspec

from gatepost.core.filterql.calls import nearest
from gatepost.core.templates.lexing import OPENERS, place_of, tokens

_LIBRARY = re.compile(r"local\s+(\w+)\s*=\s*\(?\s*import\b")
_PLACE = re.compile(r"template:\(?(\d+):(\d+)")
_PYTHON = re.compile(r"\s*(def |elif |print\(|from \w+ import)")
_JAVASCRIPT = re.compile(r"\s*(const |let |var |(?:export |async )*function |return\b|module\.|=>)")
_CURLY = "\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb"
_HELPERS = (
    *("json", "default", "eq", "assert", "isEnter", "isExit", "segSlug", "inSeg", "sha256", "sha1"),
    *("toPhoneE164", "if", "unless", "each", "with", "lookup"),
)
_WORDS = {"True": "true", "False": "false", "None": "null", "nil": "null", "undefined": "null"}
_OPERATORS = {"and": "&&", "or": "||", "not": "!"}
_QUOTES = "these are a word processor's quotation marks; write ' or \""
_FENCE = "this is left over from Markdown; delete the lines that begin with ```"
_ANSWER = "a template is a function template(data) that returns what is sent"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine said of a template; line and column count from 1, 0 when it did not say where."""

    type: str
    message: str
    source: str
    line: int = 0
    column: int = 0

    @property
    def text(self) -> str:
        """The line of the source it is about."""
        lines = self.source.split("\n")
        return lines[self.line - 1] if 0 < self.line <= len(lines) else ""

    @property
    def before(self) -> str:
        """What stands on that line before the place."""
        return self.text[: max(self.column - 1, 0)]

    @property
    def library(self) -> str:
        """The name the template gave to the library; empty when it imports none."""
        found = _LIBRARY.search(self.source)
        return found[1] if found else ""


def hint_of(fault: Fault) -> str:
    """Return what would be right, in a beginner's words; empty when nothing is known."""
    said = _strange(fault)
    if said:
        return said
    for type_, pattern, right in _RULES:
        found = re.search(pattern, fault.message) if type_ == fault.type else None
        if found is None:
            continue
        said = right(fault, found) if callable(right) else right
        if said:
            return said
    return ""


def fault_in(type_: str, source: str, message: str) -> Fault:
    """Return the fault that a failed render's message tells of."""
    place = _PLACE.search(message)
    line, column = (int(number) for number in place.groups()) if place else (0, 0)
    return Fault(type=type_, message=message, source=source, line=line, column=column)


def _strange(fault: Fault) -> str:
    """Return advice for what is no template of this language at all."""
    at = fault.text[max(fault.column - 1, 0) :]
    if fault.text.lstrip().startswith("```"):
        return _FENCE
    if at[:1] and at[0] in _CURLY:
        return _QUOTES
    if not _is_syntax(fault) or fault.type == "handlebars":
        return ""
    if _PYTHON.match(fault.text):
        return "this looks like Python; a template is Jsonnet, JavaScript (file.js) or Handlebars (file.hbs)"
    if fault.type == "jsonnet" and _JAVASCRIPT.match(fault.text):
        return (
            "this looks like JavaScript: its file ends in .js (type js1); in Jsonnet a name is local x = 1;"
        )
    if fault.type == "jsonnet" and "{{" in fault.text:
        return f"this looks like Handlebars: its file ends in .hbs; in Jsonnet write {_read(fault, 'name')}"
    return ""


def _is_syntax(fault: Fault) -> bool:
    return not re.match(r"RUNTIME ERROR|Unknown variable|\w*(Reference|Type)Error", _bare(fault.message))


def _bare(message: str) -> str:
    return re.sub(r"^line \d+, column \d+: ", "", message)


def _read(fault: Fault, field: str) -> str:
    return f"{fault.library or 'profile'}.get('{field}')"


def _comma(fault: Fault, _: re.Match[str]) -> str:
    before, at = fault.before.rstrip(), fault.text[max(fault.column - 1, 0) :]
    if at.startswith(";"):
        return "members are parted by commas, not by semicolons"
    if at[:1] in {"}", "]", ")"}:
        return f"a bracket that was opened before is not closed where {at[0]} stands"
    if not before:
        return "a comma is missing at the end of the line before"
    if before[-1] in "'\"":
        return "between two members stands a comma; two texts are joined with +"
    return "a text stands in quotation marks, such as 'Hello you'; between two members stands a comma"


def _unknown(fault: Fault, met: re.Match[str]) -> str:
    name = met[1]
    if name in _WORDS:
        return f"Jsonnet writes {_WORDS[name]}"
    if not fault.library and re.match(r"\s*[.\[]", fault.text[fault.column - 1 + len(name) :]):
        return f"begin the template with: local {name} = import 'lytemplates.libsonnet';"
    if re.search(r"get\w*\(\s*$", fault.before):
        return f"the name of a field stands in quotation marks: '{name}'"
    return f"a text stands in quotation marks: '{name}'; a field of the profile is {_read(fault, name)}"


def _word(_: Fault, met: re.Match[str]) -> str:
    return f"Jsonnet writes {_OPERATORS[met[1]]}" if met[1] in _OPERATORS else ""


def _ended(fault: Fault, _: re.Match[str]) -> str:
    opened = []
    for token in tokens(fault.source):
        if token.kind == "bracket" and token.text in OPENERS:
            opened.append(token)
        elif token.kind == "bracket" and opened:
            opened.pop()
    if opened:
        last = opened[-1]
        return f"the {last.text} on line {place_of(fault.source, last.start).line} is never closed"
    return (
        "after the names (local ... ;) comes what is sent, such as { email: " + _read(fault, "email") + " }"
    )


def _member(fault: Fault, met: re.Match[str]) -> str:
    if met[1] in {"enter", "exit"}:
        other = "exit" if met[1] == "enter" else "enter"
        return (
            f"this trigger is of the other kind, and has no {met[1]}; a template that reads it is for jobs with "
            f"`events: {met[1]}`. To try it: --event {met[1]}; for {other} make another template"
        )
    if (
        fault.library
        and not met[1].startswith("get")
        and re.search(rf"\b{fault.library}\.{re.escape(met[1])}\b", fault.source)
    ):
        return f"a field of the profile is read with get: {_read(fault, met[1])}"
    return "what may be missing is asked for first: if std.objectHas(object, 'name') then ..."


def _own(fault: Fault, met: re.Match[str]) -> str:
    line, column = int(met[1]), int(met[2])
    lines = fault.source.split("\n")
    at = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    return "the template itself says so: nothing would be sent" if re.match(r"(assert|error)\b", at) else ""


def _missing_name(_: Fault, met: re.Match[str]) -> str:
    name = met[1]
    if name in {"event", "profile", "segment_events"}:
        return (
            "the profile is the function's argument: function template(data) { return { email: data.email } }"
        )
    if name in {"fetch", "require", "module", "process", "window", "console", "document", "exports"}:
        return f"there is no {name} here: " + _ANSWER
    return f"a text stands in quotation marks: '{name}'; a field of the profile is data.{name}"


def _unexpected(fault: Fault, _: re.Match[str]) -> str:
    if re.match(r"\s*(import|export)\b", fault.text):
        return "there are no modules here: " + _ANSWER
    return "a comma, a colon, an operator or a quotation mark is missing before this"


def _nothing(_: Fault, met: re.Match[str]) -> str:
    return f"the value before .{met[1]} is missing; write ?.{met[1]}, or get('field', '', data) for a default"


def _helper(_: Fault, met: re.Match[str]) -> str:
    near = nearest(met[1], _HELPERS)
    return f"did you mean {near}?" if near else "the helpers are: " + ", ".join(_HELPERS)


def _blocks(fault: Fault, _: re.Match[str]) -> str:
    opened: list[str] = []
    for mark, name in re.findall(r"\{\{~?([#/])\s*(\w+)", fault.source):
        if mark == "#":
            opened.append(name)
        elif opened:
            opened.pop()
    return f"{{{{#{opened[-1]}}}}} is never closed; write {{{{/{opened[-1]}}}}}" if opened else ""


_RULES: tuple[tuple[str, str, str | Callable[[Fault, re.Match[str]], str]], ...] = (
    ("jsonnet", r"Expected a comma before next (?!.*end of file)", _comma),
    ("jsonnet", r"Unknown variable: (\w+)", _unknown),
    ("jsonnet", r"Unterminated String", "the quotation mark at the end of this text is missing"),
    ("jsonnet", r'IDENTIFIER, "(and|or|not)"', _word),
    ("jsonnet", r"Not a binary operator: =$", "compare with =="),
    ("jsonnet", r"Expected , or ; ", "a ; is missing at the end of a line that begins with local"),
    ("jsonnet", r"Expected token then", "a choice is written: if ... then ... else ..."),
    (
        "jsonnet",
        r"Expected (token OPERATOR|one of :)",
        "a member is written name: value, and a name that is no single word stands in quotation marks",
    ),
    ("jsonnet", r"lex the character '`'", "a text stands between ' or \""),
    ("jsonnet", r"lex the character '\?'", "a choice is written: if ... then ... else ..."),
    ("jsonnet", r"end of file", _ended),
    ("jsonnet", r"Computed imports are not allowed", "a ; is missing at the end of the line with the import"),
    ("jsonnet", r"Duplicate field", "each member of an object is named once; delete one of them"),
    ("jsonnet", r'Did not expect: \(OPERATOR, ":"\)', "members stand in braces: { name: value }"),
    (
        "jsonnet",
        r"Did not expect",
        "the template has ended before this; delete it, or make it a comment with //",
    ),
    ("jsonnet", r"template:\((\d+):(\d+)\)-", _own),
    ("jsonnet", r"template:(\d+):(\d+)-", _own),
    ("jsonnet", r"Field does not exist: (\w+)", _member),
    ("jsonnet", r"out of bounds", "a list counts from 0; ask for its std.length first"),
    ("jsonnet", r"manifest function", "this is a function and no value yet; call it, with ( and )"),
    (
        "jsonnet",
        r"Unexpected type null",
        "a field is missing there; get('field', 0) gives another value instead",
    ),
    ("js1", r"return not in a function", _ANSWER),
    ("js1", r"Unexpected identifier", _unexpected),
    ("js1", r"ReferenceError: '?(\w+)'? is not defined", _missing_name),
    ("js1", r"cannot read property '(\w+)' of", _nothing),
    ("handlebars", r"there is no helper (\w+)", _helper),
    ("handlebars", r"ends too early", _blocks),
    ("handlebars", r'unexpected "\}"', "what begins with {{ ends with }}, and what begins with {{{ with }}}"),
    ("handlebars", r'unexpected "\\""', 'a text inside {{ }} begins and ends with "'),
)
