"""The web application: the API under /v1 and the console under /, on one open house."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException

from shouxin.entrypoints.api import CALLS_PER_SECOND_MAX, api_router, open_api
from shouxin.entrypoints.api.intake import BODY_BYTES_MAX, Intake, IntakeLimits
from shouxin.entrypoints.api.problems import answer_http
from shouxin.entrypoints.console import console_exception_handlers, console_routes
from shouxin.entrypoints.console.app import refused_page
from shouxin.entrypoints.house import House, opened_house


def create_app(
    house: House,
    *,
    calls_per_second_max: int = CALLS_PER_SECOND_MAX,
    intake_limits: IntakeLimits | None = None,
) -> Litestar:
    """The whole application on a house that the caller keeps open."""
    intake = Intake(intake_limits or IntakeLimits())
    return Litestar(
        route_handlers=[api_router(calls_per_second_max=calls_per_second_max), *console_routes()],
        dependencies={
            "house": Provide(lambda: house, sync_to_thread=False),
            "intake": Provide(lambda: intake, sync_to_thread=False),
        },
        exception_handlers=console_exception_handlers() | {HTTPException: _refuse},
        openapi_config=open_api(),
        request_max_body_size=BODY_BYTES_MAX,
        state=State({"house": house}),
        debug=False,
    )


def served_app() -> Litestar:
    """The application that ``shouxin serve`` runs in its worker: it opens the house of SHOUXIN_HOME."""
    stack = ExitStack()
    house = stack.enter_context(opened_house())
    app = create_app(house, intake_limits=IntakeLimits.from_environment())
    app._lifespan_managers.append(_closing(stack))
    return app


def _refuse(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """No such route, a wrong verb: a problem for a program, a page for a person."""
    if request.url.path.startswith("/v1/"):
        return answer_http(request, error)
    return refused_page(request, error)


def _closing(stack: ExitStack) -> AbstractAsyncContextManager[None]:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        try:
            yield
        finally:
            stack.close()

    return lifespan()
