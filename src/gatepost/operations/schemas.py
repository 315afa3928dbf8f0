"""The schema as it was published, version by version."""

from gatepost.model.errors import NotFound
from gatepost.model.schema import Schema
from gatepost.operations.context import Context
from gatepost.operations.records import current_schema
from gatepost.ports.store import Transaction


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
