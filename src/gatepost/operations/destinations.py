"""Destinations: found or made for a job, stopped by refused credentials, opened again by a person."""

import msgspec

from gatepost.model.catalog import Destination, JobStatus
from gatepost.operations.records import destinations_of, live_jobs
from gatepost.ports.store import Transaction


def destination_for(tx: Transaction, account: int, authorization: str, origin: str) -> Destination:
    """Return the destination of an authorization at an origin, made when there is none yet."""
    for known in destinations_of(tx, account).values():
        if (known.authorization, known.origin_url) == (authorization, origin):
            return known
    number = tx.catalog.number("destination")
    made = Destination(number=number, account=account, authorization=authorization, origin_url=origin)
    tx.catalog.put(account, str(number), made)
    return made


def open_destination(tx: Transaction, account: int, number: int) -> None:
    """Send to a destination again and free what it held, but for the deliveries of paused jobs."""
    destination = destinations_of(tx, account).get(number)
    if destination is None or not destination.stopped:
        return
    tx.catalog.put(account, str(number), msgspec.structs.replace(destination, stopped=""))
    tx.outbox.hold(account, destination=number, held=False)
    for job in live_jobs(tx, account):
        if job.status is JobStatus.PAUSED:
            tx.outbox.hold(account, job=job.id, held=True)
