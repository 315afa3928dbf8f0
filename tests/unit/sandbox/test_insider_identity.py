import pytest

from gatepost.model.jsonvalue import JsonObject
from gatepost.sandbox.insider.accounts import Account, IdentifierRule
from gatepost.sandbox.insider.profiles import Profiles
from gatepost.sandbox.insider.upsert import apply_upsert, read_upsert
from gatepost.sandbox.insider.verdict import Verdict
from gatepost.sandbox.insider.vocabulary import is_email

ACCOUNT = Account(partner="sandbox", tokens=["token"])


def upsert(profiles: Profiles, identifiers: JsonObject, account: Account = ACCOUNT, **user: str) -> Verdict:
    verdict = Verdict(strict=False)
    body: JsonObject = {"identifiers": identifiers, "attributes": {"city": "Rome"}, **user}
    wish = read_upsert(body, account, 0, append=True, verdict=verdict)
    if not verdict.refused:
        apply_upsert(wish, account, profiles, 0, verdict)
    return verdict


def held(profiles: Profiles) -> list[JsonObject]:
    return [dict(profile.identifiers) for profile in profiles]


def test_a_new_identifier_joins_the_profile_that_a_known_one_leads_to() -> None:
    profiles = Profiles()
    upsert(profiles, {"email": "ada@example.com"})

    upsert(profiles, {"email": "ada@example.com", "custom": {"lytics_id": "77"}})

    assert held(profiles) == [{"email": ["ada@example.com"], "lytics_id": ["77"]}]


def test_the_strongest_identifier_decides_between_two_profiles_and_nobody_is_merged_away() -> None:
    profiles = Profiles()
    upsert(profiles, {"uuid": "u1"})
    upsert(profiles, {"email": "ada@example.com", "phone_number": "+393331234567"})

    verdict = upsert(profiles, {"email": "ada@example.com", "uuid": "u1"})

    assert verdict.warnings == []
    assert held(profiles) == [
        {"uuid": ["u1"], "email": ["ada@example.com"]},
        {"phone_number": ["+393331234567"]},
    ]


def test_the_only_identifier_of_another_profile_stays_there() -> None:
    profiles = Profiles()
    upsert(profiles, {"uuid": "u1"})
    upsert(profiles, {"email": "ada@example.com"})

    verdict = upsert(profiles, {"email": "ada@example.com", "uuid": "u1"})

    assert [key for key, _ in verdict.warnings] == ["identifiers.*.taken"]
    assert held(profiles) == [{"uuid": ["u1"]}, {"email": ["ada@example.com"]}]


@pytest.mark.parametrize(
    ("limit", "emails"), [(1, ["a@example.com"]), (2, ["a@example.com", "b@example.com"])]
)
def test_a_profile_takes_as_many_values_of_an_identifier_as_the_account_allows(
    limit: int, emails: list[str]
) -> None:
    rules = {"uuid": IdentifierRule(), "email": IdentifierRule(limit=limit)}
    account = Account(partner="sandbox", tokens=["token"], identifiers=rules)
    profiles = Profiles()
    upsert(profiles, {"uuid": "u1", "email": "a@example.com"}, account)

    upsert(profiles, {"uuid": "u1", "email": "b@example.com"}, account)

    assert held(profiles) == [{"uuid": ["u1"], "email": emails}]


def test_the_id_of_insider_wins_over_identifiers_when_it_is_known() -> None:
    profiles = Profiles()
    upsert(profiles, {"uuid": "u1"})

    upsert(profiles, {"email": "ada@example.com"}, insider_id="1")
    upsert(profiles, {"email": "bob@example.com"}, insider_id="99")

    assert held(profiles) == [{"uuid": ["u1"], "email": ["ada@example.com"]}, {"email": ["bob@example.com"]}]


def test_an_unknown_id_alone_names_nobody() -> None:
    verdict = upsert(Profiles(), {}, insider_id="99")

    assert verdict.refusals == [("insider_id.exists", "no such user: 99")]


@pytest.mark.parametrize("text", ["a@b.c", "@@x.y", "a@b.c.d"])
def test_an_address_with_a_host_and_a_dot_is_an_email(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize("text", ["", "sample", "@b.c", "a@.c", "a@b.", "a@bc", "a@b.c\n", "@" * 5_000_000])
def test_anything_else_is_no_email_even_at_megabytes(text: str) -> None:
    assert not is_email(text)
