"""Why is she in, since when, by which events, and when will she leave?"""

from pathlib import Path

import msgspec
import orjson
import pytest

from gatepost.core.explaining import Clause, explained
from gatepost.core.filterql import parse_filter
from gatepost.core.plans import AccountPlan
from gatepost.core.refolding import refolded
from gatepost.core.versions import Versions
from gatepost.model.schema import Field, Schema
from gatepost.model.times import DAY, HOUR
from tests.factories import ACCOUNT, make_profile
from tests.pipeline import SHOP, START, Pipeline, make_audience, shop_with


@pytest.fixture
def shopper(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Ada buys today, tomorrow and the day after."""
    pipeline = Pipeline(tmp_path_factory.mktemp("shop"))
    pipeline.configure('count("web", "7d") >= 2', 'AND ( spend > 10, last_visit > "now-2d" )', "INCLUDE a2")
    for total in (5, 4, 3):
        pipeline.send(user="ada", total=total)
        pipeline.after(DAY)
    return pipeline


def why(pipeline: Pipeline, number: int) -> Clause:
    """Explain an audience for the only profile there is, now."""
    rules = {f"a{n}": text for n, text in enumerate(FILTERS, start=1)}
    profile = pipeline.profile()
    events = pipeline.log.fetch(profile.trail)
    plan = AccountPlan(SHOP, [make_audience(n, text) for n, text in enumerate(FILTERS, start=1)], (), set())
    return explained(
        parse_filter(f"FILTER {FILTERS[number - 1]}").filter,
        plan,
        lambda name: parse_filter(f"FILTER {rules[name]}").filter if name in rules else None,
        profile,
        refolded(Versions(plan), profile.identifiers, events),
        pipeline.clock.audience(),
    )


FILTERS = ('count("web", "7d") >= 2', 'AND ( spend > 10, last_visit > "now-2d" )', "INCLUDE a2")


def test_a_window_names_its_events_and_the_instant_it_closes(shopper: Pipeline) -> None:
    clause = why(shopper, 1)

    assert clause.matches
    assert clause.since == START + DAY, "with the second visit"
    assert clause.next_change == START + 8 * DAY, "when the second visit leaves the window"
    assert clause.values == {'count("web", "7d")': 3}
    assert [cause.event.at for cause in clause.causes] == [START + 2 * DAY, START + DAY, START]


def test_every_clause_has_its_own_answer_since_and_until(shopper: Pipeline) -> None:
    rule = why(shopper, 2)
    spend, visit = rule.clauses

    assert (rule.matches, rule.since, rule.next_change) == (True, START + 2 * DAY, START + 4 * DAY)
    assert (spend.matches, spend.since, spend.next_change) == (True, START + 2 * DAY, None)
    assert (visit.matches, visit.since, visit.next_change) == (True, START, START + 4 * DAY)
    assert spend.values == {"spend": 12}
    assert {"last_visit"} == {name for cause in visit.causes for name in cause.changed}


def test_a_clause_that_lapsed_says_when_it_did(shopper: Pipeline) -> None:
    shopper.after(5 * DAY + HOUR)

    rule = why(shopper, 2)

    assert (rule.matches, rule.since) == (False, START + 4 * DAY)
    assert [clause.matches for clause in rule.clauses] == [True, False]
    assert shopper.inside(2) == []


def test_an_included_audience_is_explained_in_place(shopper: Pipeline) -> None:
    include = why(shopper, 3)

    assert include.text == "INCLUDE a2"
    assert [clause.text for clause in include.clauses[0].clauses] == ["spend > 10", 'last_visit > "now-2d"']


def test_what_no_kept_event_tells_has_no_since(shopper: Pipeline) -> None:
    shopper.log.prune(START + 10 * DAY, 1 << 62).result()
    profile = shopper.profile()
    plan = AccountPlan(SHOP, [make_audience(2, FILTERS[1])], (), set())

    rule = explained(
        parse_filter(f"FILTER {FILTERS[1]}").filter,
        plan,
        lambda _: None,
        profile,
        refolded(Versions(plan), profile.identifiers, ()),
        shopper.clock.audience(),
    )

    assert rule.matches
    assert rule.since is None
    assert rule.clauses[0].values == {"spend": 12}
    assert shopper.store.write_blocking(lambda tx: tx.profiles.count(ACCOUNT)) == 1


def depth_of(clause: Clause) -> int:
    return 1 + max((depth_of(one) for one in clause.clauses), default=0)


def size_of(clause: Clause) -> int:
    return 1 + sum(size_of(one) for one in clause.clauses)


def bare(texts: dict[str, str], rule: str, *, spend: float = 3) -> Clause:
    """Explain a rule for somebody of whom nothing but an amount is known."""
    return explained(
        parse_filter(f"FILTER {rule}").filter,
        AccountPlan(SHOP, (), (), set()),
        lambda name: parse_filter(f"FILTER {texts[name]}").filter if name in texts else None,
        make_profile(fields={"spend": spend}),
        (),
        START,
    )


def test_an_audience_that_is_included_again_and_again_is_explained_once() -> None:
    texts = {"a0": "spend > 1"}
    for level in range(1, 40):
        texts[f"a{level}"] = f"OR ( INCLUDE a{level - 1}, AND ( visits > {level}, INCLUDE a{level - 1} ) )"

    rule = bare(texts, "INCLUDE a39")

    assert rule.matches
    assert size_of(rule) < 400


def test_a_rule_that_nests_as_deep_as_it_may_can_still_be_printed() -> None:
    text = "spend > 1"
    for level in range(180):
        text = f"{('AND', 'OR')[level % 2]} ( {text}, spend > {level % 3} )"

    rule = bare({}, text)

    assert rule.matches
    assert depth_of(rule) < 60
    assert orjson.dumps(msgspec.to_builtins(rule))


def test_a_rule_that_no_arithmetic_can_take_in_is_not_fulfilled() -> None:
    assert not bare({}, "toint(spend) * 1.5 > 5", spend=10**400).matches


def test_what_went_by_itself_and_came_back_is_there_since_it_came_back(
    tmp_path: Path,
) -> None:
    town = Field(name="town", keep_days=1)
    schema = shop_with(town, "city")
    pipeline = Pipeline(tmp_path)
    pipeline.configure("EXISTS town", schema=schema)
    pipeline.send(user="ada", city="Rome")
    pipeline.after(3 * DAY)
    pipeline.send(user="ada", city="Rome")
    pipeline.settle()
    came_back = why_by(pipeline, schema, "EXISTS town")
    standing = pipeline.profile().memberships[1]
    pipeline.after(2 * DAY)
    went = why_by(pipeline, schema, "EXISTS town")
    pipeline.close()

    assert (came_back.matches, came_back.since, came_back.events) == (True, standing.since, 2)
    assert standing.since == START + 3 * DAY
    assert (went.matches, went.since) == (False, START + 4 * DAY)


def why_by(pipeline: Pipeline, schema: Schema, rule: str) -> Clause:
    """Explain a rule for the only profile there is, now, by a schema of one's own."""
    profile, now = pipeline.profile(), pipeline.clock.audience()
    plan = AccountPlan(schema, [make_audience(1, rule)], (), set())
    history = refolded(Versions(plan), profile.identifiers, pipeline.log.fetch(profile.trail), now)
    parsed = parse_filter(f"FILTER {rule}").filter
    return explained(parsed, plan, lambda _: None, profile, history, now)


def test_what_will_go_by_itself_ends_the_clause_at_that_instant(tmp_path: Path) -> None:
    schema = shop_with(Field(name="town", keep_days=1), "city")
    pipeline = Pipeline(tmp_path)
    rule = 'AND ( EXISTS town, NOT last_visit < "now-1M" )'
    pipeline.configure(rule, schema=schema)
    pipeline.send(user="ada", city="Rome")
    pipeline.settle()

    told = why_by(pipeline, schema, rule)
    pipeline.after(told.next_change - START if told.next_change else 0)
    members = pipeline.inside()
    pipeline.close()

    assert told.next_change == START + DAY == told.clauses[0].next_change
    assert members == []


def test_an_instant_that_changes_nothing_is_passed_over() -> None:
    by_the_clock = bare({}, "hourofday() < 24")
    at_three = bare({}, "hourofday() = 3")

    assert by_the_clock.next_change is None
    assert at_three.next_change == START - START % DAY + DAY + 3 * HOUR
