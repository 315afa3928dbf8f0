"""A new audience over the last days knows of them from its first moment."""

import pytest

from gatepost.model.times import DAY, to_rfc3339
from gatepost.operations.filters import new_sources
from gatepost.ports.catalog import Duty
from gatepost.ports.store import Transaction
from gatepost.stages import duties
from tests.factories import ACCOUNT
from tests.pipeline import START, Pipeline, make_audience, make_job

ANYBODY = "visits > 100"


@pytest.fixture(autouse=True)
def one_profile_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duties, "STEP", 1)


@pytest.fixture
def past(pipeline: Pipeline) -> Pipeline:
    """Ada, Bob and a browser came three times each, a day apart; no audience kept count."""
    pipeline.configure(ANYBODY, jobs=False)
    pipeline.store.write_blocking(
        lambda tx: tx.catalog.put(ACCOUNT, "j" * 32, make_job(2, withbackfill=True))
    )
    for _ in range(3):
        pipeline.send(user="ada")
        pipeline.send(user="bob")
        pipeline.send(cookie="c1")
        pipeline.after(DAY)
    return pipeline


def create(pipeline: Pipeline, text: str) -> None:
    """Save a new audience, as the operation does."""
    audience = make_audience(2, text)

    def work(tx: Transaction) -> None:
        sources = new_sources(audience.filter, [make_audience(1, ANYBODY)])
        tx.catalog.put(ACCOUNT, audience.id, audience)
        tx.ledger.add_duty(
            Duty(account=ACCOUNT, kind="fill", subject=audience.id, audience=2, sources=sources)
        )

    pipeline.store.write_blocking(work)


def test_the_kept_past_is_counted_and_leaves_to_the_second(past: Pipeline) -> None:
    create(past, 'count("web", "7d") >= 3')
    past.settle()
    inside = len(past.inside(2))

    past.after(4 * DAY)

    assert inside == 3
    assert [] == past.inside(2)
    exits = [at for way, audience, at in past.triggers() if (way, audience) == ("exit", 2)]
    assert exits == [to_rfc3339(START + 7 * DAY)] * 3


def test_nothing_is_decided_on_half_a_past(past: Pipeline) -> None:
    create(past, 'count("web", "7d") < 3')

    # Bob comes before the walk has reached him: by this visit alone he would be inside.
    past.send(user="bob")
    past.settle()

    assert [] == past.inside(2)
    assert [] == past.triggers()


def test_a_merge_across_the_walk_brings_both_pasts(past: Pipeline) -> None:
    create(past, 'count("web", "7d") >= 7')
    past.apply.run_once()

    past.send(user="ada", cookie="c1")
    past.settle()

    assert ["ada"] == past.inside(2)


def test_a_longer_window_over_the_same_source_reaches_further_back(past: Pipeline) -> None:
    past.configure('count("web", "1d") >= 5', jobs=False)
    past.settle()
    audience = make_audience(2, 'count("web", "30d") >= 3')
    kept = new_sources(audience.filter, [make_audience(1, 'count("web", "30d") >= 9')])
    longer = new_sources(audience.filter, [make_audience(1, 'count("web", "1d") >= 5')])

    assert kept == ()
    assert longer == ("count:web",)
