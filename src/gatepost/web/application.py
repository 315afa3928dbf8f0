"""The web application: every route behind one gate."""

import functools

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

import gatepost
from gatepost.app import App
from gatepost.web.access import Gate, allowed_methods
from gatepost.web.api import (
    accounts,
    attributes,
    authorizations,
    backtests,
    clock,
    configuration,
    deliveries,
    entities,
    erasures,
    explanations,
    jobs,
    merges,
    persons,
    schemas,
    segments,
    segments_v2,
    status,
    templates,
    tokens,
)
from gatepost.web.collect import collect_routes
from gatepost.web.documentation import document
from gatepost.web.problems import response_to
from gatepost.web.snapshot import CatalogSnapshot

_ROUTERS: tuple[APIRouter, ...] = (
    status.router,
    clock.router,
    templates.router,
    authorizations.router,
    tokens.router,
    accounts.router,
    schemas.router,
    segments.router,
    backtests.router,
    merges.router,
    explanations.router,
    segments_v2.router,
    jobs.router,
    deliveries.router,
    # Their paths are narrower than those of entities, which follow.
    erasures.router,
    persons.router,
    attributes.router,
    entities.router,
    configuration.router,
)

_DESCRIPTION = (
    "Keeps an engagement platform in step with your audiences, in real time. Send a token in the `Authorization` "
    "header, raw or after `Bearer`, or as `?key=`. It can send data, or also read, or also change."
)

_SILENT: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""FastAPI's own tracing would write down query strings, which may hold a token, and exceptions with their values."""


def create_application(app: App) -> FastAPI:
    """Return the web application over a gatepost that somebody else starts and stops."""
    snapshot = CatalogSnapshot(app)
    # The documentation page would load its parts from somebody else's server, so only the document is served.
    web = FastAPI(
        title="gatepost",
        version=gatepost.__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        telemetry=_SILENT,
    )
    web.state.gatepost = app
    web.state.snapshot = snapshot
    web.openapi = functools.cache(functools.partial(document, web))  # type: ignore[method-assign] # FastAPI's own way
    web.router.redirect_slashes = False
    routes = web.router.routes
    # Collect comes first: routes are tried in order.
    routes[:0] = collect_routes(app, snapshot)
    for router in _ROUTERS:
        routes.extend(router.routes)
    web.add_middleware(Gate, app=app, snapshot=snapshot)
    web.add_exception_handler(HTTPException, _refusal)
    web.add_exception_handler(RequestValidationError, _refusal)
    return web


async def _refusal(request: Request, error: Exception) -> Response:
    """Answer a request that no route, method or parameter fits."""
    if isinstance(error, HTTPException) and error.status_code in {404, 405}:
        method, path = request.method, request.url.path[:200]
        allowed = allowed_methods(request.app.routes, request.scope)
        if allowed:
            detail = f"{method} is not possible for {path}; possible are {allowed}"
            error = HTTPException(405, detail, {"Allow": allowed})
        else:
            error = HTTPException(404, f"there is no {path}; /openapi.json lists what there is")
    return response_to(request.scope, error)
