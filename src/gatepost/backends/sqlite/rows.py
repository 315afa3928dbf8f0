"""Outbox rows as records."""

from typing import Any

import msgspec

from gatepost.model.audience import Crossing
from gatepost.model.delivery import Delivery, DeliveryState

DELIVERY_COLUMNS = (
    "seq, id, account, job, destination, profile, audience, crossing, at, transition, snapshot, hops, state, due,"
    " attempts, first_attempt, body, created"
)

OUTBOX_COLUMNS = f"{DELIVERY_COLUMNS}, earlier"
"""Of one that is unfinished; a finished one has its attempts in one number."""

_CROSSINGS = {crossing.value: crossing for crossing in Crossing}
_COLUMNS = DELIVERY_COLUMNS.count(",") + 1
_STATES = {state.value: state for state in DeliveryState}


def delivery_of(row: tuple[Any, ...]) -> Delivery:
    """Return the delivery of a row of `OUTBOX_COLUMNS`; spelled out, for deliver reads each one."""
    return Delivery(
        seq=row[0],
        id=row[1],
        account=row[2],
        job=row[3],
        destination=row[4],
        profile=row[5],
        audience=row[6],
        crossing=_CROSSINGS[row[7]],
        at=row[8],
        transition=row[9],
        snapshot=row[10],
        hops=row[11],
        state=_STATES[row[12]],
        due=row[13],
        attempts=row[14],
        first_attempt=row[15],
        body=row[16],
        created=row[17],
        earlier=row[18],
    )


def row_of(delivery: Delivery, state: DeliveryState) -> tuple[Any, ...]:
    """Return the values of a delivery in another state, in the order of `DELIVERY_COLUMNS`."""
    values = list(msgspec.structs.astuple(delivery))[:_COLUMNS]
    values[7], values[12] = delivery.crossing.value, state.value
    return tuple(values)
