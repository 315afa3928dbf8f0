"""The sender against receivers that behave and receivers that do not, all of them real."""

import asyncio
import gzip
import zlib

import pytest

from gatepost.model.errors import Blocked, Unreachable
from gatepost.model.request import Answer, Request
from gatepost.outbound.sender import SendOptions
from tests.unit.outbound.receivers import (
    OK,
    Conversation,
    Line,
    answering,
    receiving,
    response,
    sending,
    silence,
)

QUICK = SendOptions(deadline_s=0.3)


def exchange(conversation: Conversation, options: SendOptions | None = None) -> Answer:
    """Send one request to a receiver that holds this conversation; return the answer."""

    async def story() -> Answer:
        async with receiving(conversation) as receiver, sending(options=options) as sender:
            return await sender.send(receiver.post())

    return asyncio.run(story())


def failure(conversation: Conversation, options: SendOptions | None = None) -> Unreachable:
    """Send one request that must fail; return how it failed."""
    with pytest.raises(Unreachable) as failed:
        exchange(conversation, options)
    return failed.value


def test_a_request_arrives_as_it_was_planned_and_the_answer_comes_back() -> None:
    heard: list[bytes] = []

    async def converse(line: Line) -> None:
        heard.append(await line.request())
        await line.say(response(b'{"ok":true}', "Retry-After: 7", status="202 Accepted"))

    async def story() -> Answer:
        async with receiving(converse) as receiver, sending() as sender:
            headers = (("Content-Type", "application/json"), ("X-REQUEST-TOKEN", "t0k"))
            url = receiver.url("/a%2Fb?x=%20&y=a+b")
            return await sender.send(Request(method="PUT", url=url, headers=headers, body=b'{"n":1}'))

    answer = asyncio.run(story())

    head, body = heard[0].split(b"\r\n\r\n")
    assert head.startswith(b"PUT /a%2Fb?x=%20&y=a+b HTTP/1.1\r\n")
    assert b"X-REQUEST-TOKEN: t0k" in head
    assert b"Accept-Encoding: identity" in head
    assert b"User-Agent: gatepost/" in head
    assert body == b'{"n":1}'
    assert (answer.status, answer.body, answer.truncated) == (202, b'{"ok":true}', False)
    assert answer.headers["retry-after"] == "7"


def test_a_large_batch_arrives_whole() -> None:
    heard: list[bytes] = []
    body = b"x" * 3_000_000

    async def converse(line: Line) -> None:
        heard.append(await line.request())
        await line.say(OK)

    async def story() -> None:
        async with receiving(converse) as receiver, sending() as sender:
            await sender.send(receiver.post(body=body))

    asyncio.run(story())

    assert heard[0].endswith(body)


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "307 Temporary", "308 Gone"])
def test_a_redirect_is_an_answer_and_is_not_followed(status: str) -> None:
    async def story() -> tuple[Answer, int]:
        async with receiving(answering(OK)) as secret:
            moved = response(b"", f"Location: {secret.url()}", status=status)
            async with receiving(answering(moved)) as receiver, sending() as sender:
                return await sender.send(receiver.post()), secret.connections

    answer, reached = asyncio.run(story())

    assert answer.status == int(status[:3])
    assert "location" in answer.headers
    assert reached == 0


def test_an_endless_answer_is_cut_and_its_status_kept() -> None:
    async def converse(line: Line) -> None:
        await line.request()
        await line.say(b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await line.say(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    answer = exchange(converse, SendOptions(answer_limit=10_000))

    assert (answer.status, len(answer.body), answer.truncated) == (500, 10_000, True)


def test_an_answer_announced_too_long_is_cut_and_one_at_the_limit_is_whole() -> None:
    options = SendOptions(answer_limit=1_000)

    long = exchange(answering(response(b"x" * 1_001)), options)
    whole = exchange(answering(response(b"x" * 1_000)), options)

    assert (len(long.body), long.truncated) == (1_000, True)
    assert (len(whole.body), whole.truncated) == (1_000, False)


def test_the_connection_of_a_cut_answer_is_not_used_again() -> None:
    async def story() -> int:
        options = SendOptions(answer_limit=10)
        answers = answering(response(b"x" * 5_000_000))
        async with receiving(answers) as receiver, sending(options=options) as sender:
            await sender.send(receiver.post())
            await sender.send(receiver.post())
            return receiver.connections

    assert asyncio.run(story()) == 2


def test_a_slow_drip_is_cut_by_the_total_deadline() -> None:
    async def drip(line: Line) -> None:
        await line.request()
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            await line.say(b"x")
            await asyncio.sleep(0.01)

    assert failure(drip, QUICK).error_class == "timeout_answer"


def test_a_slow_drip_of_headers_is_cut_too() -> None:
    async def drip(line: Line) -> None:
        await line.request()
        await line.say(b"HTTP/1.1 200 OK\r\n")
        while True:
            await line.say(b"X-More: 1\r\n")
            await asyncio.sleep(0.01)

    assert failure(drip, QUICK).error_class in {"timeout_answer", "broken"}


def test_a_receiver_that_never_answers_is_left_at_the_deadline() -> None:
    failed = failure(silence, QUICK)

    assert failed.error_class == "timeout_answer"
    assert "within 0.3 s" in failed.message


def test_one_hanging_receiver_does_not_hold_another() -> None:
    async def story() -> Answer:
        async with receiving(silence) as hanging, receiving(answering(OK)) as well, sending() as sender:
            stuck = asyncio.ensure_future(sender.send(hanging.post()))
            answer = await sender.send(well.post())
            assert not stuck.done()
            stuck.cancel()
            await asyncio.gather(stuck, return_exceptions=True)
            return answer

    assert asyncio.run(story()).status == 200


def test_a_closed_port_is_a_failure_to_connect() -> None:
    async def story() -> None:
        async with receiving(silence) as receiver:
            gone = receiver.post()
        async with sending() as sender:
            await sender.send(gone)

    with pytest.raises(Unreachable) as failed:
        asyncio.run(story())

    assert failed.value.error_class == "connect"


async def close_at_once(line: Line) -> None:
    await line.request()


async def reset_at_once(line: Line) -> None:
    await line.request()
    line.reset()


async def reset_within_the_answer(line: Line) -> None:
    await line.request()
    await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
    line.reset()


@pytest.mark.parametrize(
    "conversation",
    [
        close_at_once,
        reset_at_once,
        reset_within_the_answer,
        answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxx\r\n0\r\n\r\n"),
        answering(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        answering(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n"),
    ],
)
def test_a_broken_answer_is_a_failure_to_read(conversation: Conversation) -> None:
    assert failure(conversation).error_class == "broken"


def test_an_answer_that_ends_before_its_length_is_a_failure_to_read() -> None:
    async def converse(line: Line) -> None:
        await line.request()
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")

    assert failure(converse).error_class == "broken"


def test_connections_are_kept_and_used_again() -> None:
    async def story() -> int:
        async with receiving(answering(OK)) as receiver, sending() as sender:
            for _ in range(20):
                await sender.send(receiver.post())
            return receiver.connections

    assert asyncio.run(story()) == 1


def test_a_kept_connection_that_is_gone_gets_one_instant_second_try() -> None:
    async def converse(line: Line) -> None:
        await line.request()
        await line.say(OK)
        await line.request()
        if line.number > 1:
            await line.say(OK)

    async def story() -> tuple[int, int]:
        async with receiving(converse) as receiver, sending() as sender:
            await sender.send(receiver.post())
            answer = await sender.send(receiver.post())
            return answer.status, receiver.connections

    assert asyncio.run(story()) == (200, 2)


def test_a_new_connection_that_is_closed_gets_no_second_try() -> None:
    async def story() -> int:
        async with receiving(close_at_once) as receiver, sending() as sender:
            with pytest.raises(Unreachable):
                await sender.send(receiver.post())
            return receiver.connections

    assert asyncio.run(story()) == 1


def test_a_kept_connection_that_breaks_within_the_answer_gets_no_second_try() -> None:
    heard: list[bytes] = []

    async def converse(line: Line) -> None:
        heard.append(await line.request())
        await line.say(OK)
        heard.append(await line.request())
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        line.reset()

    async def story() -> None:
        async with receiving(converse) as receiver, sending() as sender:
            await sender.send(receiver.post())
            with pytest.raises(Unreachable):
                await sender.send(receiver.post())

    asyncio.run(story())

    assert len(heard) == 2


def test_headers_that_are_no_text_do_not_break_the_answer() -> None:
    odd = b"HTTP/1.1 200 OK\r\nX-Odd: caf\xe9 \xff\r\nX-Good: caf\xc3\xa9\r\nContent-Length: 2\r\n\r\n{}"

    answer = exchange(answering(odd))

    assert answer.headers["x-odd"].encode()
    assert answer.headers["x-odd"].startswith("caf")
    assert answer.headers["x-good"] == "caf\u00e9"


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("gzip", gzip.compress(b'{"ok":1}', mtime=0)),
        ("GZip", gzip.compress(b'{"ok":1}', mtime=0)),
        ("deflate", zlib.compress(b'{"ok":1}')),
        ("deflate", zlib.compress(b'{"ok":1}', wbits=-15)),
    ],
)
def test_an_answer_compressed_unasked_is_still_read(name: str, packed: bytes) -> None:
    answer = exchange(answering(response(packed, f"Content-Encoding: {name}")))

    assert (answer.body, answer.truncated) == (b'{"ok":1}', False)


def test_a_compressed_bomb_never_grows_beyond_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)

    answer = exchange(answering(response(bomb, "Content-Encoding: gzip")), SendOptions(answer_limit=100_000))

    assert (answer.status, len(answer.body), answer.truncated) == (200, 100_000, True)


@pytest.mark.parametrize("name", ["br", "gzip", "deflate"])
def test_an_encoding_that_cannot_be_read_leaves_the_status(name: str) -> None:
    garbage = response(b"garbage", f"Content-Encoding: {name}", status="401 Unauthorized")

    answer = exchange(answering(garbage))

    assert (answer.status, answer.body, answer.truncated) == (401, b"", True)


def test_cookies_are_not_kept() -> None:
    heard: list[bytes] = []

    async def converse(line: Line) -> None:
        for _ in range(2):
            heard.append(await line.request())
            await line.say(response(b"{}", "Set-Cookie: session=1"))

    async def story() -> None:
        async with receiving(converse) as receiver, sending() as sender:
            await sender.send(receiver.post())
            await sender.send(receiver.post())

    asyncio.run(story())

    assert len(heard) == 2
    assert b"cookie" not in heard[1].lower()


def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert exchange(answering(OK)).status == 200


@pytest.mark.parametrize(
    "request_",
    [
        Request(method="POST", url="/hook", headers=(("X-A", "1\r\nX-Evil: hunter2"),)),
        Request(method="POST", url="/hook", headers=(("X-A\r\nX-Evil", "hunter2"),)),
        Request(method="POST /x HTTP/1.1\r\nX-Evil: hunter2\r\n", url="/hook"),
    ],
)
def test_a_request_that_would_smuggle_headers_never_leaves(request_: Request) -> None:
    async def story() -> int:
        async with receiving(answering(OK)) as receiver, sending() as sender:
            smuggled = Request(
                method=request_.method, url=receiver.url(), headers=request_.headers, body=b"{}"
            )
            with pytest.raises(Blocked) as blocked:
                await sender.send(smuggled)
            assert "hunter2" not in blocked.value.message
            return receiver.connections

    asyncio.run(story())


def test_a_sender_can_be_closed_unused_and_twice() -> None:
    async def story() -> None:
        async with sending() as sender:
            await sender.close()

    asyncio.run(story())
