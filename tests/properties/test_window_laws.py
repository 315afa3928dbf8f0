"""Windows have laws: they answer what a naive reading of all events answers, at every instant, in any order."""

from collections.abc import Callable, Sequence
from itertools import accumulate, cycle, islice
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.core.filterql import CompiledFilter, from_ast, parse_filter, print_filter, to_ast
from gatepost.core.identity import absorb
from gatepost.core.plans import AccountPlan
from gatepost.core.refilling import refilled
from gatepost.core.versions import Versions
from gatepost.model.event import Event
from gatepost.model.profile import Profile
from gatepost.model.times import HOUR, MINUTE, SECOND, Instant
from tests.pipeline import START
from tests.windows import fold, folded, make_event, plan_of

NOW = START - START % HOUR
Happened = Sequence[dict[str, Any]]
Reference = Callable[[Happened, Instant], bool]


def inside(events: Happened, now: Instant, length: int, **wanted: Any) -> list[dict[str, Any]]:
    return [
        event
        for event in events
        if event["at"] <= now < event["at"] + length
        and all(event.get(key) == value for key, value in wanted.items())
    ]


def moment(events: Happened, now: Instant, choose: Any, **wanted: Any) -> Instant | None:
    times = [event["at"] for event in inside(events, now, 10**15, **wanted)]
    return choose(times) if times else None


def compared(left: Instant | None, right: Instant | None, holds: Callable[[int, int], bool]) -> bool:
    """Dates meet at whole seconds, and a missing one compares as false."""
    return left is not None and right is not None and holds(left // SECOND, right // SECOND)


def is_followed(events: Happened, now: Instant, within: int, length: int, first: Any, then: Any) -> bool:
    return any(
        (one["at"], one["id"]) < (other["at"], other["id"]) and other["at"] <= one["at"] + within
        for other in inside(events, now, length, **then)
        for one in inside(events, now, 10**15, **first)
    )


def is_abandoned(events: Happened, now: Instant, after: int, length: int, first: Any, then: Any) -> bool:
    started = [(event["at"], event["id"]) for event in inside(events, now, 10**15, **first)]
    answered = [(event["at"], event["id"]) for event in inside(events, now, 10**15, **then)]
    if not started or max(answered, default=(0, 0)) > max(started):
        return False
    since: Instant = now - max(started)[0]
    return after <= since < after + length


CART, BUY = {"event": "cart"}, {"event": "buy"}
RULES: dict[str, Reference] = {
    'count("buy", "30s") >= 1': lambda e, now: len(inside(e, now, 30 * SECOND, **BUY)) >= 1,
    'count("web", "90m") = 2': lambda e, now: len(inside(e, now, 90 * MINUTE)) == 2,
    'count("buy", "3h", total > 1) >= 2': lambda e, now: (
        sum(event["total"] > 1 for event in inside(e, now, 3 * HOUR, **BUY)) >= 2
    ),
    'sum("spend", "2h", event = "buy") >= 4': lambda e, now: (
        sum(event["total"] for event in inside(e, now, 2 * HOUR, **BUY)) >= 4
    ),
    'sum("event.total", "2h") < 3': lambda e, now: (
        sum(event["total"] for event in inside(e, now, 2 * HOUR)) < 3
    ),
    'distinct("event.sku", "2h") >= 2': lambda e, now: (
        len({event["sku"] for event in inside(e, now, 2 * HOUR)}) >= 2
    ),
    'distinct("event.sku", "3h", event = "buy") = 1': lambda e, now: (
        len({event["sku"] for event in inside(e, now, 3 * HOUR, **BUY)}) == 1
    ),
    '(distinct("city", "1h") * 2) > 2': lambda e, now: (
        len({event["city"] for event in inside(e, now, HOUR)}) > 1
    ),
    'sequence("cart", "buy", "1h", "2h")': lambda e, now: is_followed(e, now, HOUR, 2 * HOUR, CART, BUY),
    'sequence("web", sku = "a", "buy", total > 0, "2h", "90m")': lambda e, now: is_followed(
        [event | {"some": event["total"] > 0} for event in e],
        now,
        2 * HOUR,
        90 * MINUTE,
        {"sku": "a"},
        BUY | {"some": True},
    ),
    'sequence("buy", "buy", "2h", "2h")': lambda e, now: is_followed(e, now, 2 * HOUR, 2 * HOUR, BUY, BUY),
    'abandoned("cart", "buy", "1h", "2h")': lambda e, now: is_abandoned(e, now, HOUR, 2 * HOUR, CART, BUY),
    'NOT abandoned("buy", sku = "a", "buy", "30m", "1h")': lambda e, now: (
        not is_abandoned(e, now, 30 * MINUTE, HOUR, BUY | {"sku": "a"}, BUY)
    ),
    'first("buy") > "now-2h"': lambda e, now: compared(
        moment(e, now, min, **BUY), now - 2 * HOUR, lambda a, b: a > b
    ),
    'last("buy", sku = "a") < "now-1h"': lambda e, now: compared(
        moment(e, now, max, event="buy", sku="a"), now - HOUR, lambda a, b: a < b
    ),
    'last("buy") > last("cart")': lambda e, now: compared(
        moment(e, now, max, **BUY), moment(e, now, max, **CART), lambda a, b: a > b
    ),
    'EXISTS first("cart")': lambda e, now: moment(e, now, min, **CART) is not None,
}
LOOSE = ("first", "last", "EXISTS first", "(distinct")
"""Their next change may come to nothing: of a date rule, an event dated ahead, or a number that is reckoned with."""

moments = st.one_of(
    st.integers(-10, 6).map(lambda halves: NOW + halves * 30 * MINUTE),
    st.integers(-5 * HOUR, 2 * HOUR).map(lambda offset: NOW + offset),
    st.sampled_from([NOW, NOW - 1, NOW + 1, NOW - 30 * SECOND]),
)
bodies = st.fixed_dictionaries(
    {
        "event": st.sampled_from(["cart", "buy"]),
        "sku": st.sampled_from("abc"),
        "city": st.sampled_from("xyz"),
        "total": st.integers(0, 3),
    }
)
histories = st.lists(st.tuples(moments, bodies), max_size=10).map(
    lambda found: [{"id": number, "at": at, **body} for number, (at, body) in enumerate(found, start=1)]
)
rules = st.sampled_from(sorted(RULES))


def as_event(happened: dict[str, Any], received: Instant = NOW) -> Event:
    body = {key: value for key, value in happened.items() if key not in {"id", "at"}}
    return make_event(happened["id"], happened["at"], received=received, **body)


def compiled(plan: AccountPlan) -> CompiledFilter:
    return plan.audiences[1].filter


def borders(history: Happened) -> list[Instant]:
    """Every instant at which any of the rules may turn."""
    lengths = [30 * SECOND, *(halves * 30 * MINUTE for halves in range(8))]
    ends = {event["at"] + length for event in history for length in lengths}
    # Dates meet at whole seconds, so rules about them turn at the second's begin or end.
    return sorted(ends | {end // SECOND * SECOND + late for end in ends for late in (0, SECOND)})


def naive_flip(rule: str, history: Happened, now: Instant) -> Instant | None:
    answer = RULES[rule](history, now)
    later = (at for at in borders(history) if at > now and RULES[rule](history, at) is not answer)
    return next(later, None)


@pytest.mark.parametrize("rule", sorted(RULES))
@given(history=histories, data=st.data())
def test_a_window_answers_what_all_events_say_and_flips_at_that_very_instant(
    rule: str, history: Happened, data: st.DataObject
) -> None:
    plan = plan_of(rule)
    arrived = data.draw(st.permutations(history))
    profile = folded(plan, map(as_event, arrived))
    judge = compiled(plan).evaluate

    verdict = judge({}, profile.windows, NOW)

    assert RULES[rule](history, NOW) is verdict.matches
    steps = [verdict.next_change]
    while steps[-1] is not None and judge({}, profile.windows, steps[-1]).matches is verdict.matches:
        steps.append(judge({}, profile.windows, steps[-1]).next_change)
    assert naive_flip(rule, history, NOW) == steps[-1]
    assert len(steps) == 1 or rule.startswith(LOOSE)


@given(rules, histories)
def test_a_window_answers_right_at_every_later_instant(rule: str, history: Happened) -> None:
    plan = plan_of(rule)
    profile = folded(plan, map(as_event, history))

    answers = {
        at: compiled(plan).evaluate({}, profile.windows, at).matches
        for border in borders(history)
        for at in (border - 1, border, border + 1)
        if at >= NOW
    }

    assert answers == {at: RULES[rule](history, at) for at in answers}


@given(
    rules,
    histories,
    st.lists(st.tuples(st.integers(0, 40 * MINUTE), st.booleans()), min_size=10, max_size=10),
)
def test_what_a_profile_forgets_on_the_way_is_never_missed(
    rule: str, history: Happened, steps: list[tuple[int, bool]]
) -> None:
    plan = plan_of(rule)
    profile = folded(plan, [])
    now = NOW - 2 * HOUR

    for place, (happened, (wait, merges)) in enumerate(zip(history, steps, strict=False), start=1):
        now += wait
        event = as_event(happened, received=now)
        if merges:
            absorbed_into(profile, folded(plan, [event]), plan)
        else:
            fold(plan, profile, event)

        assert RULES[rule](history[:place], now) is compiled(plan).evaluate({}, profile.windows, now).matches


def absorbed_into(survivor: Profile, absorbed: Profile, plan: AccountPlan) -> Profile:
    absorb(survivor, absorbed, plan.fields, plan.sources.keep)
    return survivor


@given(
    gaps=st.lists(st.integers(0, 4 * MINUTE), min_size=3, max_size=12),
    order=st.lists(bodies, min_size=3, max_size=12),
    late=st.integers(0, 3 * HOUR),
)
@settings(max_examples=20)
def test_a_long_history_is_forgotten_where_no_window_reaches(
    gaps: list[int], order: list[dict[str, Any]], late: int
) -> None:
    plan, times = plan_of(*RULES), list(accumulate(islice(cycle(gaps), 160), initial=NOW))
    history = [{"id": n, "at": at, **order[n % len(order)]} for n, at in enumerate(times, start=1)]
    profile = folded(plan, (as_event(happened, happened["at"]) for happened in history))
    now = times[-1] + late

    answers = [one.filter.evaluate({}, profile.windows, now).matches for one in plan.audiences.values()]

    assert answers == [reference(history, now) for reference in RULES.values()]
    for source, entries in profile.windows.items():
        horizon = times[-1] - plan.sources.keep[source]
        assert sum(at <= horizon for at, _ in entries) <= 64


@given(rules, histories, st.data())
def test_neither_order_nor_merges_show_in_what_is_kept(
    rule: str, history: Happened, data: st.DataObject
) -> None:
    plan = plan_of(rule)
    arrived = data.draw(st.permutations(history))
    cut = data.draw(st.integers(0, len(history)))
    one, other = (folded(plan, map(as_event, part), NOW) for part in (arrived[:cut], arrived[cut:]))

    merged = absorbed_into(one, other, plan)

    assert folded(plan, map(as_event, history), NOW).windows == merged.windows


@given(st.lists(rules, min_size=1, max_size=4), histories, st.lists(st.integers(0, HOUR), max_size=10))
def test_a_new_audience_is_filled_as_if_it_had_been_there_from_the_start(
    texts: list[str], history: Happened, waits: list[int]
) -> None:
    received = [NOW + sum(waits[:place]) for place in range(len(history))]
    events = [as_event(happened, at) for happened, at in zip(history, received, strict=True)]
    before, after = plan_of(texts[0]), plan_of(*texts)
    always = folded(after, events)
    late = folded(before, events)
    new = after.sources.keep.keys() - before.sources.keep.keys()

    filled = refilled(Versions(after), late, events, new)

    assert always == filled


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_window_survives_being_printed_and_being_json(rule: str) -> None:
    tree = parse_filter(rule).filter

    printed, through_json = (
        print_filter(tree),
        print_filter(from_ast(orjson.loads(orjson.dumps(to_ast(tree))))),
    )

    assert rule == printed == through_json
    assert plan_of(rule).sources.keep == plan_of(through_json).sources.keep


@given(rules, histories)
def test_what_is_kept_survives_being_stored(rule: str, history: Happened) -> None:
    profile = folded(plan_of(rule), map(as_event, history))

    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(profile), type=Profile)

    assert profile == stored
    assert orjson.dumps(profile.windows)
