"""Rules over windows, from the event to the outbox: each border is crossed at its very instant."""

import pytest

from gatepost.model.times import DAY, HOUR, MINUTE, SECOND, Milliseconds, to_rfc3339
from tests.factories import ACCOUNT, make_submission
from tests.pipeline import START, Pipeline

Crossing = tuple[str, Milliseconds]


def crossings(pipeline: Pipeline) -> list[tuple[str, str]]:
    return [(crossing, at) for crossing, _, at in pipeline.triggers()]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('abandoned("cart", "purchase", "1h", "7d")', [("enter", HOUR), ("exit", 7 * DAY + HOUR)]),
        ('sequence("view", "cart", "10m", "2h")', [("enter", 0), ("exit", 2 * HOUR)]),
        ('count("cart", "30s", total > 20) >= 1', [("enter", 0), ("exit", 30 * SECOND)]),
        ('distinct("event.sku", "15m") >= 2', [("enter", 0), ("exit", 14 * MINUTE)]),
        ('last("cart") < "now-30d"', [("enter", 30 * DAY + SECOND)]),
        ('first("view") > "now-1h"', [("enter", -MINUTE), ("exit", 59 * MINUTE)]),
    ],
)
def test_a_cart_filled_and_left_moves_its_owner_by_time_alone(
    pipeline: Pipeline, rule: str, expected: list[Crossing]
) -> None:
    pipeline.configure(rule)

    pipeline.send(user="ada", event="view", sku="tea")
    pipeline.after(MINUTE)
    pipeline.send(user="ada", event="cart", sku="cup", total=30)
    pipeline.after(60 * DAY)

    cart = START + MINUTE
    assert [(crossing, to_rfc3339(cart + after)) for crossing, after in expected] == crossings(pipeline)


def test_a_purchase_ends_the_abandonment_at_once(pipeline: Pipeline) -> None:
    pipeline.configure('abandoned("cart", "purchase", "1h", "7d")')
    pipeline.send(user="ada", event="cart")
    pipeline.after(2 * HOUR)

    pipeline.send(user="ada", event="purchase")
    pipeline.after(30 * DAY)

    assert [("enter", to_rfc3339(START + HOUR)), ("exit", to_rfc3339(START + 2 * HOUR))] == (
        crossings(pipeline)
    )


def test_two_cookies_that_turn_out_to_be_one_person_share_their_past(pipeline: Pipeline) -> None:
    pipeline.configure('sequence("view", "purchase", "1h", "1d")')
    pipeline.send(cookie="phone", event="view")
    pipeline.after(MINUTE)
    pipeline.send(cookie="laptop", event="purchase")
    pipeline.after(MINUTE)

    pipeline.send(cookie="phone", user="ada")
    pipeline.send(cookie="laptop", user="ada")
    pipeline.after(2 * DAY)

    bought = START + MINUTE
    assert [("enter", to_rfc3339(bought + MINUTE)), ("exit", to_rfc3339(bought + DAY))] == (
        crossings(pipeline)
    )


def test_very_many_events_of_a_clock_that_is_ahead_count_when_their_time_comes(pipeline: Pipeline) -> None:
    pipeline.configure('count("web", "2d") >= 1100')
    ahead = [make_submission(at=START + 12 * HOUR + number, user="ada") for number in range(1_200)]
    pipeline.log.append(ACCOUNT, ahead).result()
    pipeline.settle()
    before = pipeline.inside()

    pipeline.after(13 * HOUR)
    reached = pipeline.inside()
    pipeline.after(2 * DAY)

    assert [[], ["ada"], []] == [before, reached, pipeline.inside()]
