"""Who belongs to each audience of `examples/insider`, worked out from the raw rows with pandas alone.

Nothing here is shared with the engine, nor with the code that builds the demo's events: the audiences are
written a second time, in the words of the tables. Windows hold what lies after `now - length`, up to and with
`now`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from gatepost.demo.purchases import Period, Purchases, household_name
from gatepost.model.errors import InvalidInput
from gatepost.model.times import Instant


@dataclass(frozen=True)
class Rows:
    """What had happened by an instant: purchase lines with their product, redemptions, households."""

    now: pd.Timestamp
    lines: pd.DataFrame
    redemptions: pd.DataFrame
    demographics: pd.DataFrame


Households = set[int]
_Truth = Callable[[Rows], Households]


def rows_until(purchases: Purchases, period: Period, now: Instant) -> Rows:
    """Return the rows from the period's start to `now`, as far as they lie in the period."""
    start, end, moment = (pd.Timestamp(at, unit="ms") for at in (period.start, period.end, now))

    def seen(frame: pd.DataFrame, column: str) -> pd.DataFrame:
        times = frame[column]
        return frame[(times >= start) & (times < end) & (times <= moment)]

    lines = seen(purchases.transactions, "transaction_timestamp")
    return Rows(
        now=moment,
        lines=lines.merge(purchases.products, how="left", on="product_id"),
        redemptions=seen(purchases.redemptions, "at"),
        demographics=purchases.demographics,
    )


def true_households(rows: Rows) -> set[str]:
    """Return every household that was seen at all, and so has a profile."""
    seen = {*rows.lines["household_id"].tolist(), *rows.redemptions["household_id"].tolist()}
    return {household_name(household) for household in seen}


def true_members(slugs: Iterable[str], rows: Rows) -> dict[str, set[str]]:
    """Return the members of each audience; an audience without a rule of its own here is an error."""
    members: dict[str, set[str]] = {}
    for slug in slugs:
        rule = TRUTHS.get(slug)
        if rule is None:
            msg = f"audience {slug!r} has no rule in gatepost.demo.truth, which knows {', '.join(TRUTHS)}"
            raise InvalidInput(msg, path=f"audiences.{slug}")
        members[slug] = {household_name(household) for household in rule(rows)}
    return members


def _frequent_shoppers(rows: Rows) -> Households:
    return _with_baskets(rows, days=3, at_least=3)


def _big_spenders(rows: Rows) -> Households:
    spent = _spent_cents(_recent(rows, days=3))
    return set(spent[spent > 150_00].index)


def _own_brand_fans(rows: Rows) -> Households:
    recent = _recent(rows, days=4)
    spent = _spent_cents(recent[recent["brand"] == "Private"])
    return set(spent[spent >= 40_00].index)


def _lapsed_shoppers(rows: Rows) -> Households:
    return _silent_for(rows, pd.Timedelta(days=3))


def _coupon_redeemers(rows: Rows) -> Households:
    recent = rows.redemptions[rows.redemptions["at"] > rows.now - pd.Timedelta(days=3)]
    return set(recent["household_id"])


def _produce_buyers(rows: Rows) -> Households:
    return _bought_from(rows, "PRODUCE", days=2)


def _best_customers(rows: Rows) -> Households:
    return _frequent_shoppers(rows) & _big_spenders(rows)


def _full_price_regulars(rows: Rows) -> Households:
    return _frequent_shoppers(rows) - _coupon_redeemers(rows)


def _fuel_without_groceries(rows: Rows) -> Households:
    return _bought_from(rows, "FUEL", days=3) - _bought_from(rows, "GROCERY", days=3)


def _cooling_regulars(rows: Rows) -> Households:
    return _with_baskets(rows, days=5, at_least=3) & _silent_for(rows, pd.Timedelta(hours=36))


def _families_stocking_up(rows: Rows) -> Households:
    spent = _spent_cents(_recent(rows, days=3))
    with_children = rows.demographics[rows.demographics["kids_count"].isin(["1", "2", "3+"])]
    return set(spent[spent >= 100_00].index) & set(with_children["household_id"])


TRUTHS: dict[str, _Truth] = {
    "frequent_shoppers": _frequent_shoppers,
    "big_spenders": _big_spenders,
    "own_brand_fans": _own_brand_fans,
    "lapsed_shoppers": _lapsed_shoppers,
    "coupon_redeemers": _coupon_redeemers,
    "produce_buyers": _produce_buyers,
    "best_customers": _best_customers,
    "full_price_regulars": _full_price_regulars,
    "fuel_without_groceries": _fuel_without_groceries,
    "cooling_regulars": _cooling_regulars,
    "families_stocking_up": _families_stocking_up,
}
"""The rule of each audience, by its slug."""


def _recent(rows: Rows, *, days: int) -> pd.DataFrame:
    return rows.lines[rows.lines["transaction_timestamp"] > rows.now - pd.Timedelta(days=days)]


def _spent_cents(lines: pd.DataFrame) -> "pd.Series[int]":
    cents = (lines["sales_value"] * 100).round().astype("int64")
    return cents.groupby(lines["household_id"]).sum()


def _with_baskets(rows: Rows, *, days: int, at_least: int) -> Households:
    baskets = _recent(rows, days=days).groupby("household_id")["basket_id"].nunique()
    return set(baskets[baskets >= at_least].index)


def _bought_from(rows: Rows, department: str, *, days: int) -> Households:
    recent = _recent(rows, days=days)
    return set(recent.loc[recent["department"] == department, "household_id"])


def _silent_for(rows: Rows, length: pd.Timedelta) -> Households:
    last = rows.lines.groupby("household_id")["transaction_timestamp"].max()
    return set(last[last < rows.now - length].index)
