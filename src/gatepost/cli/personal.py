"""A person's fields with their sources, and erasures, for people."""

from typing import Any

from rich.text import Text
from rich.tree import Tree

from gatepost.cli.output import Output, moment, short_id

_LONGEST = 120


def show_sources(out: Output, found: dict[str, Any], wanted: list[str]) -> None:
    """Print where each field comes from, as `GET /v2/profile/explain/{identifier}` gives it."""
    sources = {name: one for name, one in found["field_sources"].items() if not wanted or name in wanted}
    if found["missing_events"]:
        out.say(
            f"{found['missing_events']:,} of the profile's events are not kept any more; nothing is said of them."
        )
    tree = Tree(Text(short_id(found["entity"]["_id"]), style="bold"), guide_style="dim")
    for name in sorted(sources):
        _grow(tree, name, sources[name])
    out.show(tree)


def show_preview(out: Output, found: dict[str, Any], *, sure: bool) -> None:
    """Print what an erasure takes away, or would."""
    out.heading(f"{short_id(found['profile'])} {'is to be' if sure else 'would be'} erased, with")
    out.facts((kind.replace("_", " "), amount) for kind, amount in found["counts"].items())


def show_receipt(out: Output, erasure: dict[str, Any]) -> None:
    """Print an erasure, and what an audit said of it where there was one."""
    counts = _amounts(erasure["counts"])
    out.facts(
        (
            ("erasure", erasure["id"]),
            ("identifier (hash)", erasure["subject"]),
            ("asked", moment(erasure["asked"])),
            ("completed", moment(erasure["completed"]) or f"not yet: {erasure['step']}"),
            ("trouble", _trouble(erasure)),
            ("gone", counts or "nothing: nobody had that identifier"),
            ("named by others", _amounts(erasure["quoted"])),
            ("digest", erasure["digest"]),
        )
    )
    audit = erasure.get("audit")
    if audit is None:
        return
    out.say("")
    out.say(
        "The receipt is as it was written."
        if audit["genuine"]
        else "The receipt is not the one that was written!"
    )
    found = _amounts(audit["found"])
    out.say(f"Found again: {found}." if found else "Nothing of what was erased is found.")
    if audit["searched"]:
        out.say("Every byte of both files was searched for what you named.")
    if audit["quoted"]:
        out.say(f"Others name her, which stays theirs: {_amounts(audit['quoted'])}.")
    if audit["returned"]:
        out.say("A newer event has made a new profile with one of the identifiers, as it may.")


def show_erasures(out: Output, found: list[dict[str, Any]]) -> None:
    """Print the latest erasures, as `GET /v2/erasure` gives them."""
    rows = [
        (one["id"], moment(one["asked"]), moment(one["completed"]) or one["step"], _trouble(one))
        for one in found
    ]
    columns = ("erasure", "asked", "completed", "trouble")
    out.table(columns, rows, empty="Nobody was erased yet.")


def _trouble(erasure: dict[str, Any]) -> str:
    if not erasure["failures"]:
        return ""
    return f"failed {erasure['failures']:,} times ({erasure['trouble']}), again at {moment(erasure['again'])}"


def _amounts(counts: dict[str, int]) -> str:
    return ", ".join(f"{amount:,} {kind.replace('_', ' ')}" for kind, amount in counts.items())


def _grow(tree: Tree, name: str, source: dict[str, Any]) -> None:
    text = str(source["value"])
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    branch = tree.add(Text.assemble((name, "bold"), f" is {shown}", (f"  {source['operator']}", "dim")))
    for one in source["sources"]:
        guard = f" if {one['guard']}" if one["guard"] else ""
        line = f"{moment(one['at'])} {one['stream']} gave {one['value']} by {one['expression']}{guard}"
        branch.add(Text(f"{line} (event {one['event']})", style="dim"))
    earlier = source["events"] - len(source["sources"])
    if earlier:
        branch.add(Text(f"{earlier:,} earlier event{'' if earlier == 1 else 's'}", style="dim"))
    elif not source["sources"]:
        branch.add(Text("no event that is kept gave it", style="dim"))
