from gatepost.demo.comparison import by_household, compare


def test_three_equal_answers_disagree_nowhere() -> None:
    answer = {"hh-1": frozenset({"big_spenders"}), "hh-2": frozenset[str]()}

    comparison = compare(answer, {"hh-1": frozenset({"big_spenders"})}, answer)

    assert comparison.households == 2
    assert comparison.disagreements == ()


def test_one_dissenter_is_enough_and_is_named() -> None:
    both = {"hh-1": frozenset({"big_spenders", "produce_buyers"})}

    comparison = compare(both, both, {"hh-1": frozenset({"produce_buyers"})})

    (found,) = comparison.disagreements
    assert str(found) == "hh-1  rows: big_spenders  gatepost: big_spenders  sandbox: -"


def test_a_household_only_the_sandbox_knows_counts() -> None:
    comparison = compare({}, {}, {"hh-7": frozenset({"lapsed_shoppers"})}, households=["hh-1"])

    assert comparison.households == 2
    assert [row.household for row in comparison.disagreements] == ["hh-7"]


def test_two_differing_households_are_two_disagreements_however_many_audiences() -> None:
    truth = {"hh-1": frozenset({"a", "b", "c"}), "hh-2": frozenset({"a"})}

    comparison = compare(truth, {}, {})

    assert len(comparison.disagreements) == 2


def test_members_by_audience_turn_into_audiences_by_household() -> None:
    turned = by_household({"a": {"hh-1", "hh-2"}, "b": {"hh-2"}, "c": set()})

    assert turned == {"hh-1": {"a"}, "hh-2": {"a", "b"}}
