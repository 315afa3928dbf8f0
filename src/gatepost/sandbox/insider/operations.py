"""What each call does once its caller and body are known."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.times import Instant
from gatepost.sandbox.insider import answers
from gatepost.sandbox.insider.accounts import Account
from gatepost.sandbox.insider.answers import Answer, RefusalError
from gatepost.sandbox.insider.faults import Operation
from gatepost.sandbox.insider.identity import read_identity
from gatepost.sandbox.insider.profiles import Profile
from gatepost.sandbox.insider.reading import wanted_attributes, wanted_events
from gatepost.sandbox.insider.removal import apply_removal, read_removal
from gatepost.sandbox.insider.sandbox import Sandbox
from gatepost.sandbox.insider.upsert import appends, apply_upsert, find_profile, read_upsert
from gatepost.sandbox.insider.verdict import Verdict, grouped, shown
from gatepost.sandbox.insider.vocabulary import MAX_USERS, UPSERT_KEYS

_REMOVAL_REQUEST_KEYS: Final = frozenset(("users",))
_QUOTA: Final = 1_000


@dataclass(slots=True)
class Outcome:
    """The answer to a call, and what the journal should know about it."""

    answer: Answer
    accepted: int = 0
    rejected: int = 0
    errors: dict[str, list[str]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)


Perform = Callable[[Sandbox, Account, JsonObject], Outcome]
PerformUser = Callable[[JsonObject, Verdict], None]


def upsert(sandbox: Sandbox, account: Account, body: JsonObject) -> Outcome:
    """Insert or update every user of the request."""
    now = sandbox.clock.now()
    append = appends(body) is not False

    def perform(user: JsonObject, verdict: Verdict) -> None:
        wish = read_upsert(user, account, now, append=append, verdict=verdict)
        if not verdict.refused:
            apply_upsert(wish, account, sandbox.profiles, now, verdict)

    return _each_user(account, body, UPSERT_KEYS, perform)


def delete_attributes(sandbox: Sandbox, account: Account, body: JsonObject) -> Outcome:
    """Remove attributes, or values of array attributes, from every user of the request."""
    now: Instant = sandbox.clock.now()

    def perform(user: JsonObject, verdict: Verdict) -> None:
        wish = read_removal(user, account, verdict)
        if not verdict.refused:
            apply_removal(wish, account, sandbox.profiles, now, verdict)

    return _each_user(account, body, _REMOVAL_REQUEST_KEYS, perform)


def erase(sandbox: Sandbox, account: Account, body: JsonObject) -> Outcome:
    """Remove one person for good."""
    sandbox.profiles.erase(_named_profile(sandbox, account, body))
    return Outcome(answers.document({}), accepted=1)


def read_profile(sandbox: Sandbox, account: Account, body: JsonObject) -> Outcome:
    """Return attributes and events of one profile."""
    attributes, events = body.get("attributes"), body.get("events")
    if not isinstance(attributes, list) and not isinstance(events, dict):
        raise RefusalError(
            answers.NOTHING_WANTED, "neither attributes nor events are asked for", account.partner
        )
    profile = _named_profile(sandbox, account, body)
    found: dict[str, JsonValue] = {}
    if isinstance(attributes, list):
        found["attributes"] = wanted_attributes(profile, attributes)
    if isinstance(events, dict):
        found["events"] = wanted_events(profile, events)
    if body.get("quota") is True:
        used = sandbox.rates.used(account.partner, "profile")
        found["quota"] = {"cost": 1, "used": used, "total": _QUOTA}
    return Outcome(answers.document(found))


def _each_user(account: Account, body: JsonObject, known: frozenset[str], perform: PerformUser) -> Outcome:
    users = _users(body, account)
    outcome = Outcome(answers.NO_USERS)
    for key in body.keys() - known:
        outcome.warnings[f"in(request) {shown(key)}"] = ["not a field of the request; ignored"]
    for i, user in enumerate(users):
        verdict = Verdict(strict=account.strict)
        if isinstance(user, dict):
            perform(user, verdict)
        else:
            verdict.refuse("type(object)", f"user must be object: {shown(user)}")
        outcome.rejected += verdict.refused
        for findings, into in ((verdict.refusals, outcome.errors), (verdict.warnings, outcome.warnings)):
            if findings:
                grouped(findings, f"users.{i}.", into)
    outcome.accepted = len(users) - outcome.rejected
    outcome.answer = answers.batch(outcome.accepted, outcome.rejected, outcome.errors)
    return outcome


def _users(body: JsonObject, account: Account) -> list[JsonValue]:
    users = body.get("users")
    if not isinstance(users, list) or not users:
        raise RefusalError(answers.NO_USERS, "users is missing or empty", account.partner)
    if len(users) > MAX_USERS:
        raise RefusalError(answers.TOO_MANY_USERS, f"{len(users)} users in one request", account.partner)
    return users


def _named_profile(sandbox: Sandbox, account: Account, body: JsonObject) -> Profile:
    verdict = Verdict(strict=account.strict)
    identity = read_identity(body, account, verdict)
    if verdict.refused:
        reason = "; ".join(dict.fromkeys(message for _, message in verdict.refusals))
        raise RefusalError(
            answers.NO_IDENTIFIER, f"no valid identifier at the top level: {reason}", account.partner
        )
    profile = find_profile(identity, account, sandbox.profiles)
    if profile is None:
        raise RefusalError(answers.NO_SUCH_USER, "no such user", account.partner)
    return profile


@dataclass(frozen=True, slots=True)
class Call:
    """A path of Insider's API."""

    operation: Operation
    path: str
    pool: str
    perform: Perform


def calls() -> Iterator[Call]:
    """Yield the calls that the sandbox answers."""
    yield Call("upsert", "/api/user/v1/upsert", "write", upsert)
    yield Call("attribute_delete", "/api/user/v1/attribute/delete", "write", delete_attributes)
    yield Call("delete", "/api/user/v1/delete", "delete", erase)
    yield Call("profile", "/api/user/v1/profile", "profile", read_profile)
