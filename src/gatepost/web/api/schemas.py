"""The published schema, as Lytics shows it; it is changed by applying a document."""

import hashlib
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from gatepost.model.errors import NotFound
from gatepost.model.schema import COLLECTIONS, Field, FieldType, Format, Mapping, Schema
from gatepost.model.times import to_rfc3339
from gatepost.operations.schemas import published_schema, schema_versions
from gatepost.web.documentation import answers
from gatepost.web.envelopes import answer_v2
from gatepost.web.session import Here

router = APIRouter(prefix="/v2/schema", tags=["schema"])

_REST = {"request_id": "9b1c", "status": 200}
_FIELD = {
    "id": "last_visit",
    "type": "date",
    "mergeop": "max",
    "is_identifier": False,
    "shortdesc": "Last visit",
}
_MAPPING = {
    "id": "5d41402abc4b2a76",
    "field": "last_visit",
    "stream": "web",
    "expr": "now()",
    "guard_expr": "",
}
_VERSION = {
    "version_number": 3,
    "created": "2026-01-31T12:00:00Z",
    "folds_since": "2026-01-31T12:00:00Z",
    "folds_after": "1769860800000000123",
    "num_fields": 12,
    "num_mappings": 15,
}
_TABLE = "user"
_NESTED = COLLECTIONS | {FieldType.BUCKETS}


async def _published(here: Here, table: str, version_id: Annotated[int, Query(ge=0)] = 0) -> Schema:
    _check_table(table)
    return await published_schema(here.context, here.number, version_id)


Published = Annotated[Schema, Depends(_published)]
"""The version of the schema that a request names, or else the newest."""


@router.get("", responses=answers({"data": [{"table": _TABLE, "live_id": 3}], **_REST}))
async def tables(here: Here) -> Response:
    """List the tables: the one of profiles, and the version of its schema."""
    live = (await published_schema(here.context, here.number)).version
    return answer_v2(here.id, [{"table": _TABLE, "live_id": live, "draft_id": None, "draft_version": None}])


@router.get("/{table}", responses=answers({"data": {"table": _TABLE, "fields": [_FIELD]}, **_REST}))
async def whole(here: Here, schema: Published) -> Response:
    """Return a whole schema."""
    return answer_v2(here.id, whole_schema(schema))


@router.get("/{table}/field", responses=answers({"data": [_FIELD], **_REST}))
async def fields(
    here: Here,
    schema: Published,
    shape: Annotated[Literal["scalar", "nonscalar", "all"], Query(alias="filter")] = "all",
) -> Response:
    """List fields: those of one value, those of many, or all."""
    wanted = [one for one in schema.fields if shape in {"all", _shape(one)}]
    return answer_v2(here.id, list(map(field_object, wanted)))


@router.get("/{table}/field/{id_}", responses=answers({"data": _FIELD, **_REST}))
async def field(here: Here, schema: Published, id_: str) -> Response:
    """Return one field."""
    found = next((one for one in schema.fields if one.name == id_), None)
    if found is None:
        raise NotFound("field", id_)
    return answer_v2(here.id, field_object(found))


@router.get("/{table}/fieldnames", responses=answers({"data": ["email", "last_visit"], **_REST}))
async def field_names(here: Here, schema: Published) -> Response:
    """List the names of fields."""
    return answer_v2(here.id, [one.name for one in schema.fields])


@router.get("/{table}/mapping", responses=answers({"data": [_MAPPING], **_REST}))
async def mappings(here: Here, schema: Published) -> Response:
    """List mappings."""
    return answer_v2(here.id, list(map(mapping_object, schema.mappings)))


@router.get("/{table}/mapping/{id_}", responses=answers({"data": _MAPPING, **_REST}))
async def mapping(here: Here, schema: Published, id_: str) -> Response:
    """Return one mapping."""
    found = next((one for one in map(mapping_object, schema.mappings) if one["id"] == id_), None)
    if found is None:
        raise NotFound("mapping", id_)
    return answer_v2(here.id, found)


@router.get("/{table}/rank", responses=answers({"data": {"fields": ["email", "_uid"]}, **_REST}))
async def rank(here: Here, schema: Published) -> Response:
    """Return the identifier fields, strongest first."""
    return answer_v2(here.id, {"fields": list(schema.ranks)})


@router.get("/{table}/version", responses=answers({"data": [_VERSION], **_REST}))
async def versions(here: Here, table: str) -> Response:
    """List every version that was published, newest first; `version_id` shows one of them on the other routes.

    A version folds the events that were received after the record of the log that `folds_after` names.
    """
    _check_table(table)
    found = await schema_versions(here.context, here.number)
    return answer_v2(here.id, [_version_object(schema) for schema in found])


def whole_schema(schema: Schema) -> dict[str, Any]:
    """Return a schema with all its parts."""
    return {
        **_version_object(schema),
        "table": _TABLE,
        "fields": list(map(field_object, schema.fields)),
        "mappings": list(map(mapping_object, schema.mappings)),
        "rank": {"fields": list(schema.ranks)},
        "streams": list(schema.streams),
        "blocked": list(schema.blocked),
        "identifiers_limit": schema.identifiers_limit,
    }


def field_object(field: Field) -> dict[str, Any]:
    """Return a field in Lytics' words."""
    return {
        "id": field.name,
        "type": field.type.value,
        "shortdesc": field.description,
        "longdesc": field.long_description,
        "mergeop": "" if field.identifier else field.merge.value,
        "is_identifier": field.identifier,
        "is_pii": field.pii,
        "capacity": field.capacity,
        "keep_days": field.keep_days,
        "keep_duration": f"{field.keep_days}d" if field.keep_days else "",
        "tags": list(field.tags),
        "assertions": _assertions_object(field),
    }


def mapping_object(mapping: Mapping) -> dict[str, Any]:
    """Return a mapping in Lytics' words; its id comes from what it says."""
    said = "\0".join((mapping.stream, mapping.field, mapping.expression, mapping.guard))
    return {
        "id": hashlib.blake2b(said.encode(), digest_size=16).hexdigest(),
        "field": mapping.field,
        "stream": mapping.stream,
        "expr": mapping.expression,
        "guard_expr": mapping.guard,
    }


def _assertions_object(field: Field) -> dict[str, Any]:
    held = field.assertions
    if held is None:
        return {}
    said: dict[str, Any] = {"email": held.email, "format": held.format.value, "filter": held.filter}
    length = {name: amount for name, amount in (("min", held.length.min), ("max", held.length.max)) if amount}
    return {
        name: value for name, value in (said | {"length": length}).items() if value and value != Format.ANY
    }


def _version_object(schema: Schema) -> dict[str, Any]:
    return {
        "version_number": schema.version,
        "created": to_rfc3339(schema.published) if schema.published else "",
        "folds_since": to_rfc3339(schema.since) if schema.since else "",
        "folds_after": str(schema.after) if schema.after else "",
        "num_fields": len(schema.fields),
        "num_mappings": len(schema.mappings),
    }


def _shape(field: Field) -> str:
    return "nonscalar" if field.type in _NESTED else "scalar"


def _check_table(table: str) -> None:
    if table != _TABLE:
        raise NotFound("table", table)
