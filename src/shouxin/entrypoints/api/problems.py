"""Problems: every refusal of the API in one shape (RFC 9457), never with personal data in it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, TooManyRequestsException, ValidationException
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shouxin.entrypoints.api.forms import in_words

_log = logging.getLogger("shouxin.api")
_TYPE = "application/problem+json"
_INTERNAL_ERROR = 500


class Problem(Exception):
    """A refusal that a handler raises: status, a short title, what is wrong and how to mend it."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        pointer: str | None = None,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {"type": "about:blank", "title": title, "status": status, "detail": detail} | dict(
            more or {}
        )
        if pointer is not None:
            self.body["errors"] = [{"pointer": pointer, "detail": detail}]


def answer_problem(_request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    """A refusal as problem+json."""
    return _response(problem.status, problem.body, problem.headers)


def answer_http(_request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """A refusal of the framework (no such route, wrong method, too many requests) in our shape."""
    headers = dict(error.headers or {})
    if isinstance(error, TooManyRequestsException):
        headers["Retry-After"] = "1"
    body = {"type": "about:blank", "title": _title(error.status_code), "status": error.status_code}
    return _response(error.status_code, body | {"detail": error.detail}, headers)


def answer_validation(_request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    """A body or parameter of the wrong form: 422 with a JSON pointer for each place."""
    errors = [
        {
            "pointer": "#/" + str(item.get("key", "")).replace(".", "/"),
            "detail": in_words(str(item.get("message", ""))),
        }
        for item in (error.extra or [])
        if isinstance(item, dict)
    ]
    body = {"type": "about:blank", "title": "Unprocessable content", "status": 422, "errors": errors}
    detail = "; ".join(f"{e['pointer']}: {e['detail']}" for e in errors) or error.detail
    return _response(422, body | {"detail": detail}, {})


def answer_depth(_request: Request[Any, Any, Any], _error: RecursionError) -> Response[bytes]:
    """Brackets within brackets within brackets: nothing but a hostile body is nested so deeply."""
    body = {"type": "about:blank", "title": "Bad request", "status": 400}
    return _response(400, body | {"detail": "the body is nested too deeply"}, {})


def answer_bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A lost database, an inability or a bug: 503 or 500, without a word of what was inside a bug."""
    if is_database_away(error):
        body = {"type": "about:blank", "title": "Service unavailable", "status": 503}
        detail = "the database does not answer; send the same call again, with the same Idempotency-Key"
        return _response(503, body | {"detail": detail}, {"Retry-After": "2"})
    if type(error).__name__.startswith("UnableTo"):
        body = {"type": "about:blank", "title": "Unable", "status": 503, "detail": str(error)}
        return _response(503, body, {"Retry-After": "60"})
    # Not its message: a database's may quote the values of a statement.
    trace = "".join(traceback.format_tb(error.__traceback__))
    _log.error("bug at %s %s: %s\n%s", request.method, request.url.path, type(error).__name__, trace)
    body = {"type": "about:blank", "title": "Internal error", "status": _INTERNAL_ERROR}
    return _response(_INTERNAL_ERROR, body | {"detail": "this is a defect of the server; it was logged"}, {})


def is_database_away(error: Exception) -> bool:
    """Whether the database, not the call, is at fault: gone, starting, busy or in a deadlock."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeout):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _response(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> Response[bytes]:
    return Response(msgspec.json.encode(body), status_code=status, media_type=_TYPE, headers=dict(headers))


def _title(status: int) -> str:
    titles = {400: "Bad request", 401: "Not signed in", 403: "Not permitted", 404: "Not found"}
    return titles.get(
        status, {405: "Method not allowed", 413: "Too large", 429: "Too many requests"}.get(status, "Refused")
    )


__all__ = ["Problem", "answer_bug", "answer_depth", "answer_http", "answer_problem", "answer_validation"]
