"""Settles what a word means by its neighbours, between the lexer and the grammar.

FilterQL separates list items by commas, line breaks or nothing, and lets `AND` stand both before a list and
between two phrases. Here every list item gets its comma and every `AND` its role, so that the
grammar proper stays small and free of ambiguity.
"""

from collections.abc import Iterator

import msgspec
from lark import Token

from gatepost.core.filterql.nodes import DEEPEST, WORD_OPERATORS, too_deep
from gatepost.model.errors import FilterError

_ENDS_OPERAND = frozenset(
    {"NAME", "TEXT", "NUMBER", "TRUE", "FALSE", "NULL", "RPAR", "RSQB", "EVERYTHING", "SLUG"}
)
_STARTS_OPERAND = frozenset(
    {"NAME", "TEXT", "NUMBER", "TRUE", "FALSE", "NULL", "LPAR", "LSQB", "EVERYTHING", "SLUG", "CALL"}
    | {"NOT", "BANG", "AND_LIST", "OR_LIST", "EXISTS", "INCLUDE"}
)
_TAKES_NAME = frozenset({"INCLUDE", "FROM", "ALIAS"})
_CLAUSES = frozenset({"FROM", "LIMIT", "ALIAS", "WITH"})
_CONSTANTS = {"TRUE": "TRUE", "FALSE": "FALSE", "NULL": "NULL", "MATCH_ALL": "EVERYTHING"}
KEYWORDS = (
    frozenset({"AND", "OR", "NOT", "EXISTS", "INCLUDE", "FILTER"})
    | _CLAUSES
    | _CONSTANTS.keys()
    | {word.upper() for word in WORD_OPERATORS}
)
"""Names spelt like these are printed in back-ticks."""
_CLOSERS = {"RPAR": "LPAR", "RSQB": "LSQB"}
_LIST_OPENERS = frozenset({"AND_LIST", "OR_LIST", "IN", "INTERSECTS"})
_SIGNS = {"AND_SIGN": "AND", "OR_SIGN": "OR"}


class _Bracket(msgspec.Struct):
    opener: Token | None
    is_list: bool
    is_cast: bool = False
    betweens: int = 0
    """BETWEENs whose AND has not come yet."""


class WordOrder:
    """Lark's hook between lexer and parser; holds no state between parses."""

    always_accept = ("COMMENT", *_SIGNS)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """Give the words with their roles settled and the commas people left out put in."""
        return iter(_Reading(list(stream)).settled())


class _Reading:
    def __init__(self, tokens: list[Token]) -> None:
        self._comments = _comments_by_next_word(tokens)
        self._tokens = [token for token in tokens if token.type != "COMMENT"]
        self._out: list[Token] = []
        self._brackets = [_Bracket(None, is_list=False)]
        self._at = 0

    def settled(self) -> list[Token]:
        for place, token in enumerate(self._tokens):
            self._at = place
            kind = self._kind(token)
            if self._inside_list and self._after_operand and kind in _STARTS_OPERAND:
                self._out.append(Token.new_borrow_pos("COMMA", ",", token))
            self._follow_brackets(token, kind)
            self._out.append(self._renamed(token, kind))
        opener = self._brackets[-1].opener
        if opener is not None:
            msg = f"the bracket {opener.value} opened here is never closed"
            raise FilterError(msg, line=opener.line or 0, column=opener.column or 0)
        return self._out

    def _renamed(self, token: Token, kind: str) -> Token:
        if kind == "FILTER":
            return Token.new_borrow_pos(kind, self._comments.get(id(token), ""), token)
        return token if kind == token.type else Token.new_borrow_pos(kind, token.value, token)

    @property
    def _previous(self) -> str:
        return self._out[-1].type if self._out else ""

    @property
    def _after_operand(self) -> bool:
        return self._previous in _ENDS_OPERAND

    @property
    def _inside_list(self) -> bool:
        return self._brackets[-1].is_list

    @property
    def _next(self) -> Token | None:
        return self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else None

    @property
    def _before_bracket(self) -> bool:
        return self._next is not None and self._next.type == "LPAR"

    def _on_new_line(self, token: Token) -> bool:
        return bool(self._out) and (token.line or 0) > (self._out[-1].end_line or 0)

    def _kind(self, token: Token) -> str:
        if token.type in _SIGNS:
            return _SIGNS[token.type]
        if token.type == "STAR":
            return self._star(token)
        if token.type == "NUMBER" and self._previous in {"INCLUDE", "ALIAS"}:
            return "SLUG"  # An id may be all digits.
        if token.type != "NAME" or token.value[0] in "`'[" or self._previous in _TAKES_NAME:
            return token.type
        word = token.value.upper()
        if word in {"AND", "OR"}:
            return self._and_or(word, token)
        if word == "NOT":
            return "NOT_WORD" if self._after_operand and self._next_is_word_operator() else "NOT"
        if word.lower() in WORD_OPERATORS:
            return self._word_operator(word, token)
        return self._other_word(word, token)

    def _star(self, token: Token) -> str:
        if not self._after_operand:
            return "EVERYTHING"
        following = self._next
        ends = following is None or following.type in {"RPAR", "COMMA"} or following.line != token.line
        return "EVERYTHING" if self._inside_list and self._on_new_line(token) and ends else "STAR"

    def _and_or(self, word: str, token: Token) -> str:
        bracket = self._brackets[-1]
        if word == "AND" and bracket.betweens and self._after_operand:
            bracket.betweens -= 1
            return "BETWEEN_AND"
        starts_item = not self._after_operand or (self._inside_list and self._on_new_line(token))
        return f"{word}_LIST" if starts_item and self._before_bracket else word

    def _next_is_word_operator(self) -> bool:
        return (
            self._next is not None
            and self._next.type == "NAME"
            and self._next.value.lower() in WORD_OPERATORS
        )

    def _word_operator(self, word: str, token: Token) -> str:
        call_on_new_line = (
            self._inside_list and self._on_new_line(token) and word != "IN" and self._before_bracket
        )
        if self._previous == "NOT_WORD" or (self._after_operand and not call_on_new_line):
            self._brackets[-1].betweens += word == "BETWEEN"
            return word
        return "CALL" if self._before_bracket else "NAME"

    def _other_word(self, word: str, token: Token) -> str:
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        if word == "FILTER" and self._previous in {"", "SEMICOLON"}:
            return "CALL" if self._before_bracket and self._bracket_has_comma() else "FILTER"
        if word in _CLAUSES and len(self._brackets) == 1 and self._after_operand:
            return word
        if word == "AS" and self._after_operand and self._brackets[-1].is_cast:
            return word
        if word == "EXISTS" or (
            word == "INCLUDE" and self._next is not None and self._next.type in {"NAME", "SLUG", "NUMBER"}
        ):
            return word
        called = self._before_bracket and self._next is not None and self._next.line == token.line
        return "CALL" if called else "NAME"

    def _bracket_has_comma(self) -> bool:
        """Tell the function `filter(tags, "a*")` from `FILTER (visits > 5)`."""
        level = 0
        for token in self._tokens[self._at + 1 :]:
            level += (token.type in {"LPAR", "LSQB"}) - (token.type in {"RPAR", "RSQB"})
            if level == 0 or (level == 1 and token.type == "COMMA"):
                return level == 1
        return False

    def _follow_brackets(self, token: Token, kind: str) -> None:
        if kind in {"LPAR", "LSQB"}:
            is_list = kind == "LSQB" or self._previous in _LIST_OPENERS
            is_cast = self._previous == "CALL" and self._out[-1].lower() == "cast"
            self._brackets.append(_Bracket(token, is_list, is_cast))
            if len(self._brackets) > DEEPEST:
                raise too_deep(token.line or 0, token.column or 0)
        elif kind in _CLOSERS:
            opener = self._brackets[-1].opener
            if opener is None or opener.type != _CLOSERS[kind]:
                msg = f"the bracket {token.value} closes nothing"
                raise FilterError(msg, line=token.line or 0, column=token.column or 0)
            self._brackets.pop()


def _comments_by_next_word(tokens: list[Token]) -> dict[int, str]:
    """Map the identity of a token to the comment lines right before it."""
    found: dict[int, str] = {}
    lines: list[str] = []
    for token in tokens:
        if token.type == "COMMENT":
            lines.append(token.value.lstrip("-/").strip())
        elif lines:
            found[id(token)] = "\n".join(lines)
            lines = []
    return found
