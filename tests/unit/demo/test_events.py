from datetime import date

import pytest

from gatepost.demo.events import count_events, events_of
from gatepost.demo.purchases import Period
from gatepost.model.errors import InvalidInput
from gatepost.model.times import to_rfc3339
from tests.unit.demo.grocer import WEEK, line, shop


def test_a_basket_becomes_one_event_with_its_lines_added_up() -> None:
    purchases = shop(
        line(900, 70, "2017-08-08 15:00:00", 1, 1.10),
        line(900, 70, "2017-08-08 15:00:00", 2, 2.29, coupon=0.5),
        children={900: "2"},
    )

    (event,) = events_of(purchases, WEEK)

    assert event.stream == "baskets"
    assert event.body == {
        "messageId": "basket-70",
        "event": "basket",
        "at": "2017-08-08T15:00:00Z",
        "household_id": "hh-900",
        "basket_id": "70",
        "store_id": "330",
        "total_cents": 339,
        "own_brand_cents": 229,
        "saved_cents": 50,
        "departments": ["GROCERY", "PRODUCE"],
        "product_ids": ["1", "2"],
        "age": "35-44",
        "household_size": "4",
        "children": "2",
    }


def test_a_product_without_department_names_none() -> None:
    purchases = shop(line(900, 70, "2017-08-08 15:00:00", 4, 1.0))

    (event,) = events_of(purchases, WEEK)

    assert event.body["departments"] == []


def test_baskets_and_redemptions_come_in_order_of_time() -> None:
    purchases = shop(
        line(1, 72, "2017-08-09 15:00:00", 1, 1.0),
        line(2, 71, "2017-08-08 15:00:00", 2, 1.0, coupon=0.4),
        line(1, 70, "2017-08-07 15:00:00", 1, 1.0),
        redeemed=((2, "2017-08-08"),),
    )

    streams = [(event.stream, to_rfc3339(event.at)[:10]) for event in events_of(purchases, WEEK)]

    assert streams == [
        ("baskets", "2017-08-07"),
        ("baskets", "2017-08-08"),
        ("redemptions", "2017-08-08"),
        ("baskets", "2017-08-09"),
    ]
    assert count_events(purchases, WEEK) == len(streams)


def test_a_period_holds_its_first_instant_and_not_its_last() -> None:
    purchases = shop(
        line(1, 70, "2017-08-06 23:59:59", 1, 1.0),
        line(1, 71, "2017-08-07 00:00:00", 1, 1.0),
        line(1, 72, "2017-08-13 23:59:59", 1, 1.0),
        line(1, 73, "2017-08-14 00:00:00", 1, 1.0),
    )

    baskets = [event.body["basket_id"] for event in events_of(purchases, WEEK)]

    assert baskets == ["71", "72"]


def test_a_redemption_gets_the_time_of_the_basket_that_held_the_coupons_product() -> None:
    purchases = shop(
        line(1, 70, "2017-08-08 12:00:00", 1, 1.0),
        line(1, 71, "2017-08-08 13:00:00", 1, 1.0, coupon=0.4),
        line(1, 72, "2017-08-08 14:00:00", 2, 1.0, coupon=0.4),
        redeemed=((1, "2017-08-08"),),
    )

    times = [to_rfc3339(event.at) for event in events_of(purchases, WEEK) if event.stream == "redemptions"]

    assert times == ["2017-08-08T14:00:00Z"]


def test_a_late_evening_at_the_till_is_still_the_day_printed_on_the_coupon() -> None:
    # 02:30 UTC is half past ten in the evening before, where the shop stands.
    purchases = shop(line(1, 70, "2017-08-09 02:30:00", 2, 1.0, coupon=0.4), redeemed=((1, "2017-08-08"),))

    times = [to_rfc3339(event.at) for event in events_of(purchases, WEEK) if event.stream == "redemptions"]

    assert times == ["2017-08-09T02:30:00Z"]


def test_a_redemption_without_a_basket_happens_at_noon() -> None:
    purchases = shop(line(2, 70, "2017-08-08 15:00:00", 2, 1.0), redeemed=((1, "2017-08-08"),))

    times = [to_rfc3339(event.at) for event in events_of(purchases, WEEK) if event.stream == "redemptions"]

    assert times == ["2017-08-08T16:00:00Z"]


@pytest.mark.parametrize(
    ("first", "days"), [(date(2017, 8, 7), 148), (date(2017, 8, 7), 0), (date(2018, 1, 1), 1)]
)
def test_a_period_outside_the_data_is_refused(first: date, days: int) -> None:
    with pytest.raises(InvalidInput, match="the purchases run from 2017-01-01 to 2017-12-31"):
        Period(first, days)
