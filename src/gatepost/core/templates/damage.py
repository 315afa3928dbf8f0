r"""Damage a template takes when it is copied from rendered Markdown, and how to undo it.

Markdown writes `\[` and `\_` for characters it would otherwise read as its own. Jsonnet knows none of these
escapes, in code or in strings, so undoing them changes nothing that was right before.
"""

import re

import msgspec

from gatepost.core.templates.lexing import OPENERS, Token, place_of, tokens

_ESCAPE = re.compile(r"\\([\[\](){}_*#+\-.!>~|`<&$=:]|\\)")
"""What Markdown escapes and Jsonnet does not; a pair of backslashes is matched so as to be passed over."""

MAX_DELETIONS = 32
"""More places than this for a surplus bracket is no answer worth offering."""


class Undone(msgspec.Struct, frozen=True):
    """A source without its Markdown escapes, and which ones they were, in order of appearance."""

    text: str
    escapes: tuple[str, ...]


class Deletion(msgspec.Struct, frozen=True):
    """A source without one of its closing brackets, and where that bracket stood."""

    text: str
    bracket: str
    line: int


def without_escapes(source: str) -> Undone:
    """Undo the escapes of rendered Markdown everywhere but where a backslash stands for itself."""
    found: dict[str, None] = {}

    def plain(match: re.Match[str]) -> str:
        if match[1] == "\\":
            return match[0]
        found.setdefault(match[0])
        return match[1]

    pieces: list[str] = []
    end = 0
    for token in tokens(source):
        if _damaged(token):
            pieces += (source[end : token.start], _ESCAPE.sub(plain, token.text))
            end = token.start + len(token.text)
    return Undone("".join((*pieces, source[end:])), tuple(found))


def _damaged(token: Token) -> bool:
    # A comment may hold any backslash; only one in its opening shows that the comment itself was escaped.
    if token.kind == "comment":
        return token.text.startswith(("\\#", "/\\*"))
    return token.kind in {"string", "escape"} and "\\" in token.text


def deletions(source: str) -> list[Deletion]:
    """Every way to balance the brackets by deleting a single closing one; none when there are too many."""
    brackets = [token for token in tokens(source) if token.kind == "bracket"]
    surplus, scope = _first_surplus(brackets)
    if surplus is None or not _balanced(brackets[surplus + 1 :], scope.openers):
        return []
    # Without one closer, each later one closes what the one before it used to, up to the surplus bracket:
    # that works out only where all of them are of one kind.
    wanted = brackets[surplus].text
    closers = [token for token in scope.closed if token.text == wanted] + [brackets[surplus]]
    return [_deletion(source, token) for token in closers] if len(closers) <= MAX_DELETIONS else []


def only_outcome(candidates: list[Deletion]) -> Deletion | None:
    """Return the candidate all others equal up to white space, or None when they differ or there is none."""
    outcomes = {"".join(candidate.text.split()) for candidate in candidates}
    return candidates[-1] if len(outcomes) == 1 else None


class _Scope(msgspec.Struct):
    """The brackets open at a place, and the closing ones before it that a later one could replace."""

    openers: list[str] = []
    closed: list[Token] = []


def _first_surplus(brackets: list[Token]) -> tuple[int | None, _Scope]:
    stack: list[str] = []
    closed: list[list[Token]] = [[]]
    for index, token in enumerate(brackets):
        if token.text in OPENERS:
            stack.append(token.text)
            closed.append([])
        elif stack and OPENERS[stack[-1]] == token.text:
            stack.pop()
            inside = [other for other in closed.pop() if other.text == token.text]
            closed[-1] += [*inside[: MAX_DELETIONS + 1], token]
        else:
            return index, _Scope(stack, closed[-1])
    return None, _Scope(stack, closed[-1])


def _balanced(brackets: list[Token], openers: list[str]) -> bool:
    stack = list(openers)
    for token in brackets:
        if token.text in OPENERS:
            stack.append(token.text)
        elif not stack or OPENERS[stack.pop()] != token.text:
            return False
    return not stack


def _deletion(source: str, token: Token) -> Deletion:
    before, after = source[: token.start], source[token.start + 1 :]
    line = place_of(source, token.start).line
    rest_of_line, newline, below = after.partition("\n")
    if newline and not rest_of_line.strip() and not before.rpartition("\n")[2].strip():
        # The bracket had a line to itself: the line goes too.
        return Deletion(before.rpartition("\n")[0] + newline + below, token.text, line)
    return Deletion(before + after, token.text, line)
