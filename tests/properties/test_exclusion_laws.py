"""Whoever is kept out by hand stays out, whatever merges and unmerges do, and folding the log again says the same."""

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.core.plans import AccountPlan
from gatepost.model.audience import ExclusionCommand, Member, SizeThen
from gatepost.model.event import RecordKind, Submission
from gatepost.model.merge import Merge, MergeCommand
from gatepost.model.profile import Identifier, Profile
from gatepost.model.times import HOUR
from gatepost.ports.store import Transaction
from tests.factories import ACCOUNT
from tests.pipeline import SHOP, Pipeline, make_audience

RULES = ("spend > 3", 'last_visit > "now-1d"', "NOT spend > 3")
WHO = st.sampled_from([("user", "ada"), ("user", "bob"), ("cookie", "c1"), ("cookie", "c2")])
AUDIENCES = st.integers(1, len(RULES))
EVENTS = st.fixed_dictionaries(
    {"total": st.integers(0, 3)},
    optional={"user": st.sampled_from(["ada", "bob"]), "cookie": st.sampled_from(["c1", "c2"])},
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), EVENTS),
        st.tuples(st.just("send"), EVENTS),
        st.tuples(st.just("exclude"), st.tuples(WHO, AUDIENCES)),
        st.tuples(st.just("admit"), st.tuples(WHO, AUDIENCES)),
        st.tuples(st.just("wait"), st.integers(1, 30)),
        st.tuples(st.just("unmerge"), st.none()),
    ),
    max_size=14,
)


class Desk:
    """A pipeline, and somebody who keeps people out and lets them in."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.kept_out: set[tuple[Identifier, int]] = set()
        """What was ordered by these very identifiers and never lifted for anybody."""
        pipeline.configure(*RULES)

    def do(self, what: str, how: Any) -> None:
        pipeline = self.pipeline
        match what:
            case "send":
                pipeline.send(**how)
            case "wait":
                pipeline.clock.move(pipeline.clock.audience() + how * HOUR)
                pipeline.log.append_clock(pipeline.clock.audience()).result()
            case "unmerge":
                self._unmerge()
            case _:
                identifier, audience = how
                self._order(identifier, audience, undo=what == "admit")
        pipeline.settle()

    def profile(self, identifier: Identifier) -> Profile | None:
        def work(tx: Transaction) -> Profile | None:
            number = tx.profiles.find(ACCOUNT, [identifier]).get(identifier)
            return tx.profiles.load(ACCOUNT, [number])[number] if number else None

        return self.pipeline.store.write_blocking(work)

    def _order(self, identifier: Identifier, audience: int, *, undo: bool) -> None:
        profile = self.profile(identifier)
        if profile is None:
            return
        if undo:
            self.kept_out = {(who, which) for who, which in self.kept_out if which != audience}
        else:
            self.kept_out.add((identifier, audience))
        self._append(RecordKind.EXCLUDE, ExclusionCommand(audience=audience, profile=profile.id, undo=undo))

    def _unmerge(self) -> None:
        for profile in self.pipeline.profiles():
            number = profile.number
            merges = self.pipeline.store.write_blocking(partial(_merges_of, number))
            newest = next((merge for merge in merges if not merge.undone), None)
            if newest is not None:
                self._append(RecordKind.UNMERGE, MergeCommand(merge=newest.id))
                return

    def _append(self, kind: RecordKind, command: msgspec.Struct) -> None:
        body = msgspec.json.encode(command)
        self.pipeline.log.append(ACCOUNT, [Submission("", 0, body, kind=kind)]).result()


@settings(max_examples=120, deadline=None)
@given(steps=STEPS)
def test_who_is_kept_out_stays_out_and_the_rule_decides_about_the_others(
    steps: list[tuple[str, Any]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Pipeline(Path(folder)))
        for what, how in steps:
            desk.do(what, how)
            _check(desk)
        desk.pipeline.close()


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_folding_the_log_again_keeps_the_same_people_out(steps: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        desk = Desk(Pipeline(Path(one)))
        for what, how in steps:
            desk.do(what, how)
        desk.pipeline.settle()
        lived, triggers = desk.pipeline.profiles(), desk.pipeline.triggers()
        desk.pipeline.close()
        shutil.copyfile(Path(one) / "log", Path(two) / "log")

        again = Pipeline(Path(two))
        again.configure(*RULES)
        again.settle()

        assert [_told(profile) for profile in again.profiles()] == [_told(profile) for profile in lived]
        assert again.triggers() == triggers
        again.close()


def _told(profile: Profile) -> tuple[object, ...]:
    return profile.id, profile.excluded, profile.memberships, profile.due, profile.identifiers


def _check(desk: Desk) -> None:
    pipeline = desk.pipeline
    plan = AccountPlan(SHOP, [make_audience(n, text) for n, text in enumerate(RULES, start=1)], (), set())
    now = pipeline.clock.audience()
    for number, one in plan.audiences.items():
        wanted = {
            p.number
            for p in pipeline.profiles()
            if number not in p.excluded and one.filter.evaluate(p.fields, p.windows, now).matches
        }
        members = pipeline.store.write_blocking(partial(_members_of, number))
        assert {member.profile for member in members} == wanted
        history = pipeline.store.write_blocking(partial(_history_of, number))
        assert (history[-1].size if history else 0) == len(wanted)
    for identifier, audience in desk.kept_out:
        profile = desk.profile(identifier)
        assert profile is not None
        assert audience in profile.excluded


def _merges_of(profile: int, tx: Transaction) -> list[Merge]:
    return tx.merges.of(ACCOUNT, profile)


def _history_of(audience: int, tx: Transaction) -> list[SizeThen]:
    return tx.memberships.history(ACCOUNT, audience, 0)


def _members_of(audience: int, tx: Transaction) -> list[Member]:
    return tx.memberships.members(ACCOUNT, audience, 0, 1_000)
