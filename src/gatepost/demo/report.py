"""The last page of a demo: what came of it, and where to look now."""

from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from gatepost.demo.client import Status
from gatepost.demo.comparison import Comparison
from gatepost.demo.display import audience_table
from gatepost.demo.outcome import DemoResult

_SAMPLES = 10


class Addresses(NamedTuple):
    """Where the programs of a demo are."""

    gatepost: str
    sandbox: str
    token_file: Path


def print_report(console: Console, status: Status, result: DemoResult, comparison: Comparison) -> None:
    """Print the figures and the disagreements, if any."""
    deliveries = result.deliveries
    console.print()
    console.print(audience_table(status))
    console.print(
        f"\n{result.events:,} events, {result.profiles:,} profiles, {deliveries.delivered:,} delivered, "
        f"{deliveries.refused:,} refused, {deliveries.dead:,} dead, {deliveries.pending:,} pending, "
        f"{result.seconds:,.1f} s",
        highlight=False,
        soft_wrap=True,
    )
    if not comparison.disagreements:
        console.print(
            f"{comparison.households:,} households: gatepost, the sandbox and the raw rows agree on each.",
            style="green",
            highlight=False,
            soft_wrap=True,
        )
        return
    console.print(
        f"{len(comparison.disagreements):,} of {comparison.households:,} households disagree:", style="red"
    )
    for disagreement in comparison.disagreements[:_SAMPLES]:
        console.print(f"  {disagreement}", highlight=False, soft_wrap=True)


def print_signposts(console: Console, addresses: Addresses, household: str) -> None:
    """Print where to look while the programs stay up."""
    lines = (
        f"gatepost   {addresses.gatepost}/",
        f"sandbox    {addresses.sandbox}/",
        "",
        f"export GATEPOST_URL={addresses.gatepost} GATEPOST_TOKEN=$(cat {addresses.token_file})",
        "gatepost status",
        "gatepost delivery list",
        f"gatepost profile show household_id {household}",
        'curl -H "Authorization: $GATEPOST_TOKEN" $GATEPOST_URL/api/segment/best_customers/scan',
        f"curl {addresses.sandbox}/sandbox/profiles/uuid/{household}",
        "",
        "Both stay up until Ctrl-C; their data goes with them.",
    )
    console.print()
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
