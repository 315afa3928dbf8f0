"""Events go in, people enter and leave audiences, and every crossing becomes one trigger."""

import msgspec
import pytest

from gatepost.model.audience import Audience
from gatepost.model.catalog import Job, JobStatus
from gatepost.model.event import Event, Submission
from gatepost.model.schema import MERGE_OPERATORS, Assertions, Field, FieldType, Format
from gatepost.model.times import DAY, HOUR, SECOND, to_rfc3339
from gatepost.stages import wakeups
from tests.factories import ACCOUNT
from tests.pipeline import SHOP, START, Pipeline, audience_id, make_audience, make_job, shop_with


def test_a_shopper_enters_when_her_spend_passes_the_bar(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 50")

    pipeline.send(user="ada", total=30)
    pipeline.settle()
    before = pipeline.inside()
    pipeline.send(user="ada", total="$25")
    pipeline.settle()

    assert [] == before
    assert ["ada"] == pipeline.inside()
    assert [("enter", 1, to_rfc3339(START))] == pipeline.triggers()


def test_a_window_closes_to_the_second_without_any_event(pipeline: Pipeline) -> None:
    pipeline.configure('count("web", "7d") >= 2')
    pipeline.send(user="ada", at=START - DAY)
    pipeline.send(user="ada", at=START - HOUR)
    pipeline.settle()

    pipeline.after(6 * DAY - SECOND)
    just_before = pipeline.inside()
    pipeline.after(SECOND)

    assert ["ada"] == just_before
    assert [] == pipeline.inside()
    assert ("exit", 1, to_rfc3339(START + 6 * DAY)) == pipeline.triggers()[-1]


def test_a_sum_over_days_lapses_with_its_oldest_purchase(pipeline: Pipeline) -> None:
    pipeline.configure('sum("spend", "2d") >= 10')
    pipeline.send(user="ada", total=6)
    pipeline.after(DAY)
    pipeline.send(user="ada", total=6)
    pipeline.settle()
    both = pipeline.inside()

    pipeline.after(DAY)

    assert ["ada"] == both
    assert [] == pipeline.inside()


def test_a_recent_visitor_leaves_three_days_after_the_last_visit(pipeline: Pipeline) -> None:
    pipeline.configure('last_visit > "now-3d"')
    pipeline.send(user="ada")
    pipeline.after(2 * DAY)
    pipeline.send(user="ada")
    pipeline.settle()

    pipeline.after(3 * DAY - SECOND)
    still = pipeline.inside()
    pipeline.after(2 * SECOND)

    assert ["ada"] == still
    assert [] == pipeline.inside()
    assert ["enter", "exit"] == [crossing for crossing, _, _ in pipeline.triggers()]


def test_a_lapsed_shopper_enters_by_the_passage_of_time(pipeline: Pipeline) -> None:
    pipeline.configure('AND ( spend > 0, NOT last_visit > "now-30d" )')
    pipeline.send(user="ada", total=5)
    pipeline.settle()

    pipeline.after(31 * DAY)

    assert ["ada"] == pipeline.inside()


def test_an_event_dated_in_the_future_counts_when_its_time_comes(pipeline: Pipeline) -> None:
    pipeline.configure('count("web", "1d") >= 1')
    pipeline.send(user="ada", at=START + HOUR)
    pipeline.settle()
    before = pipeline.inside()

    pipeline.after(HOUR)

    assert [] == before
    assert ["ada"] == pipeline.inside()


def test_a_late_event_changes_the_present_only(pipeline: Pipeline) -> None:
    pipeline.configure('count("web", "7d") >= 1')

    pipeline.send(user="ada", at=START - 8 * DAY)
    pipeline.settle()

    assert [] == pipeline.inside()
    assert [] == pipeline.triggers()


def test_due_wakeups_fire_before_a_later_event_is_applied(pipeline: Pipeline) -> None:
    pipeline.configure('count("web", "1d") >= 1')
    pipeline.send(user="ada")
    pipeline.settle()

    # Nothing is applied while two days pass and she comes back.
    pipeline.clock.move(START + 2 * DAY)
    pipeline.send(user="ada")
    pipeline.settle()

    day = to_rfc3339(START + DAY)
    assert [
        ("enter", 1, to_rfc3339(START)),
        ("exit", 1, day),
        ("enter", 1, to_rfc3339(START + 2 * DAY)),
    ] == pipeline.triggers()


def test_a_clock_moved_while_the_log_is_read_overtakes_nothing(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.configure('count("web", "1d") >= 1')
    pipeline.send(user="ada")
    pipeline.settle()
    read = pipeline.log.read

    def read_late(after: int, limit: int) -> list[Event]:
        events = read(after, limit)
        monkeypatch.undo()
        pipeline.clock.move(START + DAY - HOUR)
        pipeline.send(user="ada")
        pipeline.clock.move(START + DAY + HOUR)
        pipeline.log.append_clock(pipeline.clock.audience()).result()
        return events

    monkeypatch.setattr(pipeline.log, "read", read_late)
    pipeline.settle()
    pipeline.settle()

    assert ["ada"] == pipeline.inside()
    assert [("enter", 1, to_rfc3339(START))] == pipeline.triggers()


def test_two_cookies_turn_out_to_be_one_person(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 5")
    pipeline.send(cookie="c1", total=4)
    pipeline.send(email="ADA@example.com", total=4)
    pipeline.settle()
    apart = pipeline.profiles()

    pipeline.send(email="ada@example.com", cookie="c1")
    pipeline.settle()

    survivor = pipeline.profile()
    assert 2 == len(apart)
    assert 8 == survivor.fields["spend"]
    assert (["ada@example.com"], ["c1"]) == (survivor.fields["email"], survivor.fields["cookie"])
    assert apart[1].id == survivor.id, "the side with the higher-ranked identifier survives"
    assert [apart[0].id] == survivor.aliases
    assert [("enter", 1, to_rfc3339(START))] == pipeline.triggers()


def test_a_merge_of_two_members_sends_nothing_and_counts_one(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 5")
    pipeline.send(cookie="c1", total=6)
    pipeline.send(email="ada@example.com", total=6)
    pipeline.settle()

    pipeline.send(email="ada@example.com", cookie="c1")
    pipeline.settle()

    sizes = pipeline.store.write_blocking(lambda tx: tx.memberships.sizes(ACCOUNT))
    assert 2 == len(pipeline.triggers())
    assert 1 == sizes[1].size
    assert 1 == len(pipeline.inside())


def test_the_absorbed_profile_answers_under_its_old_id(pipeline: Pipeline) -> None:
    pipeline.configure()
    pipeline.send(cookie="c1")
    pipeline.send(email="a@b.co")
    pipeline.settle()
    old = pipeline.profiles()[0].id

    pipeline.send(email="a@b.co", cookie="c1")
    pipeline.settle()

    identifier = ("_id", old)
    found = pipeline.store.write_blocking(lambda tx: tx.profiles.find(ACCOUNT, [identifier]))
    assert {identifier: pipeline.profile().number} == found


def test_two_users_who_share_a_cookie_stay_apart_and_the_conflict_is_counted(pipeline: Pipeline) -> None:
    pipeline.configure()
    pipeline.send(user="ada", cookie="shared")
    pipeline.send(user="bob", cookie="shared")
    pipeline.settle()

    ada, bob = pipeline.profiles()
    assert ("ada", "bob") == (ada.fields["user"], bob.fields["user"])
    assert ["shared"] == ada.fields["cookie"]
    assert "cookie" not in bob.fields
    assert 1 == bob.conflicts


def test_values_that_everybody_sends_identify_nobody(pipeline: Pipeline) -> None:
    pipeline.configure()

    pipeline.send(cookie="undefined", total=1)
    pipeline.send(user="null", cookie="0")
    pipeline.settle()

    assert [] == pipeline.profiles()
    assert 2 == pipeline.counters()["events_without_identifier"]


def test_a_guarded_mapping_only_takes_what_its_condition_lets_through(pipeline: Pipeline) -> None:
    pipeline.configure()

    pipeline.send(user="ada", product="bread", event="view")
    pipeline.send(user="ada", product="milk", event="purchase")
    pipeline.settle()

    assert ["milk"] == pipeline.profile().fields["products"]


def test_a_count_counts_events_that_have_a_value_whatever_it_is(pipeline: Pipeline) -> None:
    pipeline.configure("visits >= 2")

    for url in ("/", "https://example.com/shoes", None):
        pipeline.send(user="ada", url=url)
    pipeline.settle()

    assert 2 == pipeline.profile().fields["visits"]
    assert ["ada"] == pipeline.inside()


def test_an_audience_that_reads_nothing_that_changed_is_not_looked_at(pipeline: Pipeline) -> None:
    pipeline.configure('city = "Berlin"', "spend > 5")
    pipeline.send(user="ada", city="Berlin", total=1)
    pipeline.settle()

    pipeline.send(user="ada", city="Berlin", total=9)
    pipeline.settle()

    assert [("enter", 1), ("enter", 2)] == [(way, audience) for way, audience, _ in pipeline.triggers()]


def test_a_poison_event_is_set_aside_and_the_others_go_on(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 5")
    pipeline.send(user="ada", total=9)
    # The log was damaged here: no collect would take this body.
    broken = pipeline.log.append(ACCOUNT, [Submission("web", 0, b'{"user": ')])
    pipeline.send(user="bob", total=9)
    broken.result()

    pipeline.settle()

    poisons = pipeline.store.write_blocking(lambda tx: tx.ledger.poisons(ACCOUNT, 10))
    assert ["ada", "bob"] == pipeline.inside()
    assert ["web"] == [poison.stream for poison in poisons]
    assert 3 == pipeline.counters()["events_applied"]


def test_a_new_audience_takes_in_the_stored_profiles_step_by_step(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 5")
    for number in range(450):
        pipeline.send(user=f"u{number}", total=number % 2)
    pipeline.settle()

    pipeline.store.write_blocking(
        lambda tx: tx.catalog.put(ACCOUNT, audience_id(2), make_audience(2, "spend = 1"))
    )
    pipeline.add_duty("evaluate", 2)
    pipeline.settle()

    assert 225 == len(pipeline.inside(2))
    assert [] == pipeline.triggers(), "no job watches it"


@pytest.mark.parametrize(("backfill", "sent"), [(False, 0), (True, 2)])
def test_a_new_audiences_first_members_go_only_to_jobs_with_backfill(
    pipeline: Pipeline, backfill: bool, sent: int
) -> None:
    pipeline.configure("spend > 5", jobs=False)
    for user in ("ada", "bob"):
        pipeline.send(user=user, total=9)
    pipeline.settle()

    job = make_job(2, withbackfill=backfill)
    audience = make_audience(2, "spend > 8")
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, "j" * 32, job))
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, audience.id, audience))
    pipeline.add_duty("fill", 2)
    pipeline.settle()

    assert ["ada", "bob"] == pipeline.inside(2)
    assert sent == len(pipeline.triggers())


def test_a_new_audience_is_filled_as_of_now_not_as_of_the_last_event(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 5")
    pipeline.send(user="ada", total=9)
    pipeline.settle()

    # Nothing happens for two days; then somebody asks who came in the last one.
    pipeline.clock.move(START + 2 * DAY)
    audience = make_audience(1, 'last_visit > "now-1d"')
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, audience.id, audience))
    pipeline.add_duty("evaluate", 1)
    pipeline.settle()

    assert [] == pipeline.inside()
    assert ["enter", "exit"] == [way for way, _, _ in pipeline.triggers()], (
        "she leaves the old rule's audience"
    )


def test_a_value_no_arithmetic_can_take_in_stops_nobody(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 5")
    for _ in range(2):
        pipeline.send(user="ada", total=1e308)
    pipeline.send(user="bob", total=9)
    pipeline.settle()

    audience = make_audience(2, "toint(spend) > 5")
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, audience.id, audience))
    pipeline.add_duty("evaluate", 2)
    pipeline.send(user="cyd", total=9)
    pipeline.settle()

    assert ["ada", "bob", "cyd"] == pipeline.inside(2)


def test_a_long_jump_of_time_is_worked_off_in_turns(pipeline: Pipeline) -> None:
    pipeline.configure("hourofday() = 3")
    for number in range(30):
        pipeline.send(user=f"u{number}")
    pipeline.settle()

    pipeline.clock.move(START + 60 * DAY)
    pipeline.log.append_clock(pipeline.clock.audience()).result()
    turns = 0
    while pipeline.apply.run_once().more:
        turns += 1

    assert turns > 1
    assert 30 * 60 * 2 == len(pipeline.triggers())


def test_a_jobs_first_members_are_sent_once_each(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 5", jobs=False)
    for number in range(250):
        pipeline.send(user=f"u{number}", total=9)
    pipeline.settle()

    before = pipeline.store.write_blocking(lambda tx: tx.memberships.last_order())
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, "j" * 32, make_job(1)))
    pipeline.add_duty("backfill", 1, subject="j" * 32, before=before)
    pipeline.send(user="late", total=9)
    pipeline.settle()

    assert 251 == len(pipeline.triggers())


def test_a_deleted_audience_lets_its_members_leave_first(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 5")
    pipeline.send(user="ada", total=9)
    pipeline.settle()

    deleted = make_audience(1, "spend > 5", deleted=START)
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, audience_id(1), deleted))
    pipeline.add_duty("dissolve", 1, subject=audience_id(1))
    pipeline.settle()

    left = pipeline.store.write_blocking(lambda tx: tx.catalog.get(Audience, ACCOUNT, audience_id(1)))
    assert ["enter", "exit"] == [way for way, _, _ in pipeline.triggers()]
    job = pipeline.store.write_blocking(lambda tx: tx.catalog.get(Job, ACCOUNT, "j" * 32))
    assert left is not None
    assert left.gone, "the deliveries of its exits still speak of it"
    assert job is not None
    assert job.config["segment_ids"] == []
    assert [] == pipeline.inside()


def test_a_paused_jobs_triggers_are_kept_parked(pipeline: Pipeline) -> None:
    pipeline.configure("spend > 5")
    paused = msgspec.structs.replace(make_job(1), status=JobStatus.PAUSED)
    pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, "j" * 32, paused))

    pipeline.send(user="ada", total=9)
    pipeline.settle()

    counts = pipeline.store.write_blocking(lambda tx: tx.deliveries.counts(ACCOUNT))
    assert 1 == counts["parked"]
    assert pipeline.store.write_blocking(lambda tx: tx.catalog.get(Job, ACCOUNT, "j" * 32)) == paused


def test_a_value_that_does_not_hold_is_left_out_and_its_event_kept(pipeline: Pipeline) -> None:
    plan = Field(name="plan", assertions=Assertions(format=Format.ALPHA))
    pipeline.configure('plan = "gold"', schema=shop_with(plan, "plan"))

    pipeline.send(user="ada", plan="gold")
    pipeline.send(user="ada", plan="???")
    pipeline.settle()

    assert ["ada"] == pipeline.inside()
    assert 2 == pipeline.profile().events
    assert 1 == pipeline.counters()["values_refused"]


def test_a_value_the_account_blocks_identifies_nobody(pipeline: Pipeline) -> None:
    pipeline.configure("visits > 0", schema=msgspec.structs.replace(SHOP, blocked=("Guest",)))

    pipeline.send(user="ada", cookie="guest", url="/")
    pipeline.send(cookie="guest", url="/")
    pipeline.settle()

    assert ["ada"] == pipeline.inside()
    assert 1 == pipeline.profile().events
    assert 2 == pipeline.counters()["identifiers_blocked"]


@pytest.mark.parametrize(
    ("rule", "after_one", "after_two"),
    [
        ("_num_events >= 2", [], ["ada"]),
        ('_created > "now-1d"', ["ada"], ["ada"]),
        ('_modified > "now-1d"', ["ada"], ["ada"]),
        ('_streamnames = "web"', ["ada"], ["ada"]),
        ("_num_streams > 1", [], []),
        ("AND ( _split >= 0, _split2 < 100 )", ["ada"], ["ada"]),
    ],
)
def test_an_audience_may_read_what_a_profile_knows_of_itself(
    pipeline: Pipeline, rule: str, after_one: list[str], after_two: list[str]
) -> None:
    pipeline.configure(rule)

    pipeline.send(user="ada")
    pipeline.settle()
    first = pipeline.inside()
    pipeline.send(user="ada")
    pipeline.settle()

    assert (after_one, after_two) == (first, pipeline.inside())


def test_a_new_profile_ceases_to_be_new_by_itself(pipeline: Pipeline) -> None:
    pipeline.configure('_created > "now-7d"')
    pipeline.send(user="ada")
    pipeline.settle()

    pipeline.after(7 * DAY + SECOND)

    assert ["enter", "exit"] == [crossing for crossing, _, _ in pipeline.triggers()]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (FieldType.STRING, FieldType.STRINGS),
        (FieldType.STRINGS, FieldType.COUNTERS),
        (FieldType.COUNTERS, FieldType.STRINGS),
        (FieldType.STRINGS, FieldType.STRING),
        (FieldType.STRINGS, FieldType.STRING_MAP),
    ],
)
def test_a_field_that_changed_its_type_begins_anew_with_the_next_value(
    pipeline: Pipeline, before: FieldType, after: FieldType
) -> None:
    expression = 'map("k", plan)' if after is FieldType.STRING_MAP else "plan"
    for version, type_ in enumerate((before, after), start=1):
        field = Field(name="plan", type=type_, merge=MERGE_OPERATORS[type_][0])
        schema = shop_with(field, expression if type_ is after else "plan")
        pipeline.configure("visits > 0", schema=msgspec.structs.replace(schema, version=version))
        pipeline.send(user="ada", plan="gold")
        pipeline.settle()

    fresh = {FieldType.STRINGS: ["gold"], FieldType.COUNTERS: {"gold": 1}, FieldType.STRING: "gold"}
    assert fresh.get(after, {"k": "gold"}) == pipeline.profile().fields["plan"]
    assert "events_set_aside" not in pipeline.counters()


def test_people_merge_though_what_told_them_apart_left_the_schema(pipeline: Pipeline) -> None:
    pipeline.configure("visits >= 0")
    pipeline.send(user="ada", cookie="c1")
    pipeline.send(user="bob", cookie="c2")
    pipeline.settle()
    without = msgspec.structs.replace(
        SHOP,
        version=2,
        ranks=("email", "cookie"),
        fields=tuple(one for one in SHOP.fields if one.name != "user"),
        mappings=tuple(one for one in SHOP.mappings if one.field != "user"),
    )

    pipeline.configure("visits >= 0", schema=without)
    pipeline.send(cookie=["c1", "c2"])
    pipeline.settle()

    assert {"c1", "c2"} == set(pipeline.profile().identifiers["cookie"])
    assert "events_set_aside" not in pipeline.counters()


def test_a_storm_of_timers_holds_up_nobody_elses_events(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeups, "AT_ONCE", 10)
    pipeline.configure('last_visit > "now-1d"', "spend > 5")
    for number in range(100):
        pipeline.send(user=f"u{number}")
    pipeline.settle()

    # Everybody is due at once; then somebody new comes, and one of the hundred comes back.
    pipeline.clock.move(START + 2 * DAY)
    pipeline.send(user="new", total=9)
    pipeline.send(user="u99", total=9)
    pipeline.apply.run_once()
    meanwhile = pipeline.inside(2)
    pipeline.settle()

    assert ["u99", "new"] == meanwhile
    assert ["u99", "new"] == pipeline.inside(1)
    day, later = to_rfc3339(START + DAY + 1 * SECOND), to_rfc3339(START + 2 * DAY)
    exits = [at for way, audience, at in pipeline.triggers() if (way, audience) == ("exit", 1)]
    assert len(exits) == 100
    assert set(exits) <= {to_rfc3339(START + DAY), day}
    assert ("enter", 1, later) in pipeline.triggers()
