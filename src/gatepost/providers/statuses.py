"""What an HTTP status means where the receiver has no meaning of its own for it."""

from http import HTTPStatus

from gatepost.core.retry import parse_retry_after
from gatepost.model.delivery import Outcome, Verdict
from gatepost.model.request import Answer
from gatepost.model.times import Instant
from gatepost.providers.contract import PlannedRequest

DELIVERED = Outcome(verdict=Verdict.DELIVERED)

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_FINAL = frozenset((400, 404, 413))
_CREDENTIALS = frozenset((401, 403))


def outcome_by_status(planned: PlannedRequest, answer: Answer, now: Instant) -> Outcome:
    """Judge a whole request by its status alone; the job's own list of final statuses goes first."""
    status = answer.status
    if 200 <= status < 300:
        return DELIVERED
    shown = shown_status(status)
    if status in planned.do_not_retry:
        return Outcome(verdict=Verdict.REFUSED, reason=f"{shown}, which this job does not retry")
    if status in _FINAL:
        return Outcome(verdict=Verdict.REFUSED, reason=f"{shown}: the receiver does not accept this request")
    wish = answer.headers.get("retry-after")
    wait = None if wish is None else parse_retry_after(wish, now)
    if status in _CREDENTIALS:
        reason = f"{shown}: the receiver does not accept the credentials; mend the authorization, then resume"
        return Outcome(verdict=Verdict.STOP, reason=reason, retry_after=wait)
    return Outcome(verdict=Verdict.RETRY, reason=_retry_reason(shown, answer), retry_after=wait)


def shown_status(status: int) -> str:
    """Return a status as people know it, such as `HTTP 404 Not Found`."""
    phrase = _PHRASES.get(status)
    return f"HTTP {status} {phrase}" if phrase else f"HTTP {status}"


def _retry_reason(shown: str, answer: Answer) -> str:
    if not 300 <= answer.status < 400:
        return shown
    # What follows ? or # in a location may be a secret.
    target = answer.headers.get("location", "").partition("?")[0].partition("#")[0]
    there = f" to {target[:200]}" if target else ""
    return f"{shown}: redirects{there} are not followed; let the job name the final URL"
