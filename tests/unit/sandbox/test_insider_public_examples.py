import json
from pathlib import Path
from typing import Any

import pytest

from gatepost.model.times import DAY
from gatepost.sandbox.insider.accounts import Account
from gatepost.sandbox.insider.removal import read_removal
from gatepost.sandbox.insider.upsert import read_upsert
from gatepost.sandbox.insider.values import rfc3339
from gatepost.sandbox.insider.verdict import Verdict

pytestmark = pytest.mark.shared

EXAMPLES = Path(__file__).parents[4] / "shared" / "reference" / "insider_payloads_examples.json"
ACCOUNT = Account(partner="sandbox", tokens=["token"])
THEN = (rfc3339("2021-02-01T00:00:00Z") or 0) + DAY


def examples(path: str) -> list[Any]:
    listed = json.loads(EXAMPLES.read_text()) if EXAMPLES.exists() else []
    return [pytest.param(each, id=each["name"]) for each in listed if each["endpoint"].endswith(path)]


def refused(example: dict[str, Any]) -> list[bool]:
    verdicts = []
    for user in example["body"]["users"]:
        verdict = Verdict(strict=False)
        if example["endpoint"].endswith("upsert"):
            read_upsert(user, ACCOUNT, THEN, append=True, verdict=verdict)
        else:
            read_removal(user, ACCOUNT, verdict)
        verdicts.append(verdict.refused)
    return verdicts


@pytest.mark.parametrize("example", [*examples("/v1/upsert"), *examples("/attribute/delete")])
def test_bodies_that_public_clients_send_are_judged_as_documented(example: dict[str, Any]) -> None:
    expected = example["verdict"] == "reject"

    assert refused(example) == [expected] * len(example["body"]["users"])
