"""What a profile keeps for windows: when many events come, when they come late, when profiles merge."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from gatepost.core.filterql import parse_filter
from gatepost.core.filterql.nodes import Call, walk
from gatepost.core.filterql.windowcalls import window_of
from gatepost.core.filterql.windowvalues import shown_window
from gatepost.core.identity import absorb
from gatepost.core.plans import AccountPlan
from gatepost.core.windows import EXACT_BOUND
from gatepost.model.event import Event
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.profile import Profile
from gatepost.model.times import DAY, HOUR, MINUTE, Instant
from tests.pipeline import START
from tests.windows import fold, folded, make_event, plan_of

END = START + DAY


def purchases(amount: int, *, first: int = 1, since: Instant = START, **body: Any) -> list[Event]:
    """One purchase a second, each of a product of its own."""
    return [
        make_event(number, since + number * 1_000, event="purchase", sku=f"p{number}", total=1, **body)
        for number in range(first, first + amount)
    ]


def judged(plan: AccountPlan, profile: Profile, now: Instant = END) -> list[bool]:
    return [
        one.filter.evaluate(profile.fields, profile.windows, now).matches for one in plan.audiences.values()
    ]


def merged(plan: AccountPlan, parts: Iterable[list[Event]]) -> Profile:
    first, *others = [folded(plan, part) for part in parts]
    for other in others:
        absorb(first, other, plan.fields, plan.sources.keep)
    return first


KINDS = {
    "count": 'count("purchase", "30d") > 0',
    "sum": 'sum("event.total", "30d") > 0',
    "distinct": 'distinct("event.sku", "30d") > 0',
    "times": 'sequence("purchase", "purchase", "1h", "30d")',
}


@pytest.mark.parametrize("rule", KINDS.values(), ids=KINDS)
def test_up_to_the_bound_nothing_is_given_up(rule: str) -> None:
    plan = plan_of(rule)

    profile = folded(plan, purchases(EXACT_BOUND))

    assert all(len(entries) == EXACT_BOUND for entries in profile.windows.values())
    assert [] == profile.approximate


@pytest.mark.parametrize("rule", KINDS.values(), ids=KINDS)
def test_past_the_bound_a_profile_grows_no_more_and_says_that_it_is_approximate(rule: str) -> None:
    plan = plan_of(rule)

    profile = folded(plan, purchases(5 * EXACT_BOUND))

    assert all(EXACT_BOUND // 4 < len(entries) <= EXACT_BOUND for entries in profile.windows.values())
    assert list(profile.windows) == profile.approximate
    assert [True] == judged(plan, profile)


@pytest.mark.parametrize("rule", KINDS.values(), ids=KINDS)
def test_merged_profiles_keep_to_the_bound_too(rule: str) -> None:
    plan = plan_of(rule)

    profile = merged(plan, (purchases(800, first=1 + 800 * part) for part in range(4)))

    assert all(len(entries) <= EXACT_BOUND for entries in profile.windows.values())
    assert list(profile.windows) == profile.approximate


@pytest.mark.parametrize("split", [1, 4])
def test_a_count_past_the_bound_counts_every_event_late_ones_and_merged_ones_too(split: int) -> None:
    plan = plan_of('count("purchase", "30d") = 3201', 'count("purchase", "30d") >= 3202')
    profile = merged(plan, (purchases(3_200 // split, first=1 + 3_200 // split * n) for n in range(split)))

    fold(plan, profile, make_event(0, START - HOUR, event="purchase"))

    assert [True, False] == judged(plan, profile)


@pytest.mark.parametrize("split", [1, 4])
def test_a_number_of_distinct_values_past_the_bound_stays_near_the_truth(split: int) -> None:
    plan = plan_of('distinct("event.sku", "30d") BETWEEN 9000 AND 11000')

    profile = merged(plan, (purchases(10_000 // split, first=1 + 10_000 // split * n) for n in range(split)))

    assert [True] == judged(plan, profile)


def test_the_same_product_a_thousand_times_is_kept_once() -> None:
    plan = plan_of('distinct("event.sku", "30d") = 1')

    profile = folded(plan, (make_event(n, START + n, sku="tea") for n in range(1, 2_000)))

    assert [1] == [len(entries) for entries in profile.windows.values()]
    assert [True] == judged(plan, profile)
    assert [] == profile.approximate


def test_first_and_last_keep_one_time_each_however_many_events_come() -> None:
    plan = plan_of('first("purchase") < "now-1d"', 'last("purchase") > "now-1d"')

    profile = folded(plan, purchases(3_000))

    assert {"first:purchase": [(START + 1_000, 1)], "last:purchase": [(START + 3_000_000, 3_000)]} == (
        profile.windows
    )
    assert [True, True] == judged(plan, profile, START + DAY + MINUTE)


def test_a_cart_is_remembered_for_as_long_as_the_purchase_after_it_counts() -> None:
    plan = plan_of('sequence("cart", "purchase", "1h", "2h")')
    bought = [make_event(1, START, event="cart"), make_event(2, START + HOUR, event="purchase")]
    later = [make_event(3 + n, START + 150 * MINUTE + n, event="cart") for n in range(100)]

    profile = folded(plan, [*bought, *later])

    assert [True] == judged(plan, profile, START + 3 * HOUR - 1)
    assert [False] == judged(plan, profile, START + 3 * HOUR)


def test_of_two_events_at_the_same_time_the_later_in_the_log_comes_after() -> None:
    plan = plan_of('sequence("cart", "purchase", "1h", "1d")', 'abandoned("cart", "purchase", "1h", "7d")')
    cart_first = [make_event(1, START, event="cart"), make_event(2, START, event="purchase")]
    cart_last = [make_event(1, START, event="purchase"), make_event(2, START, event="cart")]

    answers = [judged(plan, folded(plan, events), START + HOUR) for events in (cart_first, cart_last)]

    assert [[True, False], [False, True]] == answers


def test_another_cart_starts_the_wait_anew_and_a_late_purchase_ends_it() -> None:
    plan = plan_of('abandoned("cart", "purchase", "1h", "7d")')
    rule = plan.audiences[1].filter
    profile = folded(plan, [make_event(1, START, event="cart")])
    seen = [rule.evaluate({}, profile.windows, START + HOUR)]

    fold(plan, profile, make_event(2, START + 2 * HOUR, event="cart"))
    seen.append(rule.evaluate({}, profile.windows, START + 2 * HOUR))
    late = make_event(3, START + 150 * MINUTE, received=START + 4 * HOUR, event="purchase")
    fold(plan, profile, late)
    seen.append(rule.evaluate({}, profile.windows, START + 4 * HOUR))

    assert [
        (True, START + HOUR + 7 * DAY),
        (False, START + 3 * HOUR),
        (False, None),
    ] == [(verdict.matches, verdict.next_change) for verdict in seen]


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({"tags": ["a", "b", "a"]}, 'distinct("event.tags", "1d") = 2'),
        ({"size": 5, "event": "x"}, 'distinct("event.size", "1d", NOT EXISTS sku) = 1'),
        ({"prices": [1.5, "2.5", "free", True]}, 'sum("event.prices", "1d") = 4'),
        ({"total": "9" * 399}, 'sum("event.total", "1d") = 0'),
        ({"cart": {"value": 7}}, 'sum("event.cart.value", "1d", cart.value > 5) = 7'),
        ({"email": "a@x.co"}, 'distinct("email", "1d") = 1'),
        ({"product": "tea", "event": "purchase"}, 'distinct("products", "1d") = 1'),
        ({"total": "9" * 399}, 'count("web", "1d", total * total * 1.5 > 5) = 0'),
        ({"event": ""}, 'count("web", "1d") = 1'),
        ({"event": "web"}, 'count("web", "1d") = 1'),
    ],
)
def test_a_window_reads_what_the_event_itself_says(body: dict[str, Any], rule: str) -> None:
    plan = plan_of(rule)

    profile = folded(plan, [make_event(1, START, **body)])

    assert [True] == judged(plan, profile, START)


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ('count("cart", "1d")', 1),
        ('sum("event.total", "1d")', 3.5),
        ('distinct("event.sku", "1d")', 2),
        ('first("web")', "2023-11-14T22:13:20Z"),
        ('last("cart")', "2023-11-14T22:14:20Z"),
        ('last("purchase")', None),
        ('abandoned("cart", "purchase", "1h", "7d")', True),
    ],
)
def test_a_call_over_a_window_shows_its_value_as_people_read_it(call: str, shown: JsonValue) -> None:
    calls = (node for node in walk(parse_filter(f"{call} = 0").filter) if isinstance(node, Call))
    (window,) = filter(None, map(window_of, calls))
    view = make_event(1, START, event="view", sku="tea", total=1.5)
    profile = folded(
        plan_of(f"{call} = 0"), [view, make_event(2, START + MINUTE, event="cart", sku="cup", total=2)]
    )

    assert shown == shown_window(window, profile.windows, START + 2 * HOUR)


def test_what_no_audience_reads_leaves_no_trace() -> None:
    plan = plan_of('city = "x"')

    profile = folded(plan, purchases(3))

    assert {} == profile.windows
    assert not plan.sources


def test_two_audiences_share_what_they_both_read() -> None:
    plan = plan_of(
        'count("purchase", "1d", total>0) > 1',
        'count( "purchase", "7d",   (total > 0) ) > 5',
        'last("cart") > "now-1d"',
        'abandoned("cart", "purchase", "1h", "7d")',
    )

    profile = folded(plan, [*purchases(2), make_event(9, START, event="cart")])

    kinds = sorted(source.partition(":")[0] for source in profile.windows)
    assert ["count", "last", "last"] == kinds


@pytest.mark.parametrize(
    ("rule", "entries", "most"),
    [('count("purchase", "7d") > 1', 100, 21), ('distinct("event.sku", "7d") > 1', 100, 21)],
)
def test_an_entry_takes_as_many_bytes_as_the_documentation_says(rule: str, entries: int, most: int) -> None:
    profile = folded(plan_of(rule), purchases(entries))

    taken = len(msgspec.msgpack.encode(list(profile.windows.values())))

    assert taken <= entries * most
