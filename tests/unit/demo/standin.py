"""A gatepost and a sandbox in one small web server, which note what they are asked and answer as told."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from gatepost.demo.client import GatepostClient, SandboxClient

Result = TypeVar("Result")


class StandIn:
    """Records calls as (path, what was sent); answers told for a path come in order, the last for good."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.answers: dict[str, list[web.Response]] = {}

    def answer(self, path: str, *answers: web.Response) -> None:
        """Say what to answer on a path, instead of an idle status."""
        self.answers[path] = list(answers)

    async def handle(self, request: web.Request) -> web.Response:
        """Note the call and answer."""
        self.calls.append((request.path, (await request.text()) or request.query_string))
        told = self.answers.get(request.path)
        if told:
            chosen = told.pop(0) if len(told) > 1 else told[0]
            return web.Response(body=chosen.body, status=chosen.status, headers=chosen.headers)
        return web.json_response({"data": {"lag": 0}})


def with_clients(
    stand_in: StandIn, story: Callable[[GatepostClient, SandboxClient], Awaitable[Result]]
) -> Result:
    """Run a story against the stand-in over real HTTP."""

    async def run() -> Result:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", stand_in.handle)
        async with TestServer(app) as server, aiohttp.ClientSession() as session:
            address = f"http://127.0.0.1:{server.port}"
            return await story(GatepostClient(session, address, "token"), SandboxClient(session, address))

    return asyncio.run(run())


def sent_events(stand_in: StandIn) -> Iterator[str]:
    """Yield clock moves and collected events in the order they arrived, gatepost's side only."""
    for path, sent in stand_in.calls:
        if path == "/api/clock":
            yield f"clock {json.loads(sent)['now']}"
        elif path.startswith("/collect/bulk/"):
            stream = path.removeprefix("/collect/bulk/")
            yield from (f"{stream} {json.loads(line)['at']}" for line in sent.splitlines())
