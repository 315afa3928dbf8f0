"""When will she leave? The instant an explanation names is the one at which apply really lets her leave or enter."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.core.addresses import parse_allow_list
from gatepost.model.event import RecordKind, Submission
from gatepost.model.profile import Profile
from gatepost.model.schema import Field, FieldType, Mapping, MergeOperator, Schema
from gatepost.model.times import DAY, HOUR, MINUTE, Instant
from gatepost.operations.context import Context
from gatepost.operations.explanations import Explanation, explain
from gatepost.outbound.sender import HttpSender, SendOptions
from gatepost.ports.outbox import DeliveryFilter
from gatepost.providers.registry import installed_providers
from gatepost.rendering import HelperRenderer
from tests.factories import ACCOUNT
from tests.pipeline import SHOP, Pipeline, make_audience

FADING: dict[Field, str] = {
    Field(name="town", keep_days=1): "city",
    Field(name="pages", type=FieldType.STRINGS, merge=MergeOperator.MERGE, keep_days=2, capacity=2): "url",
    Field(name="recent", type=FieldType.NUMBER, merge=MergeOperator.SUM, keep_days=3): "tonumber(total)",
}
FADES = Schema(
    version=1,
    ranks=SHOP.ranks,
    fields=(*SHOP.fields, *FADING),
    mappings=(
        *SHOP.mappings,
        *(Mapping(stream="web", field=field.name, expression=text) for field, text in FADING.items()),
    ),
)
"""The shop's schema, and fields that let their values go."""

PARTS = st.sampled_from(
    [
        "spend > 3",
        'last_visit > "now-2d"',
        'last_visit < "now-30h"',
        'last_visit < "now-1M"',
        'last_visit BETWEEN "now-3d" AND "now-1d"',
        '_modified < "now-3h"',
        '_created > "now-7d"',
        'count("web", "30h") >= 2',
        'count("web", "2d") = 1',
        'sum("spend", "2d", event = "cart") > 2',
        'sum("event.total", "50h") * 2 > 5',
        'distinct("event.url", "3d") >= 2',
        'first("web") < "now-1d"',
        'last("cart") > "now-90m"',
        'sequence("view", "purchase", "2h", "2d")',
        'abandoned("cart", "purchase", "1h", "1d")',
        "EXISTS town",
        'town = "Rome"',
        'pages = "/a"',
        "len(pages) >= 2",
        "recent > 3",
        "hourofday() = 3",
        "dayofweek() = 2",
    ]
)
RULES = st.recursive(
    PARTS,
    lambda inner: st.one_of(
        inner.map("NOT ( {} )".format),
        st.tuples(st.sampled_from(["AND", "OR"]), inner, inner).map(lambda t: f"{t[0]} ( {t[1]}, {t[2]} )"),
    ),
    max_leaves=3,
)
EVENTS = st.fixed_dictionaries(
    {"user": st.sampled_from(["ada", "bob"]), "total": st.integers(0, 4)},
    optional={
        "url": st.sampled_from(["/a", "/b", "/c"]),
        "city": st.sampled_from(["Rome", "Oslo"]),
        "event": st.sampled_from(["view", "cart", "purchase"]),
    },
)
STEPS = st.lists(
    st.tuples(EVENTS, st.sampled_from([0, 0, 0, -DAY, -50 * HOUR, 5 * HOUR]), st.integers(0, 40 * 60)),
    min_size=1,
    max_size=8,
)
"""What happened, how long before or after it was told, and the minutes that pass then."""
ENDS = st.sampled_from([0, 0, 3 * HOUR, 2 * DAY])
FAR = 40 * DAY


class Shop:
    """A pipeline, and somebody who asks it why and until when."""

    def __init__(self, folder: Path, rules: list[str], end: Instant) -> None:
        self.rules = [*rules, "INCLUDE a1"]
        self.pipeline = Pipeline(folder)
        self.pipeline.configure(*self.rules, schema=FADES)
        self._end = end
        self._context = Context(
            store=self.pipeline.store,
            log=self.pipeline.log,
            secrets=self.pipeline.keys,
            renderer=HelperRenderer(),
            sender=HttpSender(SendOptions(allow=parse_allow_list([]))),
            providers=installed_providers(),
            clock=self.pipeline.clock,
            allow=parse_allow_list([]),
            wake_apply=lambda: None,
            wake_deliver=lambda _: None,
        )

    @property
    def now(self) -> Instant:
        return self.pipeline.clock.audience()

    def live(self, steps: list[tuple[dict[str, Any], int, int]]) -> None:
        for body, offset, minutes in steps:
            self.pipeline.send(at=self.now + offset, **body)
            self.pipeline.settle()
            self.pipeline.after(minutes * MINUTE)

    def let_end(self) -> None:
        """Give the last audience an end, so that no other includes it."""
        if self._end:
            last = len(self.rules)
            ending = make_audience(last, self.rules[-1], expires=self.now + self._end)
            self.pipeline.store.write_blocking(lambda tx: tx.catalog.put(ACCOUNT, ending.id, ending))
            self.pipeline.settle()

    def keep_out(self, profile: Profile) -> None:
        """Exclude somebody from the first audience."""
        body = f'{{"audience":1,"profile":"{profile.id}"}}'.encode()
        self.pipeline.log.append(ACCOUNT, [Submission("", 0, body, kind=RecordKind.EXCLUDE)]).result()
        self.pipeline.settle()

    def told(self) -> dict[tuple[int, int], Explanation]:
        """Ask for everybody and every audience."""
        return {
            (profile.number, number): asyncio.run(
                explain(self._context, ACCOUNT, f"a{number}", f"user={profile.fields['user']}")
            )
            for profile in self.pipeline.profiles()
            for number in range(1, len(self.rules) + 1)
        }

    def crossings(self) -> list[tuple[tuple[int, int], Instant]]:
        """Who entered or left what, and when, in order."""
        wanted = DeliveryFilter(account=ACCOUNT, limit=100_000)
        listed = self.pipeline.store.write_blocking(lambda tx: tx.deliveries.listed(wanted))
        made = (item.delivery for item in reversed(listed))
        return [((delivery.profile, delivery.audience), delivery.at) for delivery in made]


@settings(max_examples=60)
@given(
    rules=st.lists(RULES, min_size=1, max_size=3),
    steps=STEPS,
    end=ENDS,
    kept_out=st.booleans(),
)
def test_she_leaves_and_enters_when_the_explanation_says_so(
    rules: list[str], steps: list[tuple[dict[str, Any], int, int]], end: Instant, kept_out: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder), rules, end)
        shop.live(steps)
        shop.let_end()
        if kept_out:
            shop.keep_out(shop.pipeline.profiles()[0])

        told, before = shop.told(), len(shop.crossings())
        foretold = {key: one.next_change for key, one in told.items() if one.next_change is not None}
        nearest = sorted(set(foretold.values()))[:6]
        for instant in [*(moment for at in nearest for moment in (at - 1, at)), shop.now + FAR]:
            shop.pipeline.after(max(0, instant - shop.now))
            turned: dict[tuple[int, int], Instant] = {}
            for key, at in shop.crossings()[before:]:
                turned.setdefault(key, at)

            assert turned == {key: at for key, at in foretold.items() if at <= shop.now}
        for explanation in told.values():
            if explanation.membership is not None and explanation.excluded is None:
                assert explanation.rule.matches == explanation.membership.inside
                assert explanation.rule.since == explanation.membership.since
        shop.pipeline.close()
