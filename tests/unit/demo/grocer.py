"""A hand-made week at a small shop: a few households whose every basket can be followed by eye."""

from datetime import date

import pandas as pd

from gatepost.demo.purchases import Period, Purchases, timed_redemptions

MONDAY = date(2017, 8, 7)
WEEK = Period(MONDAY, 7)

PRODUCTS = pd.DataFrame(
    [
        (1, "GROCERY", "National"),
        (2, "PRODUCE", "Private"),
        (3, "FUEL", "National"),
        (4, None, "National"),
    ],
    columns=["product_id", "department", "brand"],
)


def line(
    household: int, basket: int, at: str, product: int, price: float, coupon: float = 0.0
) -> dict[str, object]:
    """One line of a receipt."""
    return {
        "household_id": household,
        "store_id": 330,
        "basket_id": basket,
        "product_id": product,
        "quantity": 1,
        "sales_value": price,
        "retail_disc": 0.0,
        "coupon_disc": coupon,
        "coupon_match_disc": 0.0,
        "transaction_timestamp": pd.Timestamp(at),
    }


def shop(
    *lines: dict[str, object],
    redeemed: tuple[tuple[int, str], ...] = (),
    children: dict[int, str] | None = None,
) -> Purchases:
    """The tables of a shop with these receipts; coupon 9 is for product 2."""
    transactions = pd.DataFrame(lines)
    redemptions = pd.DataFrame(
        [(household, 9, 5, pd.Timestamp(day)) for household, day in redeemed],
        columns=["household_id", "coupon_upc", "campaign_id", "redemption_date"],
    ).astype({"household_id": "int64", "redemption_date": "datetime64[ns]"})
    coupons = pd.DataFrame({"coupon_upc": [9], "product_id": [2], "campaign_id": [5]})
    demographics = pd.DataFrame(
        [(household, "35-44", None, "4", count) for household, count in (children or {}).items()],
        columns=["household_id", "age", "income", "household_size", "kids_count"],
    )
    return Purchases(
        transactions, PRODUCTS, demographics, timed_redemptions(redemptions, transactions, coupons)
    )
