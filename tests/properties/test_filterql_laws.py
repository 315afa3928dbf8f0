"""Laws of FilterQL: printing, negation, and when an answer may change."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gatepost.core.filterql import (
    CompiledFilter,
    Node,
    compile_filter,
    from_ast,
    parse_filter,
    parse_statements,
    print_filter,
    to_ast,
)
from gatepost.core.filterql.cases import Case
from gatepost.core.filterql.nodes import (
    Call,
    Everything,
    Include,
    ListOf,
    Literal,
    Name,
    Operation,
    joined,
    negated,
)
from gatepost.core.filterql.trials import tried
from gatepost.core.filterql.wildcards import matcher
from gatepost.model.errors import FilterError
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import DAY, HOUR

NOW = 1_768_478_400_000
TYPES = {"seen": "date", "seen_all": "[]time", "visits": "int", "city": "string", "tags": "[]string"}

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
names = st.one_of(
    st.sampled_from(["visits", "city", "a.b", "and", "limit", "first name", "odd`tick", "0day", "now"]),
    texts.filter(bool),
)
literals = st.builds(
    Literal,
    st.one_of(
        texts, st.integers(-(10**12), 10**12), st.floats(0, 1e12, allow_nan=False), st.booleans(), st.none()
    ),
)
leaves = st.one_of(
    literals,
    st.builds(Name, names),
    st.builds(Name, names, names),
)
operands = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda items: ListOf(tuple(items)), st.lists(inner, max_size=3)),
        st.builds(lambda arg: Call("tolower", (arg,)), inner),
        st.builds(lambda op, a, b: Operation(op, (a, b)), st.sampled_from("+-*/%"), inner, inner),
    ),
    max_leaves=4,
)
comparisons = st.builds(
    lambda op, a, b: Operation(op, (a, b)),
    st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "like"]),
    operands,
    operands,
)
tests = st.one_of(
    comparisons,
    st.builds(
        lambda a, items: Operation("in", (a, ListOf(tuple(items)))), operands, st.lists(operands, max_size=3)
    ),
    st.builds(lambda a, b, c: Operation("between", (a, b, c)), operands, operands, operands),
    st.builds(lambda a: Operation("exists", (a,)), operands),
    st.builds(Include, names),
    st.just(Everything()),
)
phrases = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.builds(joined, st.sampled_from(["and", "or"]), st.lists(inner, max_size=4)),
        st.builds(negated, inner),
    ),
    max_leaves=8,
)


@given(phrases)
def test_what_is_printed_reads_back_as_the_same(phrase: Node) -> None:
    printed = print_filter(phrase)

    assert printed == print_filter(parse_filter(printed).filter)


@given(phrases)
def test_the_json_tree_keeps_the_filter(phrase: Node) -> None:
    assert print_filter(phrase) == print_filter(from_ast(to_ast(phrase)))


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    texts,
    st.sampled_from(["5", "now-1d", "2026-01-01", "$7", "true", "1e400"]),
)
values = st.one_of(scalars, st.lists(scalars, max_size=3), st.dictionaries(texts, scalars, max_size=3))
odd_types = st.sampled_from(["", "string", "int", "bool", "date", "[]time", "[]string", "map[string]time"])


@given(phrases, st.dictionaries(names, st.tuples(odd_types, values), max_size=4))
def test_any_filter_answers_on_any_profile_or_is_refused_in_words(
    phrase: Node, fields: dict[str, tuple[str, JsonValue]]
) -> None:
    case = Case(
        filter=print_filter(phrase),
        expected=True,
        accepted=(True, False, "error"),
        context={name: value for name, (_, value) in fields.items()},
        types={name: type_ for name, (type_, _) in fields.items() if type_},
        includes={},
    )

    assert tried(case).passed


amounts = st.one_of(st.integers(-5, 20), st.floats(-5, 20, allow_nan=False))
profiles = st.fixed_dictionaries(
    {},
    optional={
        "seen": st.integers(-20, 20).map(lambda days: NOW + days * DAY + 250),
        "seen_all": st.lists(st.integers(-20, 20).map(lambda days: NOW + days * DAY), max_size=4),
        "visits": st.integers(0, 3),
        "city": st.sampled_from(["a", "b", ""]),
        "tags": st.lists(st.sampled_from(["a", "b"]), max_size=2),
    },
)
entries = st.lists(
    st.tuples(st.integers(-400, 100).map(lambda hours: NOW + hours * HOUR), amounts), max_size=8
).map(lambda found: sorted(found, key=lambda entry: entry[0]))
signs = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
offsets = st.one_of(
    st.builds(
        lambda sign, n, unit: f"now{sign}{n}{unit}",
        st.sampled_from("+-"),
        st.integers(0, 40),
        st.sampled_from("dhs"),
    ),
    st.builds(
        lambda sign, n, unit: f"now{sign}{n}{unit}",
        st.sampled_from("+-"),
        st.integers(0, 13),
        st.sampled_from("My"),
    ),
    st.just("now"),
)
rules = st.one_of(
    st.builds(
        lambda field, op, point: f'{field} {op} "{point}"',
        st.sampled_from(["seen", "seen_all"]),
        signs,
        offsets,
    ),
    st.builds(
        lambda field, a, b: f'{field} BETWEEN "{a}" AND "{b}"',
        st.sampled_from(["seen", "seen_all"]),
        offsets,
        offsets,
    ),
    st.builds(lambda op, number: f"visits {op} {number}", signs, st.integers(0, 3)),
    st.sampled_from(
        ['city = "a"', 'city < "a"', 'tags IN ("a")', "EXISTS seen", "visits = true", "dayofweek() = 4"]
    ),
    st.builds(lambda op, n: f'count("baskets", "7d") {op} {n}', signs, st.integers(0, 5)),
    st.builds(lambda op, n: f'sum("spend", "90h") {op} {n}', signs, st.integers(-5, 30)),
    st.just('count("baskets", "7d") > count("baskets", "2d")'),
)
filters = st.recursive(
    rules,
    lambda inner: st.one_of(
        st.builds(
            lambda word, args: f"{word} ({', '.join(args)})",
            st.sampled_from(["AND", "OR"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        inner.map(lambda text: f"NOT {text}"),
    ),
    max_leaves=4,
)


def compiled(text: str) -> CompiledFilter:
    return compile_filter(parse_filter(text).filter, TYPES, lambda _: None)


@given(filters, profiles, entries, entries, st.lists(st.floats(0, 1, exclude_max=True), max_size=8))
def test_an_answer_holds_until_the_announced_change(
    text: str,
    fields: dict[str, Any],
    baskets: list[tuple[int, float]],
    spend: list[tuple[int, float]],
    shares: list[float],
) -> None:
    filter_ = compiled(text)
    windows = {"count:baskets": [(at, 1.0) for at, _ in baskets], "sum:spend": spend}

    verdict = filter_.evaluate(fields, windows, NOW)

    end = verdict.next_change if verdict.next_change is not None else NOW + 1_000 * DAY
    assert end > NOW
    for instant in {end - 1, *(NOW + int((end - NOW) * share) for share in shares)}:
        assert verdict.matches == filter_.evaluate(fields, windows, instant).matches


@given(st.sampled_from(["count", "sum"]), signs, st.integers(-3, 30), entries)
def test_a_window_agrees_with_the_naive_reading_and_flips_when_it_says(
    kind: str, op: str, number: int, found: list[tuple[int, float]]
) -> None:
    held = [(at, 1.0) for at, _ in found] if kind == "count" else found
    filter_ = compiled(f'{kind}("x", "7d") {op} {number}')

    verdict = filter_.evaluate({}, {f"{kind}:x": held}, NOW)

    assert naive(op, held, number, NOW) == verdict.matches
    border = {at for at, _ in held} | {at + 7 * DAY for at, _ in held}
    flips = sorted(at for at in border if at > NOW and naive(op, held, number, at) != verdict.matches)
    assert (flips[0] if flips else None) == verdict.next_change


def naive(op: str, entries: Sequence[tuple[int, float]], number: int, now: int) -> bool:
    total = math.fsum(amount for at, amount in entries if at <= now < at + 7 * DAY)
    answers = {
        "=": total == number,
        "!=": total != number,
        "<": total < number,
        "<=": total <= number,
        ">": total > number,
        ">=": total >= number,
    }
    return answers[op]


@given(signs, offsets, st.integers(-60, 60), st.integers(-400, 400))
def test_a_date_rule_reaches_its_end_in_few_steps(op: str, point: str, days: int, later: int) -> None:
    filter_ = compiled(f'seen {op} "{point}"')
    fields: Mapping[str, int] = {"seen": NOW + days * DAY + 700}
    now, steps = NOW + later * HOUR, 0

    while (change := filter_.evaluate(fields, {}, now).next_change) is not None:
        assert change > now
        now, steps = change, steps + 1

    # A shift by months can cross a date three times: before, after a short month, and for good.
    assert steps <= 6
    assert filter_.evaluate(fields, {}, now).matches == filter_.evaluate(fields, {}, now + 500 * DAY).matches


@given(filters, profiles)
def test_two_negations_cancel(text: str, fields: dict[str, Any]) -> None:
    plain, twice = compiled(text), compiled(f"NOT (NOT {text})")

    assert plain.evaluate(fields, {}, NOW) == twice.evaluate(fields, {}, NOW)


@given(filters, profiles)
def test_a_filter_and_its_negation_never_both_match(text: str, fields: dict[str, Any]) -> None:
    both = [compiled(part).evaluate(fields, {}, NOW).matches for part in (text, f"NOT ({text})")]

    assert both != [True, True]


@given(st.lists(st.sampled_from(["a", "b", "?", "*", "[ab]", "."]), max_size=8), st.text("ab.", max_size=10))
def test_a_pattern_agrees_with_trying_every_split(pieces: list[str], text: str) -> None:
    assert matcher("".join(pieces))(text) == tries_every_split(pieces, text)


def tries_every_split(pieces: Sequence[str], text: str) -> bool:
    if not pieces:
        return not text
    head, rest = pieces[0], pieces[1:]
    if head == "*":
        return any(tries_every_split(rest, text[at:]) for at in range(len(text) + 1))
    fits = bool(text) and (head == "?" or text[0] in head.strip("[]"))
    return fits and tries_every_split(rest, text[1:])


words = st.sampled_from(
    [
        "FILTER",
        "AND",
        "OR",
        "NOT",
        "(",
        ")",
        "[",
        "]",
        ",",
        ";",
        "a",
        "`b\tc`",
        '"x"',
        "5",
        "-",
        "*",
        "=",
        "<",
        "IN",
        "LIKE",
        "BETWEEN",
        "EXISTS",
        "INCLUDE",
        "CONTAINS",
        "INTERSECTS",
        "len",
        "\n",
        "--",
        "ALIAS",
        "FROM",
        "WITH",
        "LIMIT",
        "true",
    ]
)


@given(st.one_of(st.text(max_size=40), st.lists(words, max_size=12).map(" ".join)))
def test_any_text_parses_or_is_refused_in_words(text: str) -> None:
    printed = printed_or_refused(text)

    assert isinstance(printed, FilterError) or printed == printed_or_refused(";".join(printed))


def printed_or_refused(text: str) -> list[str] | FilterError:
    try:
        return [print_filter(statement) for statement in parse_statements(text)]
    except FilterError as refusal:
        return refusal
