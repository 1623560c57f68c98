"""Routes: all of /v1 in one place, and its OpenAPI description."""

from __future__ import annotations

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, ValidationException
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ExceptionHandlersMap
from sqlalchemy import text

from shouxin import __version__
from shouxin.entrypoints.api.customers import apply_for_line, read_customer, read_line, read_plans
from shouxin.entrypoints.api.decisions import make_decision, read_decision, replay_decision
from shouxin.entrypoints.api.events import list_schemas, send_events
from shouxin.entrypoints.api.holds import capture_hold, repay_plan, void_hold
from shouxin.entrypoints.api.problems import (
    Problem,
    answer_bug,
    answer_http,
    answer_problem,
    answer_validation,
)
from shouxin.entrypoints.house import House

# Enough for a busy checkout from one address; more is a loop gone wrong.
_CALLS_PER_SECOND_MAX = 2_000
_HANDLERS: ExceptionHandlersMap = {
    Problem: answer_problem,
    ValidationException: answer_validation,
    HTTPException: answer_http,
    Exception: answer_bug,
}


@get("/health", sync_to_thread=True, summary="Whether the house answers", tags=["operations"], security=[])
def health(house: NamedDependency[House]) -> dict[str, str]:
    """Ask the database one question; 503 when it does not answer."""
    with house.database.begin() as db:
        db.execute(text("SELECT 1"))
    return {"status": "ok", "version": __version__}


def api_router() -> Router:
    """Everything under /v1."""
    return Router(
        path="/v1",
        route_handlers=[
            health, list_schemas, send_events, make_decision, read_decision, replay_decision, capture_hold,
            void_hold, repay_plan, read_customer, read_line, read_plans, apply_for_line,
        ],
        exception_handlers=_HANDLERS,
        middleware=[RateLimitConfig(rate_limit=("second", _CALLS_PER_SECOND_MAX)).middleware],
        security=[{"api_key": []}],
    )  # fmt: skip


def open_api() -> OpenAPIConfig:
    """The OpenAPI description, at /v1/openapi.json; pages that load scripts from elsewhere are left out."""
    scheme = SecurityScheme(type="http", scheme="bearer", description="An API key: sx_...")
    return OpenAPIConfig(
        title="Shouxin",
        version=__version__,
        description="Customer credit risk for online shops: events in, decisions out.",
        path="/v1/openapi",
        components=Components(security_schemes={"api_key": scheme}),
    )
