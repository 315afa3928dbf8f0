"""Purchases as collect events: one per basket with its lines folded in, one per redeemed coupon."""

import heapq
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatepost.demo.purchases import Period, Purchases, household_name
from gatepost.model.jsonvalue import JsonObject
from gatepost.model.times import Instant, to_rfc3339

BASKETS = "baskets"
REDEMPTIONS = "redemptions"

_OWN_BRAND = "Private"
_CARD_FACTS = {
    "age": "age",
    "income": "income",
    "household_size": "household_size",
    "kids_count": "children",
}
_DISCOUNTS = ["retail_disc", "coupon_disc", "coupon_match_disc"]


class DemoEvent(NamedTuple):
    """One event on its way to collect."""

    at: Instant
    stream: str
    body: JsonObject


def events_of(purchases: Purchases, period: Period) -> Iterator[DemoEvent]:
    """Yield the period's baskets and redemptions in order of time; both carry an id of their own."""
    return heapq.merge(
        _baskets(purchases, period), _redemptions(purchases, period), key=lambda event: event.at
    )


def count_events(purchases: Purchases, period: Period) -> int:
    """Return how many events the period has."""
    lines = _within(purchases.transactions, "transaction_timestamp", period)
    return int(lines["basket_id"].nunique()) + len(_within(purchases.redemptions, "at", period))


def _baskets(purchases: Purchases, period: Period) -> Iterator[DemoEvent]:
    lines = _lines(purchases, period)
    facts = _card_facts(purchases.demographics)
    columns = {name: lines[name].tolist() for name in lines.columns}
    baskets = np.asarray(columns["basket_id"])
    starts = np.flatnonzero(np.diff(baskets, prepend=-1))
    ends = np.append(starts[1:], len(baskets))
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        household = columns["household_id"][start]
        at = columns["at"][start]
        departments = {name for name in columns["department"][start:end] if isinstance(name, str)}
        body: JsonObject = {
            "messageId": f"basket-{columns['basket_id'][start]}",
            "event": "basket",
            "at": to_rfc3339(at),
            "household_id": household_name(household),
            "basket_id": str(columns["basket_id"][start]),
            "store_id": str(columns["store_id"][start]),
            "total_cents": sum(columns["cents"][start:end]),
            "own_brand_cents": sum(columns["own_brand_cents"][start:end]),
            "saved_cents": sum(columns["saved_cents"][start:end]),
            "departments": sorted(departments),
            "product_ids": [str(product) for product in columns["product_id"][start:end]],
            **facts.get(household, {}),
        }
        yield DemoEvent(at, BASKETS, body)


def _redemptions(purchases: Purchases, period: Period) -> Iterator[DemoEvent]:
    rows = _within(purchases.redemptions, "at", period)
    rows = rows.assign(instant=_instants(rows["at"])).sort_values("instant", kind="stable")
    columns = (rows.index, rows["instant"], rows["household_id"], rows["coupon_upc"], rows["campaign_id"])
    for row, at, household, coupon, campaign in zip(*(column.tolist() for column in columns), strict=True):
        body: JsonObject = {
            "messageId": f"redemption-{row}",
            "event": "redemption",
            "at": to_rfc3339(at),
            "household_id": household_name(household),
            "coupon": str(coupon),
            "campaign": str(campaign),
        }
        yield DemoEvent(at, REDEMPTIONS, body)


def _lines(purchases: Purchases, period: Period) -> pd.DataFrame:
    """Return the period's purchase lines in order of time, basket by basket, money in cents."""
    lines = _within(purchases.transactions, "transaction_timestamp", period)
    goods = purchases.products[["product_id", "department", "brand"]]
    lines = lines.merge(goods, how="left", on="product_id")
    cents = _cents(lines["sales_value"])
    lines = lines.assign(
        at=_instants(lines["transaction_timestamp"]),
        cents=cents,
        own_brand_cents=cents.where(lines["brand"] == _OWN_BRAND, 0),
        saved_cents=_cents(lines[_DISCOUNTS].sum(axis=1)),
    )
    return lines.sort_values(["at", "basket_id"], kind="stable")


def _card_facts(demographics: pd.DataFrame) -> dict[int, JsonObject]:
    """Return what each loyalty card says about its household; what it does not say is left out."""
    facts: dict[int, JsonObject] = {}
    for row in demographics.to_dict("records"):
        known = {ours: row[theirs] for theirs, ours in _CARD_FACTS.items() if isinstance(row[theirs], str)}
        facts[int(row["household_id"])] = known
    return facts


def _within(frame: pd.DataFrame, column: str, period: Period) -> pd.DataFrame:
    start, end = (pd.Timestamp(instant, unit="ms") for instant in (period.start, period.end))
    return frame[(frame[column] >= start) & (frame[column] < end)]


def _instants(moments: "pd.Series[pd.Timestamp]") -> "pd.Series[int]":
    return moments.astype("datetime64[ms]").astype("int64")


def _cents(amounts: "pd.Series[float]") -> "pd.Series[int]":
    return (amounts * 100).round().astype("int64")
