"""What a person orders of apply: a record of the log, so that folding the log again repeats it."""

import asyncio

import msgspec

from gatepost.model.errors import Unavailable
from gatepost.model.event import RecordKind, Submission
from gatepost.operations.context import Context

_PATIENCE_S = 20.0
_LOOK_S = 0.01


async def command(
    context: Context, account: int, kind: RecordKind, *bodies: msgspec.Struct | bytes, stream: str = ""
) -> None:
    """Append commands of a kind and wait until they have been applied; raise Unavailable when that takes long."""
    encoded = [body if isinstance(body, bytes) else msgspec.json.encode(body) for body in bodies]
    records = [Submission(stream, 0, body, kind=kind) for body in encoded]
    await asyncio.wrap_future(context.log.append(account, records))
    if not await applied(context, _PATIENCE_S):
        msg = "it is in the log and will be done, but what came before takes long; look again in a while"
        raise Unavailable(msg)


async def applied(context: Context, patience_s: float) -> bool:
    """Wait until what is in the log by now has been applied; say whether it has."""
    position = context.log.head()
    context.wake_apply()
    deadline = asyncio.get_running_loop().time() + patience_s
    while (await context.store.read(lambda tx: tx.ledger.position()))[0] < position:
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(_LOOK_S)
    return True
