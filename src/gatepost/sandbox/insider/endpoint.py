"""One path of Insider's API as a bare ASGI application: checks, work, journal, faults."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gatepost.sandbox.insider import answers
from gatepost.sandbox.insider.answers import Answer, RefusalError
from gatepost.sandbox.insider.faults import Fault
from gatepost.sandbox.insider.gate import Receive, caller, parsed, read_body, wanted_headers
from gatepost.sandbox.insider.journal import EXCERPT_BYTES, RequestRecord
from gatepost.sandbox.insider.operations import Call, Outcome
from gatepost.sandbox.insider.sandbox import Sandbox, wall_clock

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CUT = "gatepost.cut"
"""The scope extension under which the server offers to cut the connection."""

_KEPT_FINDINGS = 20
_KEPT_LENGTH = 300


class Endpoint:
    """Answers one call for every partner."""

    def __init__(self, sandbox: Sandbox, call: Call) -> None:
        self._sandbox = sandbox
        self._call = call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or do to it what an asked-for fault says."""
        fault = self._sandbox.faults.next_for(self._call.operation)
        if fault is None:
            answer = await self._answer(scope, receive)
        else:
            answer = await self._answer_faulty(fault, scope, receive)
        if fault is not None and fault.drop and CUT in scope.get("extensions", {}):
            await _cut(scope, receive)
            return
        await _send(answer, send)

    async def _answer(self, scope: Scope, receive: Receive, note: str = "") -> Answer:
        started = time.perf_counter_ns()
        record = RequestRecord(0, wall_clock(), self._call.operation, "", 200, note=note)
        try:
            outcome = await self._perform(scope, receive, record)
            answer = outcome.answer
            record.accepted, record.rejected = outcome.accepted, outcome.rejected
            record.errors, record.warnings = _first(outcome.errors), _first(outcome.warnings)
        except RefusalError as refused:
            answer, record.note = refused.answer, refused.reason
            record.partner = record.partner or refused.partner
        record.status = answer.status
        record.microseconds = (time.perf_counter_ns() - started) // 1_000
        self._sandbox.journal.add(record)
        return answer

    async def _perform(self, scope: Scope, receive: Receive, record: RequestRecord) -> Outcome:
        if scope["method"] != "POST":
            raise RefusalError(answers.WRONG_METHOD, f"{scope['method']} instead of POST")
        headers = wanted_headers(scope["headers"])
        account = caller(headers, (scope.get("client") or ("",))[0], self._sandbox.accounts)
        record.partner = account.partner
        wait = self._sandbox.seconds_to_wait(account, self._call.pool)
        if wait:
            told = self._sandbox.options.retry_after
            answer = answers.with_retry_after(answers.TOO_MANY, wait) if told else answers.TOO_MANY
            raise RefusalError(answer, "over the requests per minute")
        body = await read_body(headers, receive)
        record.size, record.body = len(body), body[:EXCERPT_BYTES]
        return self._call.perform(self._sandbox, account, parsed(body))

    async def _answer_faulty(self, fault: Fault, scope: Scope, receive: Receive) -> Answer:
        if fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1_000)
        if fault.status is None:
            note = (
                "fault: connection cut after processing" if fault.drop else f"fault: {fault.delay_ms} ms late"
            )
            return await self._answer(scope, receive, note)
        record = RequestRecord(0, wall_clock(), self._call.operation, "", fault.status)
        record.partner = wanted_headers(scope["headers"]).get(b"x-partner-name", "")[:100]
        record.note = f"fault: answered {fault.status} without looking"
        self._sandbox.journal.add(record)
        return answers.for_fault(fault.status, fault.retry_after)


async def _cut(scope: Scope, receive: Receive) -> None:
    scope["extensions"][CUT]()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(answer: Answer, send: Send) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(answer.body)),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _first(findings: dict[str, list[str]]) -> dict[str, list[str]]:
    if not findings:
        return findings
    kept = list(findings.items())[:_KEPT_FINDINGS]
    return {
        key[:_KEPT_LENGTH]: [message[:_KEPT_LENGTH] for message in messages[:_KEPT_FINDINGS]]
        for key, messages in kept
    }
