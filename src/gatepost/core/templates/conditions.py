"""What a condition of a template asks of its trigger."""

from itertools import islice

import msgspec

from gatepost.core.jsonnet.nodes import Apply, Binary, Index, Literal, Node, Piece, Unary, Variable, walk
from gatepost.core.templates.meanings import Names, Thing, meaning_of

_LENGTH = 2_000
"""So much of a condition is looked through."""
_TELLS = {"isEnter": "enter", "segEvIsEnter": "enter", "isExit": "exit", "segEvIsExit": "exit"}
"""Library functions that ask which trigger it is."""
_TRIGGERS = frozenset({Thing.EVENTS, Thing.RAW_EVENTS, Thing.TRIGGER})
TIMES = frozenset({"enter", "exit"})
"""The triggers that have a time, and what it is called."""


class Asked(msgspec.Struct, frozen=True):
    """What was asked."""

    presence: bool = False
    """Anything about the trigger, such as whether there is one."""
    kind: bool = False
    """Which trigger it is."""
    only: str = ""
    """The one trigger for which the condition holds, where that can be told."""


def asked(condition: Node, names: Names) -> Asked:
    """Return what a condition asks."""
    pieces = list(islice(walk(condition), _LENGTH))
    presence = any(_is_about(piece, names) for piece in pieces)
    words = {word for piece in pieces if (word := _word(piece, names))}
    kind = presence and (bool(words) or any(_reads_kind(piece, names) for piece in pieces))
    only = next(iter(words)) if kind and len(words) == 1 and not any(map(_turns, pieces)) else ""
    return Asked(presence, kind, only)


def _is_about(piece: Piece, names: Names) -> bool:
    match piece:
        case Index(target=target, key=Literal(value=str(key))) if key in _TELLS:
            return meaning_of(target, names) is Thing.LIBRARY
        case Literal(value="segment_events"):
            return True
        case Variable() | Apply() | Index():
            meaning = meaning_of(piece, names)
            return isinstance(meaning, Thing) and meaning in _TRIGGERS
        case _:
            return False


def _word(piece: Piece, names: Names) -> str:
    match piece:
        case Literal(value=str(word)) if word in TIMES:
            return word
        case Index(target=target, key=Literal(value=str(key))) if key in _TELLS:
            return _TELLS[key] if meaning_of(target, names) is Thing.LIBRARY else ""
        case _:
            return ""


def _reads_kind(piece: Piece, names: Names) -> bool:
    match piece:
        case Index(target=target, key=Literal(value="event")):
            return meaning_of(target, names) is Thing.TRIGGER
        case _:
            return False


def _turns(piece: Piece) -> bool:
    """Tell whether a piece may make a condition hold for anything but what it names."""
    return isinstance(piece, Unary) or (isinstance(piece, Binary) and piece.op not in {"==", "&&", "in"})
