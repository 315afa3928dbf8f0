"""Exclusions: single profiles kept out of an audience by hand, or let in again."""

from collections.abc import Sequence

import msgspec

from gatepost.model.audience import Audience, ExclusionCommand
from gatepost.model.errors import InvalidInput, NotFound
from gatepost.model.event import RecordKind
from gatepost.operations.commands import command
from gatepost.operations.context import Context
from gatepost.operations.profiles import found_by
from gatepost.operations.records import audience_of, current_schema
from gatepost.ports.store import Transaction

MOST_AT_ONCE = 100


class Excluded(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an order concerned."""

    audience: Audience
    profiles: list[str]
    """`_id`s, in the order in which they were named."""


async def exclude(
    context: Context, account: int, id_or_slug: str, identifiers: Sequence[str], *, undo: bool = False
) -> Excluded:
    """Keep profiles out of an audience whatever its rule says, or let the rule decide again; return once it is so.

    A profile is named by `field=value`, or by a value alone. Members leave, and jobs send their exits.
    """
    if not 0 < len(identifiers) <= MOST_AT_ONCE:
        msg = f"{len(identifiers)} profiles are named; name 1 to {MOST_AT_ONCE}"
        raise InvalidInput(msg, path="identifiers")
    found = await context.store.read(lambda tx: _found(tx, account, id_or_slug, identifiers))
    orders = [
        ExclusionCommand(audience=found.audience.number, profile=id_, undo=undo) for id_ in found.profiles
    ]
    await command(context, account, RecordKind.EXCLUDE, *orders)
    return found


def _found(tx: Transaction, account: int, id_or_slug: str, identifiers: Sequence[str]) -> Excluded:
    audience, schema = audience_of(tx, account, id_or_slug), current_schema(tx, account)
    ids: dict[str, None] = {}
    for identifier in identifiers:
        profile = found_by(tx, account, schema, identifier)
        if profile is None:
            raise NotFound("profile", identifier)
        ids[profile.id] = None
    return Excluded(audience=audience, profiles=list(ids))
