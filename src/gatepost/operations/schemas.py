"""The schema as it was published, version by version."""

import msgspec

from gatepost.core.elements import keeping_of
from gatepost.model.errors import NotFound
from gatepost.model.schema import Schema
from gatepost.operations.context import Context
from gatepost.operations.records import current_schema
from gatepost.ports.catalog import Duty
from gatepost.ports.store import Transaction


def publish(tx: Transaction, account: int, schema: Schema) -> None:
    """Store a new version of the schema; it names the end of the log and the time as of now."""
    newest = current_schema(tx, account)
    applied, reached = tx.ledger.position()
    published = msgspec.structs.replace(
        schema,
        version=newest.version + 1,
        after=max(schema.after, applied),
        since=max(schema.since, reached),
    )
    tx.catalog.put(account, str(published.version), published)
    if newest.version and keeping_of(newest.fields) != keeping_of(schema.fields):
        # What profiles hold counts by how long it is kept now.
        tx.ledger.add_duty(Duty(account=account, kind="lapse", subject="", audience=0))


async def published_schema(context: Context, account: int, version: int = 0) -> Schema:
    """Return a version of the schema, the newest for 0; raise NotFound for one that never was."""

    def work(tx: Transaction) -> Schema:
        if not version:
            return current_schema(tx, account)
        found = tx.catalog.get(Schema, account, str(version))
        if found is None:
            raise NotFound("schema version", str(version))
        return found

    return await context.store.read(work)


async def schema_versions(context: Context, account: int) -> list[Schema]:
    """Return every version that was published, newest first."""
    found = await context.store.read(lambda tx: tx.catalog.list(Schema, account))
    return sorted(found, key=lambda schema: schema.version, reverse=True)
