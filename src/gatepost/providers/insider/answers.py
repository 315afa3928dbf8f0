"""Insider's answers: a 200 may still refuse some of its users, named by the index inside error keys."""

import re
from collections.abc import Sequence

import msgspec

from gatepost.model.delivery import Outcome, Verdict
from gatepost.model.request import Answer
from gatepost.providers.statuses import DELIVERED

_LONGEST_REASON = 500
_USER = re.compile(r"users\.(\d{1,6})\.")


class _Failures(msgspec.Struct):
    count: int = 0
    errors: dict[str, list[str] | str] = {}


class _Data(msgspec.Struct):
    fail: _Failures | None = None


class _Answer(msgspec.Struct):
    data: _Data | None = None


_decoder = msgspec.json.Decoder(_Answer)
_UNNAMED = "Insider refused the user and did not say why"


def outcomes_of_success(answer: Answer, deliveries: int) -> list[Outcome]:
    """Read a 2xx answer: one outcome per delivery."""
    if not answer.body.strip():
        return [DELIVERED] * deliveries
    try:
        read = _decoder.decode(answer.body)
    except msgspec.DecodeError:
        return [_unreadable(answer, deliveries)] * deliveries
    failures = read.data.fail if read.data else None
    if failures is None or not (failures.count or failures.errors):
        return [DELIVERED] * deliveries
    if deliveries == 1:
        return [_refused([text for key in failures.errors for text in _texts(failures, key)])]
    return _by_index(failures, deliveries)


def error_text(answer: Answer) -> str:
    """Return what an error body says, under either of the names Insider uses; empty when it says nothing."""
    try:
        read = msgspec.json.decode(answer.body, type=dict[str, object])
    except msgspec.DecodeError:
        return ""
    text = read.get("error") or read.get("message")
    return text[:_LONGEST_REASON] if isinstance(text, str) else ""


def _by_index(failures: _Failures, deliveries: int) -> list[Outcome]:
    reasons: dict[int, list[str]] = {}
    for key in failures.errors:
        found = _USER.match(key)
        if found and int(found[1]) < deliveries:
            reasons.setdefault(int(found[1]), []).extend(_texts(failures, key))
    rest = DELIVERED
    if len(reasons) < failures.count:
        # Somebody else was refused too. A repeat is harmless at Insider, so smaller requests will tell who.
        named = f"Insider refused {failures.count} of {deliveries} users and named {len(reasons)}"
        rest = Outcome(verdict=Verdict.SPLIT, reason=named)
    return [_refused(reasons[index]) if index in reasons else rest for index in range(deliveries)]


def _texts(failures: _Failures, key: str) -> Sequence[str]:
    texts = failures.errors[key]
    return [texts] if isinstance(texts, str) else texts


def _refused(texts: Sequence[str]) -> Outcome:
    # Two keys often carry the same sentence.
    reason = "; ".join(dict.fromkeys(texts)) or _UNNAMED
    return Outcome(verdict=Verdict.REFUSED, reason=reason[:_LONGEST_REASON])


def _unreadable(answer: Answer, deliveries: int) -> Outcome:
    if not answer.truncated:
        return Outcome(
            verdict=Verdict.RETRY, reason="the answer is not one of Insider's; is a proxy in between?"
        )
    reason = "the answer is too long to be read, so nobody knows who was refused"
    return Outcome(verdict=Verdict.SPLIT if deliveries > 1 else Verdict.REFUSED, reason=reason)
