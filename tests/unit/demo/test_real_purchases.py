"""The one test on the real tables: the default week shows every audience filling and emptying."""

from itertools import pairwise

import pytest

from gatepost.demo.events import count_events, events_of
from gatepost.demo.purchases import Period, Purchases, load_purchases
from gatepost.demo.truth import TRUTHS, rows_until, true_members
from gatepost.model.times import HOUR
from tests.unit.demo.grocer import MONDAY

WEEK = Period(MONDAY, 7)


@pytest.fixture(scope="module")
def purchases() -> Purchases:
    return load_purchases()


def test_every_audience_gains_and_loses_somebody_within_the_week(purchases: Purchases) -> None:
    instants = range(WEEK.start, WEEK.end + 1, 12 * HOUR)

    standing = [true_members(TRUTHS, rows_until(purchases, WEEK, at)) for at in instants]

    for slug in TRUTHS:
        pairs = list(pairwise(standing))
        assert any(after[slug] - before[slug] for before, after in pairs), f"nobody enters {slug}"
        assert any(before[slug] - after[slug] for before, after in pairs), f"nobody leaves {slug}"


def test_the_week_is_replayed_whole_and_in_order(purchases: Purchases) -> None:
    week = list(events_of(purchases, WEEK))

    assert len(week) == count_events(purchases, WEEK) == 3206
    assert [event.at for event in week] == sorted(event.at for event in week)
    assert all(WEEK.start <= event.at < WEEK.end for event in week)
    assert len({event.body["messageId"] for event in week}) == len(week)


def test_every_redemption_finds_a_basket(purchases: Purchases) -> None:
    tills = purchases.transactions[["household_id", "transaction_timestamp"]].drop_duplicates()

    found = purchases.redemptions.merge(
        tills, left_on=["household_id", "at"], right_on=["household_id", "transaction_timestamp"]
    )

    assert len(found) == len(purchases.redemptions) == 2102
