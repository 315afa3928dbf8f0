"""What `/openapi.json` says about bodies and answers, by example."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

TEXT = "text/plain"
JSON = "application/json"


def answers(
    example: object, status: int = 200, description: str = "Success"
) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of an answer."""
    return {status: {"description": description, "content": {JSON: {"example": example}}}}


def empty_answer() -> dict[int | str, dict[str, Any]]:
    """Return the documentation of an answer without a body."""
    return {204: {"description": "Done"}}


def accepts(example: object, content_type: str = JSON) -> dict[str, Any]:
    """Return the documentation of a request body."""
    schema = {"type": "object"} if content_type == JSON else {"type": "string"}
    return {
        "requestBody": {"required": True, "content": {content_type: {"schema": schema, "example": example}}}
    }


def document(web: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document: the routes as they are registered, and what those cannot say of themselves."""
    whole = get_openapi(title=web.title, version=web.version, description=web.description, routes=web.routes)
    for path, methods in whole["paths"].items():
        for operation in methods.values():
            _corrected(operation, guarded=path != "/health")
    whole["paths"] |= {f"/collect/{name}/{{stream}}": {"post": _collect(name)} for name in ("json", "bulk")}
    whole["components"] = {"securitySchemes": _SECURITY_SCHEMES}
    return whole


_SECURITY_SCHEMES = {
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "raw, or after Bearer",
    },
    "key": {"type": "apiKey", "in": "query", "name": "key"},
}
_SECURITY: list[dict[str, list[str]]] = [{"header": []}, {"key": []}]
_REFUSED = {
    "description": "No token, a bad one, or one without the scope",
    "content": {JSON: {"example": {"message": "Not authorized", "status": 401}}},
}
_COLLECT_PARAMETERS = {
    "dryrun": "read and count, keep nothing",
    "timestamp_field": "the field that holds the time of an event",
    "filename": "a label, echoed; .csv says the body is CSV",
    "headers": "names of CSV columns, separated by commas, when there is no header row",
    "delimiter": "of CSV: a comma, | or t for a tab",
    "append": "a JSON object put on every CSV row",
    "droperrors": "leave bad events out instead of refusing the body",
    "triggers": "false loads the past in silence: profiles and audiences follow, no job is told",
}
_COUNTS = {
    "message_count": 2,
    "rejected_count": 0,
    "content-type": "application/json",
    "droperrors": False,
    "dryrun": False,
    "timestamp_field": "ts",
    "filename": "",
}


def _corrected(operation: dict[str, Any], *, guarded: bool) -> None:
    """Say what an operation really answers: bad parameters are a 400 in the envelope, never FastAPI's own 422."""
    responses = operation["responses"]
    if responses.pop("422", None):
        responses["400"] = {
            "description": "Something sent is not acceptable; the message says what, where and why"
        }
    if guarded:
        responses["401"] = _REFUSED
        operation["security"] = _SECURITY


def _collect(name: str) -> dict[str, Any]:
    """Document a collect route, which is not one of FastAPI's."""
    bulk = name == "bulk"
    stream = {"name": "stream", "in": "path", "required": True, "schema": {"type": "string"}}
    query = [
        {"name": parameter, "in": "query", "description": text, "schema": {"type": "string"}}
        for parameter, text in _COLLECT_PARAMETERS.items()
    ]
    events = '{"email": "ada@example.com"}\n{"email": "joan@example.com"}\n'
    body = accepts(events, "application/x-ndjson") if bulk else accepts([{"email": "ada@example.com"}])
    operation: dict[str, Any] = {
        "tags": ["collect"],
        "summary": "Collect many events: lines of JSON, or CSV"
        if bulk
        else "Collect an event, or an array of them",
        "description": "Answers when the events are on disk. The body may be packed with gzip.",
        "operationId": f"collect_{name}",
        "parameters": [stream, *query],
        "responses": {
            **{str(status): answer for status, answer in answers({"data": _COUNTS, "status": 200}).items()},
            "400": {"description": "An event is not acceptable; none was taken"},
            "413": {"description": "The body is over the limit"},
            "503": {"description": "No room or too busy; try again after Retry-After"},
        },
        **body,
    }
    _corrected(operation, guarded=True)
    return operation
