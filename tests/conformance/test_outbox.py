"""What every outbox promises: order per profile and destination, leases, exactly one copy."""

from typing import Any

from gatepost.model.delivery import Attempt, Delivery, DeliveryState
from gatepost.ports.outbox import Claim, Enqueued, Replay, Settlement
from gatepost.ports.store import Store
from tests.factories import ACCOUNT, make_delivery

NOW = 1_700_000_000_000
LEASE = NOW + 60_000


def enqueue(store: Store, *deliveries: Delivery, snapshot: bytes = b"{}") -> int:
    return store.write_blocking(lambda tx: tx.outbox.enqueue([Enqueued(snapshot, deliveries)]))


def claim(
    store: Store, *, worker: str = "a", limit: int = 10, now: int = NOW, destination: int = 5
) -> list[Delivery]:
    claims = [Claim(destination=destination, limit=limit)]
    return store.write_blocking(lambda tx: tx.outbox.claim(worker, claims, now, now + 60_000))


def settle(
    store: Store, delivery: Delivery, state: DeliveryState, *, worker: str = "a", **given: Any
) -> list[int]:
    given.setdefault("attempt", Attempt(delivery=delivery.id, number=1, started=NOW, duration=5, status=200))
    settlement = Settlement(delivery=delivery, state=state, **given)
    return store.write_blocking(lambda tx: tx.outbox.settle(worker, [settlement], NOW))


def replay(store: Store, delivery: Delivery, profile: int = 7, others: frozenset[int] = frozenset()) -> None:
    """Send a finished delivery again, ordered with a profile."""
    again = Replay(profile, b'{"a":1}', others)
    store.write_blocking(lambda tx: tx.deliveries.replay(ACCOUNT, delivery.id, again))


def until_empty(store: Store, destination: int = 5) -> list[list[str]]:
    """Claim and deliver until nothing is left; give the names, round by round."""
    rounds = []
    while claimed := claim(store, destination=destination):
        rounds.append([bytes.fromhex(one.id).rstrip(b"\0").decode() for one in claimed])
        for one in claimed:
            settle(store, one, DeliveryState.DELIVERED)
    return rounds


def counts(store: Store) -> dict[str, int]:
    found = store.write_blocking(lambda tx: tx.deliveries.counts(ACCOUNT))
    return {state: amount for state, amount in found.items() if amount}


def test_the_same_trigger_is_stored_once(store: Store) -> None:
    first = enqueue(store, make_delivery("same"))
    again = enqueue(store, make_delivery("same"))

    assert (1, 0) == (first, again)
    assert {"waiting": 1} == counts(store)


def test_two_workers_never_hold_the_same_delivery(store: Store) -> None:
    enqueue(store, make_delivery())

    first = claim(store, worker="a")
    second = claim(store, worker="b")

    assert 1 == len(first)
    assert [] == second


def test_a_profiles_second_delivery_waits_for_its_first_even_from_another_job(store: Store) -> None:
    enqueue(store, make_delivery("enter", job="a" * 32))
    enqueue(store, make_delivery("exit", job="b" * 32))

    (enter,) = claim(store)
    meanwhile = claim(store)
    settle(store, enter, DeliveryState.DELIVERED)
    (after,) = claim(store)

    assert [] == meanwhile
    assert make_delivery("exit").id == after.id


def test_a_retrying_delivery_keeps_its_place(store: Store) -> None:
    enqueue(store, make_delivery("enter"), make_delivery("exit"))

    (enter,) = claim(store)
    settle(store, enter, DeliveryState.RETRYING, due=NOW + 5_000)
    early = claim(store, now=NOW + 4_999)
    (again,) = claim(store, now=NOW + 5_000)

    assert [] == early
    assert enter.id == again.id
    assert 2 == again.attempts


def test_other_profiles_and_destinations_do_not_wait(store: Store) -> None:
    enqueue(store, make_delivery("a"), make_delivery("b", profile=8), make_delivery("c", destination=6))

    here = claim(store)
    there = claim(store, destination=6)

    assert {7, 8} == {delivery.profile for delivery in here}
    assert 1 == len(there)


def test_a_claim_takes_no_more_than_it_asked_for(store: Store) -> None:
    enqueue(store, *(make_delivery(f"d{n}", profile=n) for n in range(1, 9)))

    claimed = claim(store, limit=3)

    assert [1, 2, 3] == [delivery.profile for delivery in claimed]


def test_a_lease_that_ended_frees_the_delivery_and_its_old_holder_cannot_settle(store: Store) -> None:
    enqueue(store, make_delivery())
    (held,) = claim(store, worker="gone")

    rescued = store.write_blocking(lambda tx: tx.outbox.rescue(LEASE))
    (again,) = claim(store, worker="b", now=LEASE)
    lost = settle(store, held, DeliveryState.DELIVERED, worker="gone")

    assert 1 == rescued
    assert [again.seq] == lost
    assert {"leased": 1} == counts(store)


def test_settling_twice_is_harmless(store: Store) -> None:
    enqueue(store, make_delivery())
    (held,) = claim(store)

    first = settle(store, held, DeliveryState.DELIVERED)
    second = settle(store, held, DeliveryState.DELIVERED)

    assert ([], [held.seq]) == (first, second)
    assert {"delivered": 1} == counts(store)


def test_work_given_back_unsent_uses_no_attempt(store: Store) -> None:
    enqueue(store, make_delivery())
    (held,) = claim(store)

    settle(store, held, DeliveryState.WAITING, attempt=None)
    (again,) = claim(store)

    assert 1 == again.attempts


def test_a_stored_body_comes_back_with_the_next_claim(store: Store) -> None:
    enqueue(store, make_delivery())
    (held,) = claim(store)

    store.write_blocking(lambda tx: tx.outbox.store_bodies({(held.seq, held.snapshot): b"rendered"}))
    settle(store, held, DeliveryState.RETRYING, due=NOW)
    (again,) = claim(store)

    assert b"rendered" == again.body


def test_a_snapshot_is_shared_and_freed_with_its_last_delivery(store: Store) -> None:
    enqueue(store, make_delivery("a"), make_delivery("b", profile=8), snapshot=b'{"email":"a@b.c"}')
    first, second = claim(store)

    settle(store, first, DeliveryState.DELIVERED)
    kept = store.write_blocking(lambda tx: tx.outbox.snapshots([second.snapshot]))
    settle(store, second, DeliveryState.DELIVERED)
    gone = store.write_blocking(lambda tx: tx.outbox.snapshots([second.snapshot]))

    assert {second.snapshot: b'{"email":"a@b.c"}'} == kept
    assert {} == gone


def test_a_paused_jobs_deliveries_are_parked_and_resumed(store: Store) -> None:
    enqueue(store, make_delivery())

    parked = store.write_blocking(lambda tx: tx.outbox.hold(ACCOUNT, job="j" * 32, held=True))
    none = claim(store)
    freed = store.write_blocking(lambda tx: tx.outbox.hold(ACCOUNT, job="j" * 32, held=False))
    again = claim(store)

    assert (1, [], 1, 1) == (parked, none, freed, len(again))


def test_killing_a_job_cancels_what_waits_and_lets_the_next_one_go(store: Store) -> None:
    enqueue(store, make_delivery("a"), make_delivery("b", job="k" * 32))

    cancelled = store.write_blocking(
        lambda tx: tx.outbox.cancel(ACCOUNT, job="j" * 32, reason="job killed", now=NOW)
    )
    (other,) = claim(store)

    assert 1 == cancelled
    assert "k" * 32 == other.job
    assert {"cancelled": 1, "leased": 1} == counts(store)


def test_after_a_merge_one_delivery_at_a_time_goes_out(store: Store) -> None:
    enqueue(store, make_delivery("old", profile=7), make_delivery("new", profile=8))

    store.write_blocking(lambda tx: tx.outbox.rekey(ACCOUNT, 8, 7))
    (first,) = claim(store)
    settle(store, first, DeliveryState.DELIVERED)
    (second,) = claim(store)

    assert [make_delivery("old").id, make_delivery("new").id] == [first.id, second.id]


def test_a_lease_on_either_side_of_a_merge_holds_the_order(store: Store) -> None:
    enqueue(store, make_delivery("under way", profile=8))
    (held,) = claim(store)
    enqueue(store, make_delivery("waits", profile=7))

    store.write_blocking(lambda tx: tx.outbox.rekey(ACCOUNT, 8, 7))
    meanwhile = claim(store)
    settle(store, held, DeliveryState.DELIVERED)
    (after,) = claim(store)

    assert [] == meanwhile
    assert make_delivery("waits").id == after.id


def test_two_that_were_under_way_when_their_profiles_became_one_are_tried_again_one_after_the_other(
    store: Store,
) -> None:
    enqueue(store, make_delivery("first", profile=7), make_delivery("second", profile=8))
    first, second = claim(store)
    store.write_blocking(lambda tx: tx.outbox.rekey(ACCOUNT, 8, 7))

    settle(store, first, DeliveryState.RETRYING)
    while_second_is_out = claim(store)
    settle(store, second, DeliveryState.RETRYING)

    assert [] == while_second_is_out
    assert [["first"], ["second"]] == until_empty(store)


def test_two_that_were_under_way_when_their_profiles_became_one_are_in_order_after_a_crash_too(
    store: Store,
) -> None:
    enqueue(store, make_delivery("first", profile=7), make_delivery("second", profile=8))
    claim(store)
    store.write_blocking(lambda tx: tx.outbox.rekey(ACCOUNT, 8, 7))

    store.write_blocking(lambda tx: tx.outbox.rescue(LEASE))

    assert [["first"], ["second"]] == until_empty(store)


def test_what_was_under_way_for_one_who_became_part_of_a_parted_one_waits_for_what_is_of_both(
    store: Store,
) -> None:
    enqueue(store, make_delivery("of both", profile=8))
    store.write_blocking(lambda tx: tx.outbox.share(ACCOUNT, 8, 7))
    enqueue(store, make_delivery("of a third", profile=9))
    of_both, of_third = claim(store)
    store.write_blocking(lambda tx: tx.outbox.rekey(ACCOUNT, 7, 9))

    settle(store, of_third, DeliveryState.RETRYING)
    meanwhile = claim(store)
    settle(store, of_both, DeliveryState.DELIVERED)

    assert [] == meanwhile
    assert [["of a third"]] == until_empty(store)


def test_what_was_under_way_when_one_was_parted_goes_before_anything_of_either_side(store: Store) -> None:
    enqueue(store, make_delivery("of both"), make_delivery("of both, second"))

    store.write_blocking(lambda tx: tx.outbox.share(ACCOUNT, 7, 8))
    enqueue(store, make_delivery("of one", profile=7), make_delivery("of the other", profile=8))
    rounds = until_empty(store)

    assert rounds == [["of both"], ["of both, second"], ["of one", "of the other"]]


def test_a_side_that_becomes_one_with_a_third_goes_on_waiting(store: Store) -> None:
    enqueue(store, make_delivery("of both"))

    store.write_blocking(lambda tx: tx.outbox.share(ACCOUNT, 7, 8))
    enqueue(store, make_delivery("of a third", profile=9), make_delivery("of the other", profile=8))
    store.write_blocking(lambda tx: tx.outbox.rekey(ACCOUNT, 8, 9))
    enqueue(store, make_delivery("of the two", profile=9))
    rounds = until_empty(store)

    assert rounds == [["of both"], ["of a third"], ["of the other"], ["of the two"]]


def test_a_side_waits_no_longer_for_what_was_cancelled_or_sent_elsewhere(store: Store) -> None:
    enqueue(store, make_delivery("cancelled"), make_delivery("moved", job="m" * 32))
    store.write_blocking(lambda tx: tx.outbox.share(ACCOUNT, 7, 8))
    enqueue(store, make_delivery("other", profile=8, job="o" * 32))

    store.write_blocking(lambda tx: tx.outbox.redirect(ACCOUNT, "m" * 32, 6))
    store.write_blocking(
        lambda tx: tx.outbox.cancel(ACCOUNT, job="j" * 32, reason="job killed", now=NOW),
    )
    enqueue(store, make_delivery("there", profile=8, destination=6))

    assert [["other"]] == until_empty(store)
    assert [["moved"], ["there"]] == until_empty(store, destination=6)


def test_wakeups_say_when_a_destination_has_something_due(store: Store) -> None:
    enqueue(store, make_delivery())
    (held,) = claim(store)
    settle(store, held, DeliveryState.RETRYING, due=NOW + 9_000)

    due = store.write_blocking(lambda tx: tx.outbox.wakeups([5, 6], NOW))

    assert {5: NOW + 9_000, 6: None} == due
    assert [5] == store.write_blocking(lambda tx: tx.outbox.destinations())


def test_a_refused_delivery_can_be_replayed_under_its_id_with_its_snapshot(store: Store) -> None:
    enqueue(store, make_delivery("r"), snapshot=b'{"a":1}')
    (held,) = claim(store)
    settle(store, held, DeliveryState.REFUSED, reason="400")

    kept = store.write_blocking(lambda tx: tx.deliveries.snapshot(ACCOUNT, held.id))
    replay(store, held)
    (again,) = claim(store)
    snapshot = store.write_blocking(lambda tx: tx.outbox.snapshots([again.snapshot]))

    assert kept == b'{"a":1}'
    assert held.id == again.id
    assert [b'{"a":1}'] == list(snapshot.values())
    assert {"leased": 1} == counts(store)


def test_a_replay_is_ordered_with_the_profile_it_belongs_to_now_and_holds_up_whom_it_tells_of(
    store: Store,
) -> None:
    enqueue(store, make_delivery("r"))
    (held,) = claim(store)
    settle(store, held, DeliveryState.REFUSED, reason="400")
    enqueue(store, make_delivery("first", profile=8))

    replay(store, held, profile=8, others=frozenset({9}))
    enqueue(store, make_delivery("other", profile=9))
    enqueue(store, make_delivery("later", profile=8))

    assert [["first"], ["r"], ["other", "later"]] == until_empty(store)


def test_what_is_told_anew_is_rendered_anew_and_its_holder_brings_the_old_words_back_nowhere(
    store: Store,
) -> None:
    enqueue(store, make_delivery("one"), make_delivery("two", profile=8), snapshot=b'"old"')
    held, other = claim(store)
    old = {(held.seq, held.snapshot): b"old"}
    store.write_blocking(lambda tx: tx.outbox.store_bodies(old))

    store.write_blocking(lambda tx: tx.outbox.retell([held], b'"new"'))
    store.write_blocking(lambda tx: tx.outbox.store_bodies(old))
    lost = settle(store, held, DeliveryState.RETRYING)
    (again,) = claim(store)

    said = store.write_blocking(lambda tx: tx.outbox.snapshots([again.snapshot, other.snapshot]))
    assert [] == lost
    assert (held.id, None) == (again.id, again.body)
    assert (b'"new"', b'"old"') == (said[again.snapshot], said[other.snapshot])


def test_attempts_are_listed_with_the_delivery(store: Store) -> None:
    enqueue(store, make_delivery())
    (held,) = claim(store)
    settle(store, held, DeliveryState.RETRYING, due=NOW)
    (again,) = claim(store)
    settle(store, again, DeliveryState.DELIVERED)

    attempts = store.write_blocking(lambda tx: tx.deliveries.attempts(ACCOUNT, held.id))
    foreign = store.write_blocking(lambda tx: tx.deliveries.attempts(ACCOUNT + 1, held.id))

    assert 2 == len(attempts)
    assert [] == foreign


def test_a_moved_jobs_deliveries_follow_it_and_are_composed_anew(store: Store) -> None:
    enqueue(store, make_delivery("moves"), make_delivery("stays", job="k" * 32))
    enqueue(store, make_delivery("there", destination=6))
    (held,) = claim(store)
    store.write_blocking(
        lambda tx: tx.outbox.store_bodies({(held.seq, held.snapshot): b"for the old address"})
    )
    settle(store, held, DeliveryState.RETRYING, due=NOW)

    moved = store.write_blocking(lambda tx: tx.outbox.redirect(ACCOUNT, "j" * 32, 6))
    (first,) = claim(store, destination=6)
    (other,) = claim(store, destination=5)

    assert 1 == moved
    assert (held.id, None) == (first.id, first.body)
    assert make_delivery("stays").id == other.id


def test_a_replayed_delivery_keeps_its_age_and_its_tries_but_is_retried_as_patiently_as_a_new_one(
    store: Store,
) -> None:
    enqueue(store, make_delivery("r"))
    for _ in range(2):
        (held,) = claim(store)
        settle(store, held, DeliveryState.RETRYING, due=NOW)
    (held,) = claim(store)
    settle(store, held, DeliveryState.DEAD, reason="given up")

    replay(store, held)
    listed = store.write_blocking(lambda tx: tx.deliveries.get(ACCOUNT, held.id))
    (again,) = claim(store, now=NOW + 1)

    assert listed is not None
    assert (listed.delivery.state, listed.delivery.attempts) == (DeliveryState.WAITING, 3)
    assert (again.attempts, again.earlier, again.first_attempt) == (4, 3, NOW + 1)
    assert again.created == make_delivery("r").created
    settle(store, again, DeliveryState.REFUSED)
    ended = store.write_blocking(lambda tx: tx.deliveries.get(ACCOUNT, held.id))
    assert ended is not None
    assert (ended.delivery.attempts, ended.delivery.created) == (4, make_delivery("r").created)


def test_a_delivery_is_found_by_the_beginning_of_its_id_wherever_it_is(store: Store) -> None:
    ids = ("aa00" + "0" * 28, "aa01" + "0" * 28, "ab00" + "0" * 28)
    enqueue(store, *(make_delivery(id=id_, profile=number) for number, id_ in enumerate(ids)))
    held = claim(store, limit=1)
    settle(store, held[0], DeliveryState.REFUSED)

    def beginning(prefix: str, account: int = ACCOUNT, limit: int = 9) -> set[str]:
        found = store.write_blocking(lambda tx: tx.deliveries.beginning_with(account, prefix, limit))
        return {item.delivery.id for item in found}

    assert beginning("aa") == set(ids[:2])
    assert beginning("aa00") == {ids[0]}
    assert beginning(ids[2]) == {ids[2]}
    assert beginning("ff") == beginning("aa", ACCOUNT + 1) == set()
    assert len(beginning("aa", limit=1)) == 1
