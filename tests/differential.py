"""Hold compiled templates against the reference engine for as long as one likes: python -m tests.differential."""

import random
import time
from collections import Counter
from typing import Annotated

import typer

from tests.jsonnet import PROFILES, Writer, compiled, reference


def main(
    minutes: Annotated[float, typer.Option(help="How long.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Where to start; the same seed tries the same templates.")] = 1,
) -> None:
    """Render random templates with both engines; print the shortest template they disagree on, and exit 1."""
    until = time.monotonic() + minutes * 60
    counts: Counter[str] = Counter()
    worst: tuple[str, int] | None = None
    number = seed * 10**9
    while time.monotonic() < until:
        number += 1
        source = Writer(random.Random(number)).template()  # noqa: S311 - repeatable on purpose
        which = number % len(PROFILES)
        outcome = _outcome(source, which)
        counts[outcome] += 1
        if outcome == "different" and (worst is None or len(source) < len(worst[0])):
            worst = (source, which)
    print(", ".join(f"{outcome}: {count:,}" for outcome, count in sorted(counts.items())))  # noqa: T201 - its output
    if worst:
        print(f"they disagree for profile {worst[1]}:\n{worst[0]}")  # noqa: T201 - its output
        raise typer.Exit(1)


def _outcome(source: str, which: int) -> str:
    mine = compiled(source, PROFILES[which])
    if not mine.covered:
        return "not covered"
    theirs = reference(source, PROFILES[which])
    if mine.text is None:
        if isinstance(mine.cause, NameError | AttributeError | SyntaxError):
            return "different"
        return "left to the engine" if theirs is not None else "refused by both"
    return "equal" if mine.text == theirs else "different"


if __name__ == "__main__":
    typer.run(main)
