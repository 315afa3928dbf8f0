import asyncio

from gatepost.engines.frames import RENDER
from gatepost.rendering.options import RenderOptions
from gatepost.rendering.turns import Batch, Turn, Turns

OPTIONS = RenderOptions(turn=2, turn_bytes=100)


def batch(template: str, count: int, size: int = 1) -> Batch:
    return Batch((RENDER, template), [(b"x" * size,) for _ in range(count)])


async def served(turns: Turns, count: int) -> list[tuple[str, int]]:
    taken = [await turns.next() for _ in range(count)]
    return [(turn.batch.key[1], len(turn.left)) for turn in taken]


def test_a_template_with_much_to_do_does_not_keep_another_waiting() -> None:
    async def story() -> list[tuple[str, int]]:
        turns = Turns(OPTIONS)
        for one in (batch("busy", 5), batch("busy", 1), batch("quiet", 1)):
            turns.add(one)
        return await served(turns, 5)

    assert asyncio.run(story()) == [("busy", 2), ("quiet", 1), ("busy", 2), ("busy", 1), ("busy", 1)]


def test_what_a_turn_did_not_come_to_waits_behind_the_other_templates() -> None:
    async def story() -> tuple[list[tuple[str, int]], list[tuple[bytes, bytes]]]:
        turns = Turns(OPTIONS)
        broken = batch("broken", 2)
        turns.add(broken)
        turns.add(batch("sound", 1))
        turn = await turns.next()
        turn.settle((b"limit", b"culprit"))
        turns.give_back(turn)
        order = await served(turns, 1)
        rest = await turns.next()
        rest.settle((b"ok", b"mate"))
        return order, await broken.done

    order, results = asyncio.run(story())

    assert order == [("sound", 1)]
    assert results == [(b"limit", b"culprit"), (b"ok", b"mate")]


def test_large_contexts_make_small_turns_but_never_empty_ones() -> None:
    async def story() -> list[tuple[str, int]]:
        turns = Turns(OPTIONS)
        turns.add(batch("large", 3, size=60))
        turns.add(batch("huge", 1, size=1_000))
        return await served(turns, 4)

    assert asyncio.run(story()) == [("large", 1), ("huge", 1), ("large", 1), ("large", 1)]


def test_a_caller_that_went_away_is_not_served() -> None:
    async def story() -> Turn:
        turns = Turns(OPTIONS)
        gone, waiting = batch("a", 2), batch("b", 1)
        turns.add(gone)
        turns.add(waiting)
        gone.done.cancel()
        return await turns.next()

    assert asyncio.run(story()).batch.key[1] == "b"
