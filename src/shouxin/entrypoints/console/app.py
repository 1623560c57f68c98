"""The console as part of an application, and as an application of its own for tests."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.config.compression import CompressionConfig
from litestar.datastructures import CacheControlHeader, State
from litestar.exceptions import HTTPException
from litestar.middleware import DefineMiddleware
from litestar.middleware.compression import CompressionMiddleware
from litestar.static_files import create_static_files_router

from shouxin.entrypoints.console.frame import refusal_outside
from shouxin.entrypoints.console.pages import (
    alerts,
    approvals,
    audit,
    cases,
    consents,
    customers,
    entrance,
    external,
    features,
    matches,
    models,
    operators,
    overview,
    quality,
    quarantine,
    reports,
)
from shouxin.entrypoints.console.rendering import SECURITY_HEADERS, STATIC
from shouxin.entrypoints.console.visit import Refused
from shouxin.entrypoints.house import House

ExceptionHandler = Callable[[Request[Any, Any, Any], Any], Response[Any]]
_log = logging.getLogger("shouxin.console")
_YEAR_SECONDS = 365 * 24 * 3600
# A cold page is three quarters smaller so; tokens in pages differ each time (see forms.form_token).
_COMPRESSED = DefineMiddleware(
    CompressionMiddleware,
    config=CompressionConfig(backend="gzip", minimum_size=600, gzip_compress_level=6),
)
_WHY = {400: "not_usable", 401: "forbidden", 403: "forbidden", 404: "not_found", 405: "not_found"}


def console_routes() -> list[Router]:
    """The pages and the static files; the application must hold the ``House`` as ``app.state.house``."""
    pages = (
        entrance,
        overview,
        quality,
        quarantine,
        external,
        customers,
        consents,
        matches,
        features,
        models,
        alerts,
        cases,
        approvals,
        reports,
        operators,
        audit,
    )
    handlers = [handler for module in pages for handler in module.HANDLERS]
    static = create_static_files_router(
        path="/static",
        directories=[STATIC],
        # Addresses carry the hash of what they name.
        cache_control=CacheControlHeader(max_age=_YEAR_SECONDS, public=True, immutable=True),
        after_request=_with_security_headers,
        include_in_schema=False,
        middleware=[_COMPRESSED],
    )
    return [Router(path="/", route_handlers=handlers, middleware=[_COMPRESSED]), static]


def console_exception_handlers() -> dict[int | type[Exception], ExceptionHandler]:
    """What a browser sees when something is refused or breaks: a page in its language, and no detail."""
    return {HTTPException: refused_page, Exception: broken_page}


def refused_page(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """404, 405 and their kind as a page."""
    status = getattr(error, "status_code", 500)
    if status >= 500:
        return broken_page(request, error)
    return refusal_outside(request, Refused(_WHY.get(status, "not_usable")), status=status)


def broken_page(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A bug: recorded with its place, never shown, and without the values it happened with."""
    # The path only: a query or a form may hold what a person typed. A set-up path is a secret.
    path = "/setup/..." if request.url.path.startswith("/setup/") else request.url.path
    # Neither the message: a database's may quote the values of a statement.
    trace = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s %s failed: %s\n%s", request.method, path, type(error).__name__, trace)
    return refusal_outside(request, Refused("broken"), status=500)


def create_console_app(house: House) -> Litestar:
    """The console alone."""
    return Litestar(
        route_handlers=console_routes(),
        exception_handlers=console_exception_handlers(),
        state=State({"house": house}),
        openapi_config=None,
    )


def _with_security_headers(response: Response[Any]) -> Response[Any]:
    response.headers.update(SECURITY_HEADERS)
    return response
