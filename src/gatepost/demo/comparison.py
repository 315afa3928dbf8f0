"""Three answers to one question, side by side: who belongs to which audience."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Memberships = Mapping[str, frozenset[str]]
"""Household -> the audiences it is in; a household in none may be absent."""

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Disagreement:
    """One household of which at least two of the three say different things."""

    household: str
    truth: frozenset[str]
    gatepost: frozenset[str]
    sandbox: frozenset[str]

    def __str__(self) -> str:
        """Say only where the three differ: what all of them hold says nothing."""
        shared = self.truth & self.gatepost & self.sandbox
        parts = [
            f"{name}: {', '.join(sorted(audiences - shared)) or '-'}"
            for name, audiences in (
                ("rows", self.truth),
                ("gatepost", self.gatepost),
                ("sandbox", self.sandbox),
            )
        ]
        return f"{self.household}  {'  '.join(parts)}"


@dataclass(frozen=True)
class Comparison:
    """What came of comparing."""

    households: int
    disagreements: tuple[Disagreement, ...]
    busiest: str = ""
    """A household that is in as many audiences as any: the one worth a look."""


def compare(
    truth: Memberships, gatepost: Memberships, sandbox: Memberships, *, households: Iterable[str] = ()
) -> Comparison:
    """Compare over the union of all households that any of the three, or `households`, names."""
    everyone = sorted({*households, *truth, *gatepost, *sandbox})
    rows = (
        Disagreement(name, truth.get(name, _NONE), gatepost.get(name, _NONE), sandbox.get(name, _NONE))
        for name in everyone
    )
    differing = tuple(row for row in rows if not row.truth == row.gatepost == row.sandbox)
    busiest = max(everyone, key=lambda name: len(truth.get(name, _NONE)), default="")
    return Comparison(households=len(everyone), disagreements=differing, busiest=busiest)


def by_household(members: Mapping[str, Iterable[str]]) -> Memberships:
    """Turn audience -> households into household -> audiences."""
    collected: dict[str, set[str]] = {}
    for slug, households in members.items():
        for household in households:
            collected.setdefault(household, set()).add(slug)
    return {household: frozenset(slugs) for household, slugs in collected.items()}
