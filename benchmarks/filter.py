"""Filter: the time that five typical conditions take on one profile, members and others in equal parts.

The baseline is the same rule as a Python function written by hand: it knows neither missing fields nor other kinds of
values, nor when its answer may change. `parts` hold the reading and compiling of a filter with 1,000 conditions, beside
Python compiling 1,000 such conditions written by hand.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks._common import Budget, Figure, Options, Run, alternated, options
from gatepost.core.filterql import compile_filter, parse_filter
from gatepost.model.times import DAY

FILTER = Budget(ours=2.0)
COMPILE_BUDGET_MS = 100
RULE = """
FILTER AND (
  country = "PT"
  visits >= 3
  last_visit > "now-30d"
  tags INTERSECTS ("wine", "cheese")
  NOT email LIKE "*@example.com"
)
"""
TYPES = {
    "country": "string",
    "visits": "int",
    "last_visit": "date",
    "tags": "[]string",
    "email": "string",
}
NOW = 1_768_478_400_000
"""2026-01-15T12:00:00Z."""
_CONDITIONS = 1_000

Profile = Mapping[str, Any]


def main() -> None:
    given = options("Measure filters: evaluating five conditions, compiling a thousand.")
    run = Run("filter", given)
    evaluated = alternated(lambda: _evaluated(given), lambda: _by_hand(given), given.rounds)
    compiled = alternated(_compiled, _compiled_by_hand, given.rounds)
    parts = {
        "compile_1000_conditions": Figure(
            *compiled, "ms", less_is_better=True, extra={"budget": COMPILE_BUDGET_MS}
        )
    }
    run.report(Figure(*evaluated, "us/evaluation", less_is_better=True), FILTER, parts)


def _evaluated(given: Options) -> float:
    evaluate = compile_filter(parse_filter(RULE).filter, TYPES, lambda _: None).evaluate
    return _microseconds(lambda profile: evaluate(profile, {}, NOW), given)


def _by_hand(given: Options) -> float:
    return _microseconds(_rule, given)


def _rule(profile: Profile) -> bool:
    return (
        profile["country"] == "PT"
        and profile["visits"] >= 3
        and profile["last_visit"] > NOW - 30 * DAY
        and not _WANTED.isdisjoint(profile["tags"])
        and not profile["email"].endswith("@example.com")
    )


_WANTED = frozenset({"wine", "cheese"})


def _microseconds(answer: Callable[[Profile], object], given: Options) -> float:
    profiles, rounds = _profiles(), 10 if given.quick else 2_000
    began = time.perf_counter()
    for _ in range(rounds):
        for profile in profiles:
            answer(profile)
    return (time.perf_counter() - began) / (rounds * len(profiles)) * 1e6


def _profiles() -> Sequence[Profile]:
    """Return members, who need all five conditions, and as many others, who fail at each of them."""
    member = {
        "country": "PT",
        "visits": 12,
        "last_visit": NOW - 3 * DAY,
        "tags": ["sports", "wine"],
        "email": "ana@shop.example",
    }
    others: list[Profile] = [
        {**member, "country": "ES"},
        {**member, "visits": 1},
        {**member, "last_visit": NOW - 40 * DAY},
        {**member, "tags": ["sports"]},
        {**member, "email": "qa@example.com"},
    ]
    return [*others, *([member] * len(others))] * 10


def _compiled() -> float:
    conditions = ", ".join(_condition(place) for place in range(_CONDITIONS))
    began = time.perf_counter()
    compile_filter(parse_filter(f"FILTER AND ({conditions})").filter, {}, lambda _: None)
    return (time.perf_counter() - began) * 1e3


def _condition(place: int) -> str:
    kinds = (f'city_{place} = "c{place}"', f"visits_{place} > {place}", f'seen_{place} > "now-{place}d"')
    return kinds[place % len(kinds)]


def _compiled_by_hand() -> float:
    conditions = " and ".join(f'profile["city_{place}"] == "c{place}"' for place in range(_CONDITIONS))
    began = time.perf_counter()
    compile(f"lambda profile: {conditions}", "<by hand>", "eval")
    return (time.perf_counter() - began) * 1e3


if __name__ == "__main__":
    main()
