"""A document that cannot be applied: everything wrong is said at once, each with its place."""

import pytest

from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.operations import audiences
from gatepost.operations.audiences import AudienceDraft
from gatepost.operations.configuration import ConfigurationInvalid, Problem, read_declaration
from tests.unit.operations.desk import SCHEMA, SHOP, Desk

SECRET = "hunter2-hunter2"


def problems(desk: Desk, *parts: JsonObject, **how: bool) -> list[Problem]:
    with pytest.raises(ConfigurationInvalid) as refused:
        desk.configure(*parts, **how)
    return refused.value.problems


def schema_with(**members: JsonValue) -> JsonObject:
    schema = SCHEMA["schema"]
    assert isinstance(schema, dict)
    return {**SCHEMA, "schema": {**schema, **members}}


def fields_with(field: JsonObject, name: str = "odd") -> JsonObject:
    schema = SCHEMA["schema"]
    assert isinstance(schema, dict)
    fields = schema["fields"]
    assert isinstance(fields, dict)
    return schema_with(fields={**fields, name: field})


def test_all_problems_are_said_at_once_and_nothing_is_changed(desk: Desk) -> None:
    found = problems(
        desk,
        SCHEMA,
        {
            "audiences": {"typo": {"filter": "spent > 5"}, "unclosed": {"filter": "AND (spend > 5"}},
            "templates": {"broken": {"source": "{\n  a: ]\n}"}},
            "authorizations": {"bad": {"headers": {"Host": "x"}}},
            "jobs": {
                "tell": {"audiences": ["typo", "nobody"], "template": "brokn", "url": "https://x.example/"}
            },
        },
    )

    places = {(problem.path, problem.line, problem.column) for problem in found}
    assert places == {
        ("audiences.typo.filter", 1, 1),
        ("audiences.unclosed.filter", 1, 5),
        ("templates.broken.source", 2, 6),
        ("authorizations.bad.headers", 0, 0),
        ("jobs.tell.audiences.1", 0, 0),
        ("jobs.tell.template", 0, 0),
    }
    assert desk.read(lambda tx: tx.catalog.version()) == 2


def test_a_job_names_the_audience_that_is_missing_in_the_singular(desk: Desk) -> None:
    job: JsonObject = {"audiences": ["nobody"], "url": "https://x.example/"}

    (problem,) = problems(desk, SCHEMA, {"jobs": {"tell": job}})

    assert problem.message == "there is no audience nobody"


def test_the_nearest_name_is_offered(desk: Desk) -> None:
    found = problems(
        desk,
        SCHEMA,
        {
            "audiences": {"rich": {"filter": "spent > 5"}},
            "jobs": {"tell": {"audiences": ["rihc"], "url": "https://x.example/"}},
        },
    )

    assert ["did you mean spend" in found[0].message, "did you mean rich" in found[1].message] == [True, True]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({"type": "text"}, "not a valid Data Type"),
        (
            {"type": "string", "merge": "sum"},
            "Merge operation 'sum' is invalid for data type 'string'. "
            "Valid merge operations are: [latest oldest]",
        ),
        (
            {"type": "string", "identifier": True, "merge": "latest"},
            "Identifier Field cannot define a Merge Operation.",
        ),
        ({"type": "int", "identifier": True}, "string or []string"),
    ],
)
def test_a_field_that_cannot_be_is_refused_in_the_known_words(
    desk: Desk, field: JsonObject, words: str
) -> None:
    (problem,) = problems(desk, fields_with(field))

    assert problem.path == "schema.fields.odd"
    assert words in problem.message


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({"type": "int", "capacity": 5}, "a capacity is for sets and maps"),
        ({"type": "[]string", "capacity": -1}, "capacity is 1 to"),
        ({"type": "[]string", "merge": "capped"}, "capped wants a capacity"),
        ({"type": "string", "keep_days": 4_000}, "keep_days is 1 to"),
        ({"type": "[]string", "identifier": True, "keep_days": 5}, "an identifier does not fade"),
        ({"type": "[]timebucket", "keep_days": 5}, "goes back 62 days"),
        ({"type": "bool", "merge": "max"}, "Valid merge operations are: [latest oldest]"),
        ({"type": "map[string]string", "merge": "sum"}, "is invalid for data type 'map[string]string'"),
        ({"type": "int", "assertions": {"email": True}}, "asserted of texts"),
        ({"type": "string", "assertions": {"format": "hexa"}}, "the formats are any, alpha"),
        ({"type": "string", "assertions": {"length": {"min": 5, "max": 2}}}, "write min and max"),
    ],
)
def test_a_field_that_could_not_hold_what_it_should_is_refused(
    desk: Desk, field: JsonObject, words: str
) -> None:
    (problem,) = problems(desk, fields_with(field))

    assert problem.path == "schema.fields.odd"
    assert words in problem.message


def test_an_assertion_that_does_not_parse_is_refused_where_it_is_wrong(desk: Desk) -> None:
    (problem,) = problems(desk, fields_with({"type": "int", "assertions": {"filter": "value >"}}))

    assert (problem.path, problem.line) == ("schema.fields.odd.assertions.filter", 1)


@pytest.mark.parametrize(
    ("member", "value", "path"),
    [
        ("blocked", ["guest", " "], "schema.blocked.1"),
        ("identifiers_limit", 0, "schema.identifiers_limit"),
    ],
)
def test_what_a_schema_says_of_identifiers_must_be_possible(
    desk: Desk, member: str, value: JsonValue, path: str
) -> None:
    (problem,) = problems(desk, schema_with(**{member: value}))

    assert problem.path == path


def test_a_field_that_is_wrong_is_not_called_missing_by_those_that_use_it(desk: Desk) -> None:
    document = fields_with({"type": "nmber"}, name="spend")

    found = problems(
        desk, document, {"audiences": {"rich": {"filter": 'AND (spend > 5, sum("spend", "7d") > 1)'}}}
    )

    assert [problem.path for problem in found] == ["schema.fields.spend"]


@pytest.mark.parametrize("name", ["_segments", "has space", "", "1st"])
def test_a_field_needs_a_name_of_its_own(desk: Desk, name: str) -> None:
    (problem,) = problems(desk, fields_with({"type": "int"}, name))

    assert problem.path == f"schema.fields.{name}"


@pytest.mark.parametrize(
    ("mapping", "place"),
    [
        ({"stream": "baskets", "field": "spned", "expression": "total"}, "field"),
        ({"stream": "basket", "field": "spend", "expression": "total"}, "stream"),
        ({"stream": "baskets", "field": "spend", "expression": "tonumbr(total)"}, "expression"),
        ({"stream": "baskets", "field": "spend", "expression": "total", "if": "total >"}, "if"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_where_it_is_wrong(
    desk: Desk, mapping: JsonObject, place: str
) -> None:
    (problem,) = problems(desk, schema_with(mappings=[mapping]))

    assert problem.path == f"schema.mappings.0.{place}"


def test_only_identifiers_have_a_rank(desk: Desk) -> None:
    (problem,) = problems(desk, schema_with(ranks=["card", "town"]))

    assert problem.path == "schema.ranks.1"


@pytest.mark.parametrize(
    ("job", "place"),
    [
        ({"url": "https://unification.useinsider.com/api/user/v1/delete"}, "url"),
        ({"url": "http://example.com/"}, "url"),
        ({}, "url"),
        ({"url": "https://x.example/", "audiences": []}, "audiences"),
        ({"url": "https://x.example/", "events": "leave"}, "events"),
        ({"url": "https://x.example/", "method": "SEND"}, "method"),
        ({"url": "https://x.example/", "workers": 1000}, "workers"),
        ({"url": "https://x.example/", "do_not_retry": [1]}, "do_not_retry"),
        ({"url": "https://x.example/", "stream": "a/b"}, "stream"),
        ({"url": "https://x.example/", "authorization": "none"}, "authorization"),
        ({"url_template": "none"}, "url_template"),
    ],
)
def test_a_job_that_cannot_work_is_refused_where_it_is_wrong(desk: Desk, job: JsonObject, place: str) -> None:
    document: JsonObject = {
        "audiences": {"rich": {"filter": "spend > 5"}},
        "jobs": {"tell": {"audiences": ["rich"], **job}},
    }

    (problem,) = problems(desk, SCHEMA, document)

    assert problem.path == f"jobs.tell.{place}"


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"audience": {}}, ""),
        ({"audiences": {"rich": {"filtre": "x"}}}, "audiences.rich"),
        ({"audiences": {"rich": {"filter": 5}}}, "audiences.rich.filter"),
        ({"jobs": {"tell": {"audiences": "rich"}}}, "jobs.tell.audiences"),
        ({"schema": {"fields": {"age": {"type": 5}}}}, "schema.fields.age.type"),
        ({"schema": {"mappings": [{"stream": "x"}]}}, "schema.mappings.0"),
        ({"authorizations": {"a": {"headers": {"X-Token": 12345}}}}, "authorizations.a.headers.X-Token"),
        ([], ""),
    ],
)
def test_a_document_of_another_shape_is_refused_at_the_place(document: JsonValue, path: str) -> None:
    with pytest.raises(ConfigurationInvalid) as refused:
        read_declaration(document)

    assert [problem.path for problem in refused.value.problems] == [path]


def test_misspelt_parts_are_all_named(desk: Desk) -> None:
    found = problems(
        desk,
        {"audiences": {"a": {"filtre": "x"}, "b": {"filter": "spend > 1", "nmae": "B"}}, "jobs": {"c": {}}},
    )

    assert [problem.path for problem in found] == ["audiences.a", "audiences.b", "jobs.c"]


def test_no_problem_repeats_a_secret(desk: Desk) -> None:
    found = problems(
        desk, {"authorizations": {"bad": {"headers": {"X Token": SECRET}, "parameters": {"": SECRET}}}}
    )

    assert found
    assert SECRET not in repr(found)


def test_a_schema_change_may_not_break_audiences_made_by_hand(shop: Desk) -> None:
    draft = AudienceDraft("Local", 'town = "Bruges"')
    shop.run(audiences.create_audience(shop.context, SHOP, draft))
    schema = SCHEMA["schema"]
    assert isinstance(schema, dict)
    fields = schema["fields"]
    mappings = schema["mappings"]
    assert isinstance(fields, dict)
    assert isinstance(mappings, list)
    narrower = schema_with(
        fields={name: field for name, field in fields.items() if name != "town"}, mappings=mappings[:2]
    )

    (problem,) = problems(shop, narrower, prune=True, confirm=True)

    assert "audience local" in problem.path


@pytest.mark.parametrize("section", ["templates", "authorizations"])
def test_what_a_job_that_stays_goes_on_using_cannot_be_pruned_not_even_in_a_dry_run(
    shop: Desk, section: str
) -> None:
    document: JsonObject = {
        **SCHEMA,
        "audiences": {"rich": {"filter": "spend > 100"}},
        "templates": {"shared": {"source": "{}"}},
        "authorizations": {"shared": {"headers": {"X-TOKEN": "a-token-of-the-shop"}}},
        "jobs": {
            "tell": {
                "audiences": ["rich"],
                "url": "https://example.com/hook",
                "template": "shared",
                "authorization": "shared",
            }
        },
    }
    shop.configure(document)
    without = {name: part for name, part in document.items() if name != section}

    (problem,) = problems(shop, without, prune=True, dry_run=True)

    assert problem.path == f"{section}.shared"
    assert problem.message == "used by tell; keep it"


def test_what_others_still_use_cannot_be_pruned(shop: Desk) -> None:
    shop.configure(SCHEMA, {"audiences": {"rich": {"filter": "spend > 100"}}})
    draft = AudienceDraft("Poor", "NOT INCLUDE rich")
    shop.run(audiences.create_audience(shop.context, SHOP, draft))

    found = problems(shop, SCHEMA, prune=True, confirm=True)

    assert [problem.path for problem in found] == ["audiences.rich"]
    assert "poor" in found[0].message
