"""An audience that ends at an instant: its members leave then, and it is deleted."""

import pytest

from gatepost.model.audience import Audience
from gatepost.model.catalog import Job
from gatepost.model.times import DAY, HOUR, SECOND, Instant, to_rfc3339
from gatepost.stages import wakeups
from tests.factories import ACCOUNT
from tests.pipeline import START, Pipeline, audience_id, make_audience

END: Instant = START + DAY


@pytest.fixture
def sale(pipeline: Pipeline) -> Pipeline:
    """Three shoppers are in the audience of a sale that ends tomorrow, and in one that stays."""
    pipeline.configure("visits >= 0", "spend >= 0")
    put(pipeline, make_audience(1, "spend >= 0", expires=END))
    for user in ("ada", "bob", "cleo"):
        pipeline.send(user=user, total=1)
    pipeline.settle()
    return pipeline


def put(pipeline: Pipeline, audience: Audience) -> None:
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, audience.id, audience))


def stored(pipeline: Pipeline) -> Audience:
    found = pipeline.store.write_blocking(lambda tx: tx.catalog.get(Audience, ACCOUNT, audience_id(1)))
    assert found is not None
    return found


def exits(pipeline: Pipeline) -> list[str]:
    return [at for way, audience, at in pipeline.triggers() if (way, audience) == ("exit", 1)]


def test_everybody_leaves_at_that_very_instant_however_late_it_is_noticed(sale: Pipeline) -> None:
    sale.after(DAY - SECOND)
    before = sale.inside(1)

    sale.after(5 * DAY)

    assert before == ["ada", "bob", "cleo"]
    assert exits(sale) == [to_rfc3339(END)] * 3
    assert (sale.inside(1), sale.inside(2)) == ([], ["ada", "bob", "cleo"])


def test_then_it_is_deleted_and_no_job_names_it_any_more(sale: Pipeline) -> None:
    sale.after(DAY)

    assert (stored(sale).deleted, stored(sale).gone) == (END, END)
    (job,) = sale.store.write_blocking(lambda tx: tx.catalog.list(Job, ACCOUNT))
    assert job.config["segment_ids"] == [audience_id(2)]


def test_apply_wakes_up_for_an_end_that_concerns_nobody(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 100")
    put(pipeline, make_audience(1, "spend > 100", expires=END))

    turn = pipeline.apply.run_once()
    pipeline.after(DAY)

    assert turn.next_due == END
    assert stored(pipeline).gone == END


def test_who_comes_after_the_end_does_not_enter(sale: Pipeline) -> None:
    sale.clock.move(END + HOUR)
    sale.send(user="dora", total=1)
    sale.settle()

    assert "dora" not in {str(user) for user in sale.inside(1)}
    assert len([way for way, audience, _ in sale.triggers() if audience == 1 and way == "enter"]) == 3


def test_more_members_than_wake_up_at_once_still_leave_at_that_instant(
    sale: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeups, "AT_ONCE", 2)

    sale.after(3 * DAY)

    assert exits(sale) == [to_rfc3339(END)] * 3


def test_a_rule_that_turns_sooner_turns_at_its_own_instant(pipeline: Pipeline) -> None:
    pipeline.configure("visits > 0")
    put(pipeline, make_audience(1, 'last_visit > "now-2h"', expires=END))
    pipeline.send(user="ada")
    pipeline.settle()

    pipeline.after(3 * DAY)

    assert exits(pipeline) == [to_rfc3339(START + 2 * HOUR)]


def test_an_end_that_is_given_later_reaches_those_who_are_inside(sale: Pipeline) -> None:
    put(sale, make_audience(2, "spend >= 0", expires=START + 2 * DAY))
    sale.add_duty("evaluate", audience=2, subject=audience_id(2))
    sale.settle()

    sale.after(4 * DAY)

    left = [at for way, audience, at in sale.triggers() if (way, audience) == ("exit", 2)]
    assert left == [to_rfc3339(START + 2 * DAY)] * 3
