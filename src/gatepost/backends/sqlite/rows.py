"""Outbox rows as records."""

from typing import Any

import msgspec

from gatepost.model.audience import Crossing
from gatepost.model.delivery import Delivery, DeliveryState

DELIVERY_COLUMNS = (
    "seq, id, account, job, destination, profile, audience, crossing, at, transition, snapshot, hops, state, due,"
    " attempts, first_attempt, body, created"
)

_NAMES = [name.strip() for name in DELIVERY_COLUMNS.split(",")]
_CROSSINGS = {crossing.value: crossing for crossing in Crossing}
_STATES = {state.value: state for state in DeliveryState}


def delivery_of(row: tuple[Any, ...]) -> Delivery:
    """Return the delivery of a row that begins with `DELIVERY_COLUMNS`."""
    values = dict(zip(_NAMES, row, strict=False))
    values["crossing"] = _CROSSINGS[values["crossing"]]
    values["state"] = _STATES[values["state"]]
    return Delivery(**values)


def row_of(delivery: Delivery) -> tuple[Any, ...]:
    """Return a delivery's values in the order of `DELIVERY_COLUMNS`."""
    return msgspec.structs.astuple(
        msgspec.structs.replace(
            delivery,
            crossing=delivery.crossing.value,
            state=delivery.state.value,
        )
    )
