"""Routes: all of /v1 in one place, and its OpenAPI description."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, get
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, ValidationException
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.types import ExceptionHandlersMap
from sqlalchemy import text

from shouxin import __version__
from shouxin.entrypoints.api import answers
from shouxin.entrypoints.api.consents import read_consents, say_consent
from shouxin.entrypoints.api.customers import apply_for_line, read_customer, read_line, read_plans
from shouxin.entrypoints.api.decisions import make_decision, read_decision, replay_decision
from shouxin.entrypoints.api.description import OPEN, described
from shouxin.entrypoints.api.events import list_schemas, send_events
from shouxin.entrypoints.api.holds import capture_hold, repay_plan, void_hold
from shouxin.entrypoints.api.intake import content_encoding
from shouxin.entrypoints.api.problems import (
    Problem,
    answer_bug,
    answer_depth,
    answer_http,
    answer_problem,
    answer_validation,
)
from shouxin.entrypoints.api.registrations import register
from shouxin.entrypoints.api.verifications import (
    check_code,
    check_real_name,
    new_challenge,
    send_code,
)
from shouxin.entrypoints.house import House

# Enough for a busy checkout from one address; more is a loop gone wrong.
CALLS_PER_SECOND_MAX = 2_000
_READ_TYPES = frozenset({"application/json", "application/x-ndjson"})
_HANDLERS: ExceptionHandlersMap = {
    Problem: answer_problem,
    ValidationException: answer_validation,
    HTTPException: answer_http,
    RecursionError: answer_depth,
    Exception: answer_bug,
}


@get(
    "/health",
    sync_to_thread=True,
    summary="Whether the house answers",
    security=[{}],
    **described("readHealth", tag="operations", answer=answers.Health, refusals=OPEN),
)
def health(house: NamedDependency[House]) -> answers.Health:
    """Ask the database one question; 503 when it does not answer."""
    with house.database.begin() as db:
        db.execute(text("SELECT 1"))
    return answers.Health(status="ok", version=__version__)


def refuse_other_content(request: Request[Any, Any, Any]) -> None:
    """A body that says it is not JSON is refused, rather than read as if it were (415)."""
    told = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and told and told not in _READ_TYPES:
        detail = f"this call reads application/json, not {told}; send `Content-Type: application/json`"
        raise Problem(415, "Unsupported content", detail)
    packing, is_events = content_encoding(request), request.url.path.rstrip("/").endswith("/v1/events")
    if packing not in {"", "identity"} and not (packing == "gzip" and is_events):
        accepted = "gzip" if is_events else "identity"
        detail = f"this call reads bodies with Content-Encoding {accepted}, not {packing[:40]}"
        raise Problem(415, "Unsupported content", detail, headers={"Accept-Encoding": accepted})


def api_router(*, calls_per_second_max: int = CALLS_PER_SECOND_MAX) -> Router:
    """Everything under /v1; more calls than the limit from one address within a second get 429."""
    return Router(
        path="/v1",
        route_handlers=[
            health, list_schemas, send_events, make_decision, read_decision, replay_decision, capture_hold,
            void_hold, repay_plan, register, new_challenge, send_code, check_code, check_real_name,
            read_customer, read_line, read_plans, apply_for_line, say_consent, read_consents,
        ],
        before_request=refuse_other_content,
        exception_handlers=_HANDLERS,
        middleware=[RateLimitConfig(rate_limit=("second", calls_per_second_max)).middleware],
        security=[{"api_key": []}],
    )  # fmt: skip
