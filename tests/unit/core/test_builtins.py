"""What a profile knows of itself, as audiences and templates read it."""

from gatepost.core.builtins import BUILTIN_TYPES, builtin, with_builtins
from gatepost.core.entities import entity_of
from gatepost.core.plans import EMPTY_PLAN
from tests.factories import make_profile


def test_somebody_known_by_a_cookie_alone_is_anonymous() -> None:
    cookie_only = make_profile(identifiers={"_uids": {"c1": 1}})
    customer = make_profile(identifiers={"_uids": {"c1": 1}, "email": {"a@x.co": 2}})

    assert ["all", "anonymous_profiles"] == entity_of(cookie_only, EMPTY_PLAN)["_segments"]
    assert ["all"] == entity_of(customer, EMPTY_PLAN)["_segments"]


def test_an_entity_tells_what_was_lost_just_when_something_was() -> None:
    whole, full = make_profile(), make_profile(refused=3, released=2)

    assert BUILTIN_TYPES.keys() - entity_of(whole, EMPTY_PLAN).keys() == {
        "_num_identifiers_released",
        "_dropped_events_too_large",
        "_num_known_identifiers",
    }
    assert (2, 3) == (
        entity_of(full, EMPTY_PLAN)["_num_identifiers_released"],
        entity_of(full, EMPTY_PLAN)["_dropped_events_too_large"],
    )


def test_the_two_splits_are_stable_and_tell_different_people_apart() -> None:
    people = [
        make_profile(n, id=f"{n * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}") for n in range(900)
    ]

    first = [builtin(one, "_split") for one in people]
    second = [builtin(one, "_split2") for one in people]

    assert first == [builtin(one, "_split") for one in people]
    assert len(set(first)) == len(set(second)) == 100
    assert first != second


def test_only_the_built_in_fields_that_are_asked_for_are_worked_out() -> None:
    profile = make_profile(fields={"city": "Ghent"}, events=4)

    assert {"city": "Ghent", "_num_events": 4} == with_builtins(profile, {"city", "_num_events"})
