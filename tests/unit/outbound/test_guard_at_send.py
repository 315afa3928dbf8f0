"""The address guard at the moment of sending: names, literals, rebinding, secrets, TLS."""

import asyncio
import socket
import ssl
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gatepost.core.addresses import AllowList, parse_allow_list
from gatepost.model.errors import Blocked, GatepostError, Unreachable
from gatepost.model.request import Request
from gatepost.outbound.resolver import GuardedResolver, SystemLookup
from gatepost.outbound.sender import SendOptions
from tests.unit.outbound.receivers import (
    OK,
    Conversation,
    Line,
    Names,
    answering,
    receiving,
    sending,
    silence,
)

LOCAL = "127.0.0.0/8"
SECRET = "hunter2"


def resolved(names: Names, host: str = "api.example.com", *allow: str) -> list[str]:
    """Resolve a name behind the guard."""

    async def story() -> list[str]:
        found = await GuardedResolver(parse_allow_list(allow), names, 5).resolve(host, 443, socket.AF_UNSPEC)
        return [one["host"] for one in found]

    return asyncio.run(story())


def test_a_public_name_is_let_through_with_all_its_addresses() -> None:
    names = Names({"api.example.com": ["8.8.8.8", "2606:4700::1111"]})

    assert resolved(names) == ["8.8.8.8", "2606:4700::1111"]


@pytest.mark.parametrize("hidden", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
def test_one_private_address_among_public_ones_blocks_the_name(hidden: str) -> None:
    with pytest.raises(Blocked, match=r"api\.example\.com leads to"):
        resolved(Names({"api.example.com": ["8.8.8.8", hidden, "1.1.1.1"]}))


def test_a_name_without_addresses_is_unreachable_not_allowed() -> None:
    with pytest.raises(Unreachable, match="has no address") as failed:
        resolved(Names({"api.example.com": []}))

    assert failed.value.error_class == "dns"


def test_a_name_that_does_not_exist_says_so() -> None:
    with pytest.raises(Unreachable, match="Name or service not known") as failed:
        resolved(Names({}))

    assert failed.value.error_class == "dns"


def test_a_name_public_at_first_and_private_later_is_blocked_later() -> None:
    names = Names({"api.example.com": ["8.8.8.8"]})
    assert resolved(names) == ["8.8.8.8"]

    names.table["api.example.com"] = ["127.0.0.1"]

    with pytest.raises(Blocked):
        resolved(names)


class Rebinding(Names):
    """Answers once with an allowed address and ever after with a forbidden one."""

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        await super().__call__(host, _port)
        return ["127.0.0.1"] if len(self.asked) == 1 else ["169.254.169.254"]


def test_the_connection_goes_where_the_vetted_answer_pointed_and_the_name_is_asked_once() -> None:
    names = Rebinding({"rebind.example.com": []})

    async def story() -> list[int]:
        async with (
            receiving(answering(OK)) as receiver,
            sending("rebind.example.com", names=names) as sender,
        ):
            request = receiver.post(host="rebind.example.com")
            return [(await sender.send(request)).status for _ in range(3)]

    assert asyncio.run(story()) == [200, 200, 200]
    assert names.asked == ["rebind.example.com"]


def test_a_name_that_turns_private_after_it_was_saved_is_blocked_and_nothing_arrives() -> None:
    names = Names({"api.example.com": ["127.0.0.1"]})

    async def story() -> int:
        async with receiving(answering(OK)) as receiver, sending("crm.local", names=names) as sender:
            with pytest.raises(Blocked, match="loopback"):
                await sender.send(receiver.post(host="api.example.com", scheme="https"))
            return receiver.connections

    assert asyncio.run(story()) == 0


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{port}/hook",
        "https://[::1]:{port}/hook",
        "https://[::ffff:127.0.0.1]:{port}/hook",
        "https://2130706433:{port}/hook",
        "https://0x7f.1:{port}/hook",
        "https://0177.0.0.1:{port}/hook",
        "https://localhost:{port}/hook",
        "http://api.example.com:{port}/hook",
        "https://api.example.com:{port}/api/user/v1/delete",
        "https://api.example.com:{port}/api/user/v1/%2564elete",
    ],
)
def test_a_forbidden_url_is_blocked_without_asking_for_its_name(url: str) -> None:
    names = Names({"api.example.com": ["127.0.0.1"]})

    async def story() -> int:
        async with receiving(answering(OK)) as receiver, sending("crm.local", names=names) as sender:
            with pytest.raises(Blocked):
                await sender.send(Request(method="POST", url=url.format(port=receiver.port)))
            return receiver.connections

    assert asyncio.run(story()) == 0
    assert names.asked == []


def test_an_allow_listed_private_name_is_called_over_plain_http() -> None:
    names = Names({"crm.local": ["127.0.0.1"]})

    async def story() -> int:
        async with receiving(answering(OK)) as receiver, sending("crm.local", names=names) as sender:
            return (await sender.send(receiver.post(host="crm.local"))).status

    assert asyncio.run(story()) == 200


def test_a_dead_name_server_fails_within_its_budget_and_its_host_stays_nameable() -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return [host, str(port)]

    async def story() -> None:
        await GuardedResolver(AllowList(), never, 0.05).resolve("api.example.com", 443)

    with pytest.raises(Unreachable, match=r"api\.example\.com was not resolved within 0\.05 s") as failed:
        asyncio.run(story())

    assert failed.value.error_class == "timeout_dns"


class Busy(Names):
    """Lets everybody else run before it answers."""

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        for _ in range(10):
            await asyncio.sleep(0)
        return await super().__call__(host, _port)


def test_many_senders_waiting_for_one_name_ask_for_it_once_and_all_learn_the_same() -> None:
    names = Busy({"api.example.com": ["10.0.0.1"]})

    async def story() -> list[BaseException | object]:
        async with sending("crm.local", names=names) as sender:
            request = Request(method="POST", url="https://api.example.com/hook")
            return list(
                await asyncio.gather(*(sender.send(request) for _ in range(20)), return_exceptions=True)
            )

    results = asyncio.run(story())

    assert {type(result) for result in results} == {Blocked}
    assert names.asked == ["api.example.com"]


def test_the_system_knows_its_own_name() -> None:
    async def story() -> list[str]:
        lookup = SystemLookup()
        try:
            return await lookup("localhost", 80)
        finally:
            lookup.close()

    found = asyncio.run(story())

    assert found
    assert set(found) <= {"127.0.0.1", "::1"}


async def reset(line: Line) -> None:
    await line.request()
    line.reset()


@pytest.mark.parametrize(
    "conversation", [silence, reset, answering(b"nonsense\r\n\r\n"), answering(b"HTTP/1.1 200\r\nA\r\n\r\n")]
)
def test_no_failure_ever_quotes_the_query_or_a_header(conversation: Conversation) -> None:
    async def story() -> str:
        options = SendOptions(deadline_s=0.2)
        async with receiving(conversation) as receiver, sending(options=options) as sender:
            url = receiver.url(f"/hook?token={SECRET}")
            try:
                await sender.send(Request(method="POST", url=url, headers=(("X-REQUEST-TOKEN", SECRET),)))
            except GatepostError:
                return traceback.format_exc()
        return ""

    printed = asyncio.run(story())

    assert "Unreachable" in printed
    assert SECRET not in printed


def certificate(folder: Path, *, name: str, days: int) -> Path:
    """Make a self-signed certificate for a name, valid until that many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "receiver.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


def https_status(pem: Path, *, trusted: bool) -> int:
    """Send to https://api.example.com, held by a receiver with this certificate."""
    offered = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    offered.load_cert_chain(pem)
    client = ssl.create_default_context(cafile=str(pem) if trusted else None)
    names = Names({"api.example.com": ["127.0.0.1"]})

    async def story() -> int:
        async with (
            receiving(answering(OK), offered) as receiver,
            sending(LOCAL, names=names, tls=client) as sender,
        ):
            return (await sender.send(receiver.post(host="api.example.com", scheme="https"))).status

    return asyncio.run(story())


def test_a_good_certificate_is_accepted_on_a_pinned_address(tmp_path: Path) -> None:
    pem = certificate(tmp_path, name="api.example.com", days=30)

    assert https_status(pem, trusted=True) == 200


@pytest.mark.parametrize(
    ("name", "days", "trusted", "hint"),
    [
        ("api.example.com", -1, True, "expired"),
        ("other.example.com", 30, True, "mismatch"),
        ("api.example.com", 30, False, "self-signed"),
    ],
)
def test_a_bad_certificate_is_a_failure_of_tls_that_says_why(
    tmp_path: Path, name: str, days: int, trusted: bool, hint: str
) -> None:
    pem = certificate(tmp_path, name=name, days=days)

    with pytest.raises(Unreachable) as failed:
        https_status(pem, trusted=trusted)

    assert failed.value.error_class == "tls"
    assert hint in failed.value.message


def test_a_receiver_that_accepts_and_stalls_before_tls_is_left_at_the_connect_timeout() -> None:
    names = Names({"api.example.com": ["127.0.0.1"]})

    async def story() -> None:
        options = SendOptions(connect_s=0.2)
        async with receiving(silence) as receiver, sending(LOCAL, names=names, options=options) as sender:
            await sender.send(receiver.post(host="api.example.com", scheme="https"))

    with pytest.raises(Unreachable) as failed:
        asyncio.run(story())

    assert failed.value.error_class == "timeout_connect"


def test_a_receiver_that_speaks_no_tls_is_a_failure_of_tls() -> None:
    names = Names({"api.example.com": ["127.0.0.1"]})

    async def plain(line: Line) -> None:
        await line.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def story() -> None:
        async with receiving(plain) as receiver, sending(LOCAL, names=names) as sender:
            await sender.send(receiver.post(host="api.example.com", scheme="https"))

    with pytest.raises(Unreachable) as failed:
        asyncio.run(story())

    assert failed.value.error_class == "tls"
