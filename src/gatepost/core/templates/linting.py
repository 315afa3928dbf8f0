"""The lint of a Jsonnet template: what parses, and yet sends something else than its author means."""

import re
from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from functools import cache

import msgspec

from gatepost.core.builtins import RESERVED
from gatepost.core.filterql.calls import nearest
from gatepost.core.jsonnet.nodes import (
    Apply,
    ArrayComp,
    Assert,
    Binary,
    Bind,
    For,
    Function,
    If,
    Index,
    Literal,
    Local,
    Node,
    Object,
    ObjectComp,
    Piece,
    Variable,
    children,
    walk,
)
from gatepost.core.jsonnet.parser import parse
from gatepost.core.jsonnet.tokens import SyntaxFault
from gatepost.core.templates.conditions import TIMES, asked
from gatepost.core.templates.lexing import excerpt_at, place_of
from gatepost.core.templates.meanings import Names, Thing, bound, looped, meaning_of, reads_of, without
from gatepost.core.templates.presets import LIBRARY_NAME, library
from gatepost.model.schema import Field

MOST_FINDINGS = 100
_MEMBERS = ("id", "slug", "event", "enter", "exit")
"""What a trigger has."""
_DIGITS = re.compile(r"[0-9][0-9_]*(?![0-9.eE_])")
_EXACT = 2**53
_SLIP = 0.8
"""How like a field's name another one is that must be a slip."""
_MOST_NAMED = 8
"""Fields that this account does without are named in one finding, as far as this."""
_PARSERS = frozenset({"parseInt", "parseJson"})


class Level(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """It sends nothing, or something wrong."""
    WARNING = "warning"
    """It may."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to look at; lines and columns count from 1."""

    code: str
    level: Level
    line: int
    column: int
    message: str
    right: str
    """What would be right."""
    excerpt: str


class _Scope(msgspec.Struct, frozen=True):
    """What is known at a place of the source."""

    names: Names
    events: frozenset[str] = frozenset()
    """The triggers that come here; none when that is not known."""
    present: bool = False
    """Whether something on the way here asked whether there is a trigger."""
    told: bool = False
    """Whether something on the way here asked which one it is."""


def lint(source: str, fields: Sequence[Field], events: Collection[str] = ()) -> list[Finding]:
    """Look over a template that parses; `events` are the triggers it is used for, empty when not known.

    Without fields, nothing is said of fields. A source that nests too deeply for the parser gets no findings.
    """
    try:
        tree = parse(source)
    except (SyntaxFault, RecursionError):
        return []
    linter = _Linter(source, fields)
    linter.look(tree, _Scope({}, frozenset(events)))
    found = {(one.line, one.column, one.code): one for one in linter.findings()}
    return [found[key] for key in sorted(found)]


@cache
def library_names() -> frozenset[str]:
    """Return the names of the library's functions."""
    tree = parse(library()[LIBRARY_NAME])
    while isinstance(tree, Local):
        tree = tree.body
    fields = tree.fields if isinstance(tree, Object) else ()
    return frozenset(str(field.name.value) for field in fields if isinstance(field.name, Literal))


class _Linter:
    """Walks a tree once, with what each name stands for, and notes what it finds."""

    def __init__(self, source: str, fields: Sequence[Field]) -> None:
        self._source = source
        self._fields = {field.name: field for field in fields}
        self._known = {*self._fields, *RESERVED, "_uid"}
        self._found: list[Finding] = []
        self._times: dict[str, list[int]] = {}
        self._used: set[str] = set()
        self._chained: set[int] = set()
        self._lacking: dict[str, int] = {}

    def findings(self) -> Sequence[Finding]:
        """Return what was found."""
        if self._lacking:
            self._note_lacking()
        if len(self._times) > 1:
            for time, places in self._times.items():
                (other,) = TIMES - {time}
                for at in places:
                    self._lost_time((time, other), at, Level.WARNING, "this template reads the times of both")
        return self._found

    def look(self, root: Node, scope: _Scope) -> None:
        """Walk a tree; depth costs no stack."""
        self._used = {piece.name for piece in walk(root) if isinstance(piece, Variable)}
        pending: list[tuple[Piece, _Scope]] = [(root, scope)]
        while pending:
            piece, here = pending.pop()
            self._judge(piece, here)
            pending.extend(reversed(list(self._below(piece, here))))

    def _below(self, piece: Piece, here: _Scope) -> Iterator[tuple[Piece, _Scope]]:
        """Yield the parts of a piece, each with what is known there."""
        inner = here
        match piece:
            case Local(binds=binds) | Object(binds=binds):
                inner = msgspec.structs.replace(here, names=bound(binds, here.names))
            case Function(params=params):
                names = without((parameter.name for parameter in params), here.names)
                inner = msgspec.structs.replace(here, names=names)
            case ArrayComp(specs=specs) | ObjectComp(specs=specs):
                names = here.names
                for spec in specs:
                    names = looped(spec.name, spec.over, names) if isinstance(spec, For) else names
                inner = msgspec.structs.replace(here, names=names)
            case If(condition=condition):
                inner = _narrowed(here, condition, holds=False)
            case Binary(op="&&" | "||", left=condition):
                inner = here if id(piece) in self._chained else _narrowed(here, condition, holds=False)
                # What begins a chain was looked through with the chain, which a long one cannot bear for every link.
                self._chained.add(id(condition))
            case Assert(assertion=assertion):
                inner = _narrowed(here, assertion.condition, holds=True)
        yield from ((child, inner) for child in children(piece))

    def _judge(self, piece: Piece, here: _Scope) -> None:
        match piece:
            case Literal(value=int() | float()):
                self._large_number(piece)
            case Local(binds=binds):
                self._unused(binds)
            case Apply():
                self._call(piece, here)
            case Index(target=target, key=Literal(value=key, at=at)):
                self._member(piece, meaning_of(target, here.names), key, at, here)

    def _call(self, call: Apply, here: _Scope) -> None:
        for read in reads_of(call, here.names):
            self._field(read.field, read.at)
            if (
                isinstance(read.default, Literal)
                and read.default.value == ""
                and read.field != "segment_events"
            ):
                self._note(
                    "hidden-missing",
                    call.at,
                    f"{read.field} is sent as an empty text for everybody who has none",
                    f"leave it out: [if profile.has('{read.field}') then 'name']: profile.get('{read.field}')",
                )
        match call:
            case Apply(
                function=Index(target=Variable(name="std"), key=Literal(value=str(name))), args=(first, *_)
            ):
                if name in _PARSERS and isinstance(first, Apply):
                    self._number_id(first, here)

    def _field(self, name: str, at: int) -> None:
        if not self._fields or name in self._known or len(self._found) >= MOST_FINDINGS:
            return
        near = nearest(name, self._known)
        if near is not None and SequenceMatcher(None, name, near).ratio() >= _SLIP:
            right = f"did you mean {near}?"
            self._note("unknown-field", at, f"no profile has a field {name}", right, Level.ERROR)
        else:
            # What is hardly like any field is rather one that this account does without.
            self._lacking.setdefault(name, at)

    def _note_lacking(self) -> None:
        names, more = list(self._lacking)[:_MOST_NAMED], len(self._lacking) - _MOST_NAMED
        fields = "a field" if len(self._lacking) == 1 else "the fields"
        named = ", ".join(names) + (f" and {more} more" if more > 0 else "")
        right = "`gatepost schema show` lists the fields there are"
        self._note("unknown-field", self._lacking[names[0]], f"no profile has {fields} {named}", right)

    def _number_id(self, read: Apply, here: _Scope) -> None:
        for one in reads_of(read, here.names):
            field = self._fields.get(one.field)
            if (field is not None and field.identifier) or one.field.lower().endswith("id"):
                message = f"{one.field} becomes a number, which loses digits above 2^53"
                self._note("number-id", one.at, message, "send it as the text it is")

    def _member(self, node: Index, of: object, key: object, at: int, here: _Scope) -> None:
        if of is Thing.LIBRARY and isinstance(key, str) and key not in library_names():
            near = nearest(key, library_names())
            read = f"a field of the profile is read with get('{key}')"
            right = f"did you mean {near}?" if near and key not in self._known else read
            self._note("unknown-function", at, f"the library has no {key}", right, Level.ERROR)
        elif of is Thing.ENTITY and isinstance(key, str):
            self._field(key, at)
        elif of is Thing.RAW_EVENTS and key == 0 and not here.present:
            self._note(
                "unguarded-trigger",
                node.at,
                "fails without a clear message where a profile comes without a trigger",
                "take segEvents()[0], or ask first: assert profile.has('segment_events') : 'no trigger'",
            )
        elif of is Thing.TRIGGER and isinstance(key, str):
            self._trigger_member(key, at, here)

    def _trigger_member(self, key: str, at: int, here: _Scope) -> None:
        if key not in _MEMBERS:
            near = nearest(key, _MEMBERS)
            right = f"did you mean {near}?" if near else f"it has {', '.join(_MEMBERS)}"
            self._note("unknown-member", at, f"a trigger has no {key}", right, Level.ERROR)
        if key not in TIMES or here.told:
            return
        if not here.events:
            self._times.setdefault(key, []).append(at)
        for other in sorted(here.events - {key}):
            self._lost_time((key, other), at, Level.ERROR, f"this template is used on {other}")

    def _lost_time(self, pair: tuple[str, str], at: int, level: Level, why: str) -> None:
        time, other = pair
        who = "a change" if other == "change" else f"an {other}"
        message = f"{who} has no {time}, so there the render fails and nothing is sent; {why}"
        instead = f"read {other}, or ask first" if other in TIMES else "ask first"
        right = f"{instead}: if profile.is{time.capitalize()}() then"
        self._note(f"{time}-time-on-{other}", at, message, right, level)

    def _large_number(self, literal: Literal) -> None:
        digits = _DIGITS.match(self._source, literal.at)
        if digits is None or len(digits[0]) > 400:
            return
        written = int(digits[0].replace("_", ""))
        if written > _EXACT and int(float(written)) != written:
            self._note(
                "large-number",
                literal.at,
                f"{written} is sent as {int(float(written))}; numbers are exact up to 2^53",
                f"write it as a text: '{written}'",
                Level.ERROR,
            )

    def _unused(self, binds: Sequence[Bind]) -> None:
        names = {bind.name: bind for bind in binds if not bind.name.startswith("_")}
        for name in set(names) - self._used:
            self._note(
                "unused-local", names[name].at, f"{name} is never used", "remove it, or begin its name with _"
            )

    def _note(self, code: str, at: int, message: str, right: str, level: Level = Level.WARNING) -> None:
        if len(self._found) >= MOST_FINDINGS:
            return
        place = place_of(self._source, at)
        self._found.append(
            Finding(
                code=code,
                level=level,
                line=place.line,
                column=place.column,
                message=message,
                right=right,
                excerpt=excerpt_at(self._source, place),
            )
        )


def _narrowed(here: _Scope, condition: Node, *, holds: bool) -> _Scope:
    """Return what is known behind a condition; `holds` says that nothing goes on unless it is so."""
    answer = asked(condition, here.names)
    events = frozenset({answer.only}) if holds and answer.only else here.events
    return msgspec.structs.replace(
        here,
        events=events,
        present=here.present or answer.presence,
        told=here.told or (answer.kind and not (holds and answer.only)),
    )
