"""However live events fall into a reevaluation, everybody ends where the rule says, and every change is told once."""

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.backends.sqlite import surveying
from gatepost.core.plans import AccountPlan
from gatepost.model.audience import Audience
from gatepost.model.times import DAY, HOUR
from gatepost.ports.outbox import DeliveryFilter
from gatepost.stages import duties
from tests.factories import ACCOUNT
from tests.pipeline import SHOP, Pipeline, audience_id, make_audience
from tests.surveying import PatientSurveyor

RULES = ("spend > 4", "NOT visits > 1", 'last_visit > "now-1d"', 'last_visit < "now-30h"', "INCLUDE a1")
EVENTS = st.fixed_dictionaries(
    {"total": st.integers(0, 5)},
    optional={
        "user": st.sampled_from(["ada", "bob"]),
        "cookie": st.sampled_from(["c1", "c2", "c3", "c4"]),
        "url": st.just("/"),
    },
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), EVENTS),
        st.tuples(st.just("wait"), st.integers(1, 30)),
        st.tuples(st.just("rule"), st.sampled_from(RULES)),
        st.tuples(st.sampled_from(["turn", "look", "look", "ask", "lose"]), st.none()),
    ),
    max_size=30,
)
Steps = list[tuple[str, Any]]


class Race:
    """A pipeline whose second audience is edited while events come in."""

    def __init__(self, folder: Path) -> None:
        self.pipeline = Pipeline(folder)
        self.surveyor = PatientSurveyor(folder)
        self.pipeline.survey_with(self.surveyor)
        self.pipeline.configure("spend > 7", RULES[0])
        self.rule = RULES[0]

    def do(self, what: str, how: Any) -> None:
        pipeline = self.pipeline
        match what:
            case "send":
                pipeline.send(**how)
            case "wait":
                pipeline.clock.move(pipeline.clock.audience() + how * HOUR)
                pipeline.log.append_clock(pipeline.clock.audience()).result()
            case "rule":
                self.rule = how
                changed = make_audience(2, how)
                pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, changed.id, changed))
                pipeline.add_duty("evaluate", audience=2, subject=changed.id)
            case "ask":
                pipeline.add_duty("evaluate", audience=2, subject=audience_id(2))
            case "look":
                self.surveyor.look()
            case "lose":
                self.surveyor.end()
            case _:
                pipeline.apply.run_once()

    def finish(self) -> None:
        self.surveyor.eager = True
        self.pipeline.settle()
        while self.pipeline.store.write_blocking(lambda tx: tx.ledger.duties()):
            self.pipeline.settle()

    def close(self) -> None:
        self.surveyor.close()
        self.pipeline.close()


def audiences(rule: str) -> list[Audience]:
    return [make_audience(1, "spend > 7"), make_audience(2, rule)]


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_everybody_ends_where_the_rule_says_and_every_change_is_told_once(steps: Steps) -> None:
    few, slice_, step = duties._FEW, surveying.SLICE, surveying._AT_ONCE
    duties._FEW, surveying.SLICE, surveying._AT_ONCE = 0, 1, 1
    try:
        with tempfile.TemporaryDirectory() as folder:
            race = Race(Path(folder))
            for what, how in steps:
                race.do(what, how)
            race.finish()
            _check(race)
            race.pipeline.after(3 * DAY)
            _check(race)
            race.close()
    finally:
        duties._FEW, surveying.SLICE, surveying._AT_ONCE = few, slice_, step


def _check(race: Race) -> None:
    pipeline = race.pipeline
    plan = AccountPlan(SHOP, audiences(race.rule), (), set())
    now = pipeline.clock.audience()
    rule = plan.audiences[2].filter
    wanted = {p.number for p in pipeline.profiles() if rule.evaluate(p.fields, p.windows, now).matches}
    members = pipeline.store.write_blocking(lambda tx: tx.memberships.members(ACCOUNT, 2, 0, 1_000))
    sizes = pipeline.store.write_blocking(lambda tx: tx.memberships.sizes(ACCOUNT))
    assert {member.profile for member in members} == wanted
    assert {p.number for p in pipeline.profiles() if 2 in p.memberships and p.memberships[2].inside} == wanted
    assert (sizes[2].size if 2 in sizes else 0) == len(wanted)
    _check_told(pipeline)


def _check_told(pipeline: Pipeline) -> None:
    """Every delivery is of a transition of its own, and what a profile's say alternates."""
    listed = pipeline.store.write_blocking(
        lambda tx: tx.deliveries.listed(DeliveryFilter(account=ACCOUNT, limit=10_000))
    )
    told = [item.delivery for item in reversed(listed) if item.delivery.audience == 2]
    assert len({delivery.id for delivery in told}) == len(told)
    for profile in pipeline.profiles():
        if profile.aliases:
            # Two who became one were told of apart.
            continue
        own = [delivery for delivery in told if delivery.profile == profile.number]
        assert [delivery.transition for delivery in own] == list(range(1, len(own) + 1))
        assert all(earlier.crossing != later.crossing for earlier, later in pairwise(own))
        inside = 2 in profile.memberships and profile.memberships[2].inside
        assert inside == (bool(own) and own[-1].crossing == "enter")
