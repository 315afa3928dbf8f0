"""What is written by hand stands in the order of the log, whoever turns out to be one person meanwhile."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.model.times import DAY
from tests.membership import WRITES, Life

COOKIES = st.sampled_from(["c1", "c2", "c3"])
SAID = {
    "total": st.integers(0, 6),
    "city": st.sampled_from(["Rome", "Oslo", "Bern"]),
    "url": st.sampled_from(["/", "/shoes"]),
    "mood": st.dictionaries(st.sampled_from(["am", "pm"]), st.integers(0, 3), min_size=1),
}
EVENTS = st.fixed_dictionaries({"cookie": COOKIES, **SAID})
LINKS = st.fixed_dictionaries({"cookie": st.lists(COOKIES, min_size=2, max_size=2), **SAID})
SENT = st.tuples(st.just("send"), st.tuples(EVENTS, st.integers(-3 * DAY, DAY)))
WRITTEN = st.tuples(
    st.just("write"),
    st.tuples(COOKIES.map(lambda cookie: ("cookie", cookie)), st.integers(0, len(WRITES) - 1)),
)
BEGUN = [
    ("send", ({"cookie": cookie, "total": 3, "city": "Rome", "url": "/", "mood": {"am": 1}}, 0))
    for cookie in ("c1", "c2")
]
MET = ("send", ({"cookie": ["c1", "c2"], "total": 1}, 0))
STEPS = st.one_of(
    SENT,
    WRITTEN,
    st.tuples(st.just("send"), st.tuples(LINKS, st.just(0))),
    st.tuples(st.just("wait"), st.integers(0, 40)),
    st.tuples(st.sampled_from(["turn", "crash"]), st.integers(0, 2)),
)


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(STEPS, max_size=14), choice=st.integers(0, len(WRITES) - 1))
def test_folding_the_log_again_gives_what_is_stored_through_writes_and_merges(
    steps: list[Any], choice: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        life = Life(Path(folder))
        for rule in (0, 4, 5):
            life.do_create(rule)

        for what, value in [*BEGUN, *steps, ("write", (("cookie", "c1"), choice)), MET]:
            life.step(what, value)

        life.check()
        life.close()
