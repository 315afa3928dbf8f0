"""Merges to look at and to undo: a dry run shows both results first."""

import msgspec

from gatepost.core.applying import evaluate
from gatepost.core.entities import entity_of
from gatepost.core.plans import AccountPlan
from gatepost.core.unmerging import Parted
from gatepost.model.errors import Conflict, NotFound
from gatepost.model.event import RecordKind
from gatepost.model.jsonvalue import JsonObject
from gatepost.model.merge import Merge, MergeCommand
from gatepost.model.profile import Profile
from gatepost.operations.commands import command
from gatepost.operations.context import Context
from gatepost.operations.profiles import found_by
from gatepost.operations.records import current_schema, live_audiences, versions_of
from gatepost.ports.store import Transaction
from gatepost.stages.unmerging import parted_now, undoable


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two profiles, as it would be or is by now."""

    entity: JsonObject
    enters: list[str]
    """Audiences it would enter, compared with the one it is part of."""
    leaves: list[str]


class Undoing(msgspec.Struct, frozen=True, kw_only=True):
    """What undoing a merge makes of it."""

    merge: Merge
    survivor: Side
    revived: Side


async def list_merges(context: Context, account: int, identifier: str) -> list[Merge]:
    """Return the merges of the profile an identifier leads to, newest first."""

    def work(tx: Transaction) -> list[Merge]:
        profile = found_by(tx, account, current_schema(tx, account), identifier)
        if profile is None:
            raise NotFound("profile", identifier)
        return tx.merges.of(account, profile.number)

    return await context.store.read(work)


async def preview_unmerge(context: Context, account: int, merge_id: int) -> Undoing:
    """Return both results of undoing a merge; nothing is stored."""
    return await context.store.read(lambda tx: _preview(context, tx, account, merge_id))


async def undo_merge(context: Context, account: int, merge_id: int) -> Undoing:
    """Undo a merge and keep the two apart; return once it has happened, what was told before."""
    told = await preview_unmerge(context, account, merge_id)
    await command(context, account, RecordKind.UNMERGE, MergeCommand(merge=merge_id))
    done = await context.store.read(lambda tx: tx.merges.get(account, merge_id))
    if done is None or not done.undone:
        raise Conflict(
            "the merge could not be undone, for the profile was merged again meanwhile; look again"
        )
    return told


async def rejoin(context: Context, account: int, merge_id: int) -> Merge:
    """Let two that an unmerge keeps apart become one again, at the next event that names both."""
    merge = await context.store.read(lambda tx: tx.merges.get(account, merge_id))
    if merge is None:
        raise NotFound("merge", str(merge_id))
    if not merge.undone:
        raise Conflict("that merge was never undone, so nothing keeps the two apart")
    await command(context, account, RecordKind.UNMERGE, MergeCommand(merge=merge_id, rejoin=True))
    return merge


def _preview(context: Context, tx: Transaction, account: int, merge_id: int) -> Undoing:
    merge = tx.merges.get(account, merge_id)
    if merge is None:
        raise NotFound("merge", str(merge_id))
    if undoable(tx, account, merge_id) is None:
        raise Conflict(_why_not(tx, merge))
    united = tx.profiles.load(account, [merge.survivor.number]).get(merge.survivor.number)
    if united is None:
        raise Conflict("the profile has become part of another since; undo that merge first")
    schema, audiences = current_schema(tx, account), live_audiences(tx, account)
    plan = AccountPlan(schema, audiences, (), set())
    versions = versions_of(tx, account, plan)
    sides = parted_now(tx, context.log.fetch, versions, united, merge, context.clock.audience())
    return Undoing(merge=merge, **_sides(context, plan, sides))


def _sides(context: Context, plan: AccountPlan, sides: Parted) -> dict[str, Side]:
    now = context.clock.audience()
    return {
        "survivor": _side(plan, sides.survivor, now),
        "revived": _side(plan, sides.revived, now),
    }


def _side(plan: AccountPlan, profile: Profile, now: int) -> Side:
    transitions = evaluate(plan, profile, set(plan.audiences), now)
    crossed = {
        way: [plan.slugs[t.audience] for t in transitions if t.crossing == way] for way in ("enter", "exit")
    }
    return Side(entity=entity_of(profile, plan), enters=crossed["enter"], leaves=crossed["exit"])


def _why_not(tx: Transaction, merge: Merge) -> str:
    if merge.undone:
        return "that merge was undone already"
    newer = tx.merges.newest(merge.account, merge.survivor.number)
    which = f"the newer merge {newer.id}" if newer is not None else "the newer one"
    return f"the profile was merged again since; undo {which} first"
