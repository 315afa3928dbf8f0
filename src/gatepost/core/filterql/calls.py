"""Checks calls against the functions there are."""

from collections.abc import Iterable
from difflib import get_close_matches

from gatepost.core.filterql.functions import BY_NAME, Function
from gatepost.core.filterql.nodes import Call, Literal, Node, at, walk
from gatepost.core.filterql.windowcalls import arguments, window_of

_LONGEST_NAME = 64


def check_calls(node: Node) -> None:
    """Refuse unknown functions, wrong numbers of arguments and literals a function cannot use."""
    for found in walk(node):
        if isinstance(found, Call):
            _check(found)


def function_of(call: Call) -> Function:
    """Find the function a call names; an unknown one is refused with the nearest name there is."""
    function = BY_NAME.get(call.function)
    if function is not None:
        return function
    near = nearest(call.function, BY_NAME)
    suggestion = f"; did you mean {near}?" if near else ""
    raise at(call, f"there is no function {call.function}{suggestion}")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name most like a misspelt one."""
    # Comparing long names takes long, and nobody misspells by so much.
    found = get_close_matches(name, list(known), n=1) if len(name) <= _LONGEST_NAME else []
    return found[0] if found else None


def _check(call: Call) -> None:
    function = function_of(call)
    if window_of(call) is not None:
        return
    count, least, most = len(call.args), function.least, function.most
    if count < least or (most is not None and count > most):
        raise at(call, f"{call.function} takes {_arity(least, most)}, found {count}")
    for position, arg in enumerate(call.args):
        if function.check is not None and isinstance(arg, Literal):
            problem = function.check(position, arg.value)
            if problem:
                raise at(arg, problem)


def _arity(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {arguments(least)}"
    return arguments(most) if least == most else f"{least} to {arguments(most)}"
