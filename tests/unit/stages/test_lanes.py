"""One lane per destination: slots, pauses, and no news lost."""

from gatepost.model.times import MINUTE, SECOND
from gatepost.stages.lanes import CLAIM, TROUBLED, Lanes, Trouble

NOW = 1_700_000_000_000


def test_news_that_comes_while_a_claim_is_under_way_is_not_lost() -> None:
    lanes = Lanes()
    lanes.look_now([5])
    asked = [claim.destination for claim in lanes.claims(NOW, {}, set(), 100)]

    lanes.ask(asked)
    lanes.look_now([5])
    lanes.answer({5: None})

    assert [5] == [claim.destination for claim in lanes.claims(NOW, {}, set(), 100)]


def test_a_destination_with_nothing_waiting_is_left_alone() -> None:
    lanes = Lanes()
    lanes.look_now([5])

    lanes.ask([5])
    lanes.answer({5: None})

    assert [] == lanes.claims(NOW, {}, set(), 100)
    assert 1_000 == lanes.nap(NOW, set(), 1_000)


def test_a_retry_is_looked_for_when_it_is_due() -> None:
    lanes = Lanes()
    lanes.ask([5])
    lanes.answer({5: NOW + 300})

    assert [] == lanes.claims(NOW, {}, set(), 100)
    assert 300 == lanes.nap(NOW, set(), 1_000)
    assert 1 == len(lanes.claims(NOW + 300, {}, set(), 100))


def test_claims_stay_within_slots_and_room() -> None:
    lanes = Lanes()
    lanes.look_now([1, 2, 3])
    lanes.lane(1).under_way = 9

    claims = lanes.claims(NOW, {1: 10}, {3}, 40)

    assert {1: 1, 2: 39} == {claim.destination: claim.limit for claim in claims}
    assert CLAIM >= max(claim.limit for claim in claims)


def test_a_destination_that_only_fails_gets_a_pause_and_then_one_probe() -> None:
    lanes = Lanes()
    lane = lanes.lane(5)
    lane.due = 0
    for _ in range(TROUBLED):
        lane.record(answered=False, now=NOW)

    during = lanes.claims(NOW, {}, set(), 100)
    after = lanes.claims(NOW + MINUTE, {}, set(), 100)
    lane.record(answered=True, now=NOW)

    assert [] == during
    assert [1] == [claim.limit for claim in after]
    assert CLAIM == lanes.claims(NOW, {}, set(), 100)[0].limit


def test_many_requests_that_fall_together_pause_no_longer_than_the_first_few() -> None:
    lanes = Lanes()
    lane = lanes.lane(5)
    lane.due = 0

    for _ in range(256):
        lane.record(answered=False, now=NOW)
    first = lane.paused_until - NOW
    lane.record(answered=False, now=NOW + first)

    assert SECOND == first
    assert 2 * SECOND == lane.paused_until - (NOW + first)


def test_a_destination_in_trouble_says_since_when_and_when_it_is_tried_again() -> None:
    lanes = Lanes()
    lane = lanes.lane(5)
    lanes.lane(6).record(answered=True, now=NOW)
    lane.record(answered=False, now=NOW)
    lane.record(answered=False, now=NOW + 300)
    lane.due = NOW + 5_000

    troubled = lanes.troubles()
    lane.record(answered=True, now=NOW + 6_000)

    assert troubled == {5: Trouble(since=NOW, failures=2, next_try=NOW + 5_000)}
    assert lanes.troubles() == {}
