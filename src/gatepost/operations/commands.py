"""What a person orders of apply: a record of the log, so that folding the log again repeats it."""

import asyncio

import msgspec

from gatepost.model.errors import Unavailable
from gatepost.model.event import RecordKind, Submission
from gatepost.operations.context import Context

_PATIENCE_S = 20.0
_LOOK_S = 0.01


async def command(context: Context, account: int, kind: RecordKind, *bodies: msgspec.Struct) -> None:
    """Append commands of a kind to the log and wait until they have been applied."""
    records = [Submission("", 0, msgspec.json.encode(body), kind=kind) for body in bodies]
    await asyncio.wrap_future(context.log.append(account, records))
    position = context.log.head()
    context.wake_apply()
    deadline = asyncio.get_running_loop().time() + _PATIENCE_S
    while (await context.store.read(lambda tx: tx.ledger.position()))[0] < position:
        if asyncio.get_running_loop().time() > deadline:
            msg = "it is in the log and will be done, but what came before takes long; look again in a while"
            raise Unavailable(msg)
        await asyncio.sleep(_LOOK_S)
