from pathlib import Path

import pytest
import yaml

from gatepost.demo.purchases import Purchases
from gatepost.demo.truth import TRUTHS, rows_until, true_households, true_members
from gatepost.model.errors import InvalidInput
from gatepost.model.times import DAY, HOUR
from tests.unit.demo.grocer import WEEK, line, shop

EXAMPLE = Path(__file__).parents[3] / "examples" / "insider" / "gatepost.yaml"


def members(purchases: Purchases, slug: str, at: int) -> set[str]:
    return true_members([slug], rows_until(purchases, WEEK, WEEK.start + at))[slug]


def test_every_audience_of_the_example_has_a_rule_and_every_rule_an_audience() -> None:
    configured = yaml.safe_load(EXAMPLE.read_text())["audiences"]

    assert set(TRUTHS) == set(configured)


def test_both_jobs_of_the_example_watch_every_audience() -> None:
    config = yaml.safe_load(EXAMPLE.read_text())

    assert [job["audiences"] for job in config["jobs"].values()] == [list(config["audiences"])] * 2


def test_an_audience_without_a_rule_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="'night_owls' has no rule"):
        true_members(["night_owls"], rows_until(shop(line(1, 70, "2017-08-08", 1, 1.0)), WEEK, WEEK.end))


def test_three_baskets_make_a_frequent_shopper_until_the_first_is_three_days_old() -> None:
    purchases = shop(
        line(1, 70, "2017-08-07 10:00:00", 1, 1.0),
        line(1, 70, "2017-08-07 10:00:00", 2, 1.0),
        line(1, 71, "2017-08-07 12:00:00", 1, 1.0),
        line(1, 72, "2017-08-08 12:00:00", 1, 1.0),
    )

    standing = [members(purchases, "frequent_shoppers", at) for at in (DAY, 2 * DAY, 3 * DAY + 10 * HOUR)]

    assert standing == [set(), {"hh-1"}, set()]


def test_spending_exactly_the_bound_is_not_more_than_it() -> None:
    purchases = shop(
        line(1, 70, "2017-08-07 10:00:00", 1, 149.90),
        line(1, 71, "2017-08-07 11:00:00", 1, 0.10),
        line(2, 72, "2017-08-07 10:00:00", 1, 150.01),
    )

    assert members(purchases, "big_spenders", DAY) == {"hh-2"}


def test_only_own_brands_count_for_own_brand_fans() -> None:
    purchases = shop(
        line(1, 70, "2017-08-07 10:00:00", 2, 40.00),
        line(2, 71, "2017-08-07 10:00:00", 1, 90.00),
    )

    assert members(purchases, "own_brand_fans", DAY) == {"hh-1"}


def test_a_silent_household_lapses_and_comes_back_with_its_next_basket() -> None:
    purchases = shop(
        line(1, 70, "2017-08-07 10:00:00", 1, 1.0),
        line(1, 71, "2017-08-12 10:00:00", 1, 1.0),
    )

    hours = (3 * DAY + 10 * HOUR, 3 * DAY + 11 * HOUR, 5 * DAY + 10 * HOUR)

    assert [members(purchases, "lapsed_shoppers", at) for at in hours] == [set(), {"hh-1"}, set()]


def test_a_redeemer_stays_for_three_days_and_is_no_full_price_regular() -> None:
    trips = [line(1, 70 + n, f"2017-08-0{7 + n} 10:00:00", 2, 1.0, coupon=0.5 * (n == 1)) for n in range(3)]
    purchases = shop(*trips, redeemed=((1, "2017-08-08"),))

    at = 2 * DAY + 11 * HOUR

    assert members(purchases, "coupon_redeemers", at) == {"hh-1"}
    assert members(purchases, "coupon_redeemers", 4 * DAY + 10 * HOUR) == set()
    assert members(purchases, "frequent_shoppers", at) == {"hh-1"}
    assert members(purchases, "full_price_regulars", at) == set()


def test_fuel_counts_only_without_groceries() -> None:
    purchases = shop(
        line(1, 70, "2017-08-07 10:00:00", 3, 30.0),
        line(2, 71, "2017-08-07 10:00:00", 3, 30.0),
        line(2, 72, "2017-08-08 10:00:00", 1, 5.0),
    )

    assert members(purchases, "fuel_without_groceries", DAY) == {"hh-1", "hh-2"}
    assert members(purchases, "fuel_without_groceries", 2 * DAY) == {"hh-1"}


def test_families_need_children_and_money() -> None:
    purchases = shop(
        *(line(household, household, "2017-08-07 10:00:00", 1, 100.0) for household in (1, 2, 3)),
        line(4, 4, "2017-08-07 10:00:00", 1, 99.0),
        children={1: "0", 2: "3+", 4: "1"},
    )

    assert members(purchases, "families_stocking_up", DAY) == {"hh-2"}


def test_a_regular_cools_after_a_day_and_a_half_without_a_basket() -> None:
    purchases = shop(*(line(1, 70 + n, f"2017-08-07 {10 + n}:00:00", 1, 1.0) for n in range(3)))

    at = 12 * HOUR

    assert members(purchases, "cooling_regulars", at + 36 * HOUR) == set()
    assert members(purchases, "cooling_regulars", at + 37 * HOUR) == {"hh-1"}


def test_a_household_that_only_redeemed_was_seen_too() -> None:
    purchases = shop(line(1, 70, "2017-08-07 10:00:00", 1, 1.0), redeemed=((2, "2017-08-08"),))

    assert true_households(rows_until(purchases, WEEK, WEEK.end)) == {"hh-1", "hh-2"}
