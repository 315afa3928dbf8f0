import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.core.addresses import (
    AllowList,
    check_url,
    erasing_reason,
    forbidden_reason,
    origin_of,
    parse_allow_list,
    refusal,
)
from gatepost.model.errors import UnsafeUrl

CASES = Path(__file__).parents[2] / "cases" / "outbound"
ADDRESSES = json.loads((CASES / "addresses.json").read_text())
URLS = json.loads((CASES / "urls.json").read_text())
ERASING = json.loads((CASES / "erasing.json").read_text())

NOBODY = AllowList()


@pytest.mark.parametrize(
    ("word", "address"),
    [(word, address) for word, addresses in ADDRESSES["forbidden"].items() for address in addresses],
)
def test_an_address_off_the_public_internet_is_named_for_what_it_is(word: str, address: str) -> None:
    reason = forbidden_reason(address)

    assert reason is not None
    assert word in reason


@pytest.mark.parametrize("address", ADDRESSES["public"])
def test_a_public_address_may_be_called(address: str) -> None:
    assert forbidden_reason(address) is None


@pytest.mark.parametrize(("typed", "sent"), URLS["accepted"])
def test_a_plain_url_is_accepted_and_spelled_in_one_way(typed: str, sent: str) -> None:
    safe = check_url(typed, NOBODY)

    assert safe.url == sent
    assert check_url(sent, NOBODY) == safe


@pytest.mark.parametrize(("url", "hint"), URLS["refused"])
def test_a_dangerous_url_is_refused_with_what_would_be_right(url: str, hint: str) -> None:
    with pytest.raises(UnsafeUrl) as refused:
        check_url(url, NOBODY)

    assert hint in refused.value.message


@pytest.mark.parametrize("url", ERASING["erasing"])
def test_an_endpoint_that_erases_people_is_recognised_on_any_host_in_any_disguise(url: str) -> None:
    reason = erasing_reason(url)

    assert reason is not None
    assert "/api/user/v1/attribute/delete" in reason


@pytest.mark.parametrize("url", ERASING["harmless"])
def test_an_endpoint_that_erases_nobody_is_left_alone(url: str) -> None:
    assert erasing_reason(url) is None


@pytest.mark.parametrize("url", [url for url in ERASING["erasing"] if url.startswith("https://")])
def test_the_guard_refuses_to_erase_even_on_an_allow_listed_host(url: str) -> None:
    allow = parse_allow_list(["gateway.example.com", "unification.useinsider.com", "crm.api.useinsider.com"])

    with pytest.raises(UnsafeUrl):
        check_url(url, allow)


def test_the_exit_url_of_the_guide_is_refused_with_the_right_one() -> None:
    with pytest.raises(UnsafeUrl, match=r"send to /api/user/v1/attribute/delete on the same host"):
        check_url("https://unification.useinsider.com/api/user/v1/delete", NOBODY)


def test_a_path_encoded_without_end_is_refused() -> None:
    path = "delete"
    for _ in range(20):
        path = path.replace("%", "%25").replace("d", "%64", 1)

    with pytest.raises(UnsafeUrl, match="over and over"):
        check_url(f"https://api.example.com/api/user/v1/{path}", NOBODY)


@given(
    text=st.text(max_size=60)
    | st.from_regex(r"https?://[^/]{0,20}(/[%./;\\a-z0-9]{0,9}){0,6}", fullmatch=True)
)
def test_no_text_makes_the_guard_stumble_and_what_it_accepts_stays_accepted(text: str) -> None:
    erasing_reason(text)
    try:
        safe = check_url(text, NOBODY)
    except UnsafeUrl:
        return

    assert safe.url.isascii()
    assert erasing_reason(safe.url) is None
    assert check_url(safe.url, NOBODY) == safe


def test_a_url_longer_than_receivers_take_is_refused() -> None:
    with pytest.raises(UnsafeUrl, match="send data in the body"):
        check_url("https://api.example.com/?q=" + "x" * 8_000, NOBODY)


def test_a_refusal_never_repeats_what_may_be_a_password() -> None:
    for url in ("https://ada:s3cret@h.example/?token=s3cret", "http://h.example/?token=s3cret", "s3cret"):
        with pytest.raises(UnsafeUrl) as refused:
            check_url(url, NOBODY)

        assert "s3cret" not in refused.value.message


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("crm.local", "http://crm.local/hook"),
        ("CRM.Local", "https://crm.local:9999/hook"),
        ("crm.local:8080", "http://crm.local:8080/hook"),
        ("localhost:8080", "http://localhost:8080/hook"),
        ("127.0.0.1", "http://127.0.0.1:8080/hook"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/hook"),
        ("10.0.0.0/8", "http://10.20.30.40/hook"),
        ("::1", "http://[::1]:8080/hook"),
        ("[::1]", "http://[::1]:8080/hook"),
        ("[::1]:8080", "http://[::1]:8080/hook"),
        ("fd00::/8", "https://[fd12::1]/hook"),
        ("169.254.169.254", "http://169.254.169.254/"),
    ],
)
def test_an_allow_listed_receiver_may_be_private_and_plain_http(entry: str, url: str) -> None:
    assert check_url(url, parse_allow_list([entry])).url == url


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("crm.local:8080", "http://crm.local:8081/hook"),
        ("crm.local", "http://x.crm.local/hook"),
        ("127.0.0.1:8080", "http://127.0.0.1:8081/hook"),
        ("10.0.0.0/8", "http://11.0.0.1/hook"),
        ("10.0.0.0/8", "http://crm.local/hook"),
        ("169.254.169.254:80", "http://169.254.169.254/"),
    ],
)
def test_an_exception_covers_only_what_it_names(entry: str, url: str) -> None:
    with pytest.raises(UnsafeUrl):
        check_url(url, parse_allow_list([entry]))


@pytest.mark.parametrize(
    "entry", ["http://crm.local", "*", "10.0.0.1/8", "crm.local:0", "crm local", "127.1"]
)
def test_an_entry_that_fits_nothing_is_refused(entry: str) -> None:
    with pytest.raises(UnsafeUrl, match="host:port or network"):
        parse_allow_list([entry])


def test_blank_entries_are_nothing() -> None:
    assert parse_allow_list(["", "  "]) == AllowList()


def test_a_name_that_leads_to_public_and_private_addresses_is_refused() -> None:
    reason = refusal("api.example.com", 443, ["8.8.8.8", "10.0.0.7"], NOBODY)

    assert reason is not None
    assert "api.example.com leads to 10.0.0.7, which is a private address" in reason


def test_an_allow_listed_name_may_lead_to_a_private_network_but_never_to_metadata() -> None:
    allow = parse_allow_list(["crm.local"])

    assert refusal("crm.local", 80, ["10.0.0.7", "127.0.0.1"], allow) is None
    assert refusal("crm.local", 80, ["10.0.0.7", "169.254.169.254"], allow) is not None


def test_a_name_may_lead_into_an_allowed_network() -> None:
    allow = parse_allow_list(["10.0.0.0/8"])

    assert refusal("crm.example.com", 443, ["10.0.0.7", "8.8.8.8"], allow) is None
    assert refusal("crm.example.com", 443, ["10.0.0.7", "192.168.0.1"], allow) is not None


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Unification.useinsider.com/api/user/v1/upsert", "https://unification.useinsider.com:443"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080"),
        ("https://[::1]/x", "https://[::1]:443"),
    ],
)
def test_a_destination_is_named_by_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin
