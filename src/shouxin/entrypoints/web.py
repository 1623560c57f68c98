"""The web application: the API under /v1 and the console under /, on one open house."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide

from shouxin.entrypoints.api import api_router, open_api
from shouxin.entrypoints.console import console_exception_handlers, console_routes
from shouxin.entrypoints.house import House, opened_house

_BODY_BYTES_MAX = 16 * 1024 * 1024


def create_app(house: House) -> Litestar:
    """The whole application on a house that the caller keeps open."""
    return Litestar(
        route_handlers=[api_router(), *console_routes()],
        dependencies={"house": Provide(lambda: house, sync_to_thread=False)},
        exception_handlers=console_exception_handlers(),
        openapi_config=open_api(),
        request_max_body_size=_BODY_BYTES_MAX,
        state=State({"house": house}),
        debug=False,
    )


def served_app() -> Litestar:
    """The application that ``shouxin serve`` runs in its worker: it opens the house of SHOUXIN_HOME."""
    stack = ExitStack()
    house = stack.enter_context(opened_house())
    app = create_app(house)
    app._lifespan_managers.append(_closing(stack))
    return app


def _closing(stack: ExitStack) -> AbstractAsyncContextManager[None]:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        try:
            yield
        finally:
            stack.close()

    return lifespan()
