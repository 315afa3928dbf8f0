"""What a row of the sandbox's page says of a request."""

import json
from typing import Any

import pytest

from gatepost.sandbox.insider.digest import Digest, digest_of

ADA = {"identifiers": {"email": "ada@example.com", "uuid": "7"}}
UPSERT = {
    "users": [{**ADA, "attributes": {"name": "Ada", "custom": {"lytics_computed_attr": ["loyal", "new"]}}}]
}
REMOVAL = {"users": [{**ADA, "custom": {"partial": {"lytics_computed_attr": ["loyal"]}, "whole": ["spent"]}}]}


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        (UPSERT, Digest("ada@example.com", 0, (("name", "Ada"), ("lytics_computed_attr", "loyal, new")))),
        (REMOVAL, Digest("ada@example.com", 0, (("lytics_computed_attr", "loyal"), ("spent", "")))),
        ({"users": [ADA, {}, {}]}, Digest("ada@example.com", 2)),
        (ADA, Digest("ada@example.com")),
        ({"users": [{"identifiers": {"custom": {"card": 12}}}]}, Digest("12")),
        ({"users": [{"identifiers": ["ada"], "attributes": "all", "custom": 3}]}, Digest()),
        ({"users": {}}, Digest()),
        ([1], Digest()),
    ],
)
def test_a_body_says_whom_it_is_about_and_what_it_brings(body: Any, digest: Digest) -> None:
    assert digest_of(json.dumps(body).encode()) == digest


def test_a_body_that_is_cut_still_says_whom_it_begins_with() -> None:
    assert digest_of(json.dumps(UPSERT).encode()[:60]) == Digest("ada@example.com")
    assert digest_of(b"\xff not JSON") == Digest()
