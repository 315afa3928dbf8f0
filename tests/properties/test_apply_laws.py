"""Apply has laws: where a batch ends does not show, and stored memberships are what the rules say now."""

import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.core.plans import compile_audience
from gatepost.model.profile import Profile
from gatepost.model.schema import Field, FieldType, Mapping, MergeOperator
from gatepost.model.times import DAY, HOUR
from tests.pipeline import SHOP, Pipeline

LASTING = msgspec.structs.replace(
    SHOP,
    fields=(
        *SHOP.fields,
        Field(name="pages", type=FieldType.STRINGS, merge=MergeOperator.MERGE, keep_days=1, capacity=2),
        Field(name="week", type=FieldType.COUNTERS, merge=MergeOperator.MERGE, keep_days=2),
    ),
    mappings=(
        *SHOP.mappings,
        Mapping(stream="web", field="pages", expression="url"),
        Mapping(stream="web", field="week", expression="valuect(url)"),
    ),
)
"""The shop's schema with values that disappear by themselves."""

FILTERS = (
    "spend > 5",
    'count("web", "2d") >= 2',
    'sum("spend", "36h") >= 4',
    'last_visit > "now-1d"',
    "NOT INCLUDE a1",
    'AND ( visits >= 2, NOT last_visit > "now-2d" )',
    'pages = "/shoes"',
    "NOT EXISTS week",
)

EVENTS = st.fixed_dictionaries(
    {"total": st.integers(0, 4), "url": st.sampled_from(["/", "/shoes"])},
    optional={
        "user": st.sampled_from(["ada", "bob"]),
        "email": st.sampled_from(["a@x.co", "b@x.co"]),
        "cookie": st.sampled_from(["c1", "c2", "c3"]),
    },
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), EVENTS, st.integers(-2 * DAY, HOUR)),
        st.tuples(st.just("wait"), st.just({}), st.integers(1, 40).map(lambda hours: hours * HOUR)),
    ),
    min_size=1,
    max_size=14,
)
Step = tuple[str, dict[str, Any], int]


def replay(steps: list[Step], folder: Path, *, every_step: bool, batch: int) -> Pipeline:
    pipeline = Pipeline(folder)
    pipeline.apply._limit = batch
    pipeline.configure(*FILTERS, schema=LASTING)
    for what, body, amount in steps:
        if what == "send":
            pipeline.send(at=pipeline.clock.audience() + amount, **body)
        else:
            pipeline.clock.move(pipeline.clock.audience() + amount)
            pipeline.log.append_clock(pipeline.clock.audience()).result()
        if every_step:
            pipeline.settle()
    pipeline.settle()
    return pipeline


def without_order(profile: Profile) -> Any:
    """A profile without what is only book-keeping: when it will be looked at again."""
    fields = {
        name: sorted(value) if isinstance(value, list) else value for name, value in profile.fields.items()
    }
    return profile.id, fields, profile.memberships, profile.identifiers, profile.events, profile.trail


@settings(max_examples=40)
@given(steps=STEPS)
def test_where_a_batch_ends_does_not_show(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        step_by_step = replay(steps, Path(one), every_step=True, batch=512)
        in_batches = replay(steps, Path(other), every_step=False, batch=3)

        profiles = [
            [without_order(p) for p in pipeline.profiles()] for pipeline in (step_by_step, in_batches)
        ]
        triggers = [pipeline.triggers() for pipeline in (step_by_step, in_batches)]
        step_by_step.close()
        in_batches.close()

    assert profiles[0] == profiles[1]
    assert triggers[0] == triggers[1]


@settings(max_examples=40)
@given(steps=STEPS)
def test_stored_memberships_are_what_the_rules_say_now(steps: list[Step]) -> None:
    texts = {f"a{number}": f"FILTER {text}" for number, text in enumerate(FILTERS, start=1)}
    compiled = {n: compile_audience(text, LASTING, texts) for n, text in enumerate(texts.values(), start=1)}
    with tempfile.TemporaryDirectory() as folder:
        pipeline = replay(steps, Path(folder), every_step=False, batch=512)
        now = pipeline.clock.audience()
        profiles = pipeline.profiles()
        lists = {number: set(pipeline.inside(number)) for number in compiled}
        sizes = pipeline.store.write_blocking(lambda tx: tx.memberships.sizes(1))
        pipeline.close()

    for number, rule in compiled.items():
        fresh = {p.number for p in profiles if rule.evaluate(p.fields, p.windows, now).matches}
        stored = {p.number for p in profiles if number in p.memberships and p.memberships[number].inside}
        assert fresh == stored, FILTERS[number - 1]
        assert len(fresh) == (sizes[number].size if number in sizes else 0)
        assert {str(p.fields.get("user")) for p in profiles if p.number in fresh} == lists[number]
