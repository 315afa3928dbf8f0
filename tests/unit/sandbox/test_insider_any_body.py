from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.sandbox.insider.answers import RefusalError
from gatepost.sandbox.insider.inspection import profile_document, totals
from gatepost.sandbox.insider.operations import Call, calls
from gatepost.sandbox.insider.options import SandboxOptions
from gatepost.sandbox.insider.sandbox import Sandbox, open_sandbox

NAMES = st.sampled_from(
    [
        "users",
        "identifiers",
        "insider_id",
        "email",
        "em",
        "uuid",
        "phone_number",
        "custom",
        "attributes",
        "events",
        "event_name",
        "timestamp",
        "event_params",
        "purchase",
        "currency",
        "whole",
        "partial",
        "append",
        "not_append",
        "age",
        "birthday",
        "static_segment_id",
        "city",
        "wanted",
        "lytics_computed_attr",
        "params",
        "start_date",
        "end_date",
        "limit_per_source",
        "quota",
    ]
)
WORDS = st.sampled_from(
    ["", "*", "1", "ada@example.com", "+393331234567", "purchase", "visit", "2026-11-05T10:15:30Z"]
)
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | WORDS
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    SCALARS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
BODIES: st.SearchStrategy[JsonObject] = st.one_of(
    st.dictionaries(NAMES, VALUES, max_size=5),
    st.fixed_dictionaries(
        {"users": st.lists(st.dictionaries(NAMES, VALUES, max_size=5), min_size=1, max_size=3)}
    ),
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    opened = open_sandbox(SandboxOptions(data=tmp_path_factory.mktemp("sandbox")))
    yield opened
    opened.store.close()


@given(body=BODIES, call=st.sampled_from(list(calls())))
def test_any_body_is_answered_and_leaves_consistent_profiles(
    sandbox: Sandbox, body: JsonObject, call: Call
) -> None:
    parsed = orjson.loads(orjson.dumps(body))
    account = sandbox.accounts.by_partner["sandbox"]

    try:
        status = call.perform(sandbox, account, parsed).answer.status
    except RefusalError as refusal:
        status = refusal.answer.status

    assert status in (200, 400, 404)
    listed = [orjson.loads(orjson.dumps(profile_document(profile))) for profile in sandbox.profiles]
    assert all(document["identifiers"] for document in listed)
    in_audiences = sum(len(document["audiences"]) for document in listed)
    sizes = orjson.loads(orjson.dumps(totals(sandbox)))["audiences"]
    assert sum(sizes.values()) == in_audiences
