"""An explanation for people: the rule as a tree, every clause with its value, since when, by what, until when."""

from typing import Any

from rich.text import Text
from rich.tree import Tree

from gatepost.cli.output import Output, moment, short_id

_MARKS = {True: ("✓ ", "green"), False: ("✗ ", "red")}


def show_explanation(out: Output, found: dict[str, Any]) -> None:
    """Print an explanation as `GET /v2/segment/{id}/explain/{identifier}` gives it."""
    out.say(_headline(found))
    if found["approximate"]:
        out.say("More events lie in a window than are kept one by one, so its instants are approximate.")
    if found["missing_events"]:
        out.say(
            f"{found['missing_events']:,} of the profile's events are not kept any more; nothing is said of them."
        )
    out.say("")
    out.show(_tree(found["rule"]))


def _headline(found: dict[str, Any]) -> str:
    who, audience, until = short_id(found["profile"]), found["audience"], found["next_change"]
    if found["member"]:
        leaves = f"leaves at {moment(until)}{_why(found)}" if until else "stays until something happens"
        return f"{who} is in {audience} since {moment(found['since'])}, and {leaves}."
    if found["excluded_since"]:
        fits = "The rule would take it in" if found["matches"] else "The rule would not take it in either"
        return (
            f"{who} is not in {audience}: excluded by hand since {moment(found['excluded_since'])}. {fits}."
        )
    was = f", left at {moment(found['since'])}" if found["since"] else ""
    enters = f"enters at {moment(until)}{_why(found)}" if until else "stays outside until something happens"
    return f"{who} is not in {audience}{was}, and {enters}."


def _why(found: dict[str, Any]) -> str:
    return (
        ", when the audience ends" if found["next_change"] == found["expires_at"] else " if nothing happens"
    )


def _tree(rule: dict[str, Any]) -> Tree:
    tree = Tree(_line(rule), guide_style="dim")
    _grow(tree, rule)
    return tree


def _grow(tree: Tree, clause: dict[str, Any]) -> None:
    for inner in clause["clauses"]:
        _grow(tree.add(_line(inner)), inner)
    for name, value in clause["values"].items():
        tree.add(Text(f"{name} is {_value(value)}", style="bold"))
    for cause in clause["causes"]:
        tree.add(Text(f"{moment(cause['at'])} {cause['stream']} (event {cause['event']})", style="dim"))
    earlier = clause["events"] - len(clause["causes"])
    if earlier and not clause["clauses"]:
        tree.add(Text(f"{earlier:,} earlier event{'' if earlier == 1 else 's'}", style="dim"))


def _line(clause: dict[str, Any]) -> Text:
    mark, style = _MARKS[clause["matches"]]
    text = clause["clause"] if not clause["clauses"] else _joined(clause)
    line = Text.assemble((mark, style), text)
    if clause["since"]:
        line.append(f"  since {moment(clause['since'])}", style="dim")
    if clause["next_change"]:
        line.append(f"  until {moment(clause['next_change'])}", style="yellow")
    return line


def _joined(clause: dict[str, Any]) -> str:
    """Return the operator alone: what it joins stands below it."""
    word = str(clause["clause"]).split(" ", 1)[0]
    return clause["clause"] if word == "INCLUDE" else word


def _value(value: object) -> str:
    if value is None:
        return "not known"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


_LONGEST = 200
