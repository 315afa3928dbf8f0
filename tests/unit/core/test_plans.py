"""What a change of the configuration compiles again, and what it leaves alone."""

from gatepost.core.filterql import CompiledFilter
from gatepost.core.plans import AccountPlan
from gatepost.model.audience import Audience
from gatepost.model.schema import Field, FieldType, Schema

SCHEMA = Schema(fields=(Field(name="visits", type=FieldType.INT),))
FILTERS = {
    "regulars": "visits > 3",
    "guests": "NOT INCLUDE regulars",
    "strangers": "AND (INCLUDE guests, visits < 1)",
    "rare": "visits = 1",
}


def audiences(**changed: str) -> list[Audience]:
    return [
        Audience(number=number, id=slug, account=1, name=slug, slug=slug, filter=text, created=0, updated=0)
        for number, (slug, text) in enumerate({**FILTERS, **changed}.items(), 1)
    ]


def filters(plan: AccountPlan) -> dict[str, CompiledFilter]:
    return {one.audience.slug: one.filter for one in plan.audiences.values()}


def renewed(schema: Schema = SCHEMA, **changed: str) -> set[str]:
    """Change a configuration; return the audiences whose filters were compiled again."""
    plan = AccountPlan(SCHEMA, audiences(), (), set())

    after = filters(plan.renewed(schema, audiences(**changed), (), set()))

    return {slug for slug, filter_ in filters(plan).items() if after[slug] is not filter_}


def test_a_changed_filter_is_compiled_again_with_all_that_include_it() -> None:
    assert renewed(regulars="visits > 4") == {"regulars", "guests", "strangers"}


def test_a_new_audience_leaves_the_others_alone() -> None:
    assert renewed(fresh="visits > 9") == set()


def test_new_types_of_fields_compile_everything_again() -> None:
    assert renewed(Schema(fields=(Field(name="visits", type=FieldType.NUMBER),))) == set(FILTERS)
