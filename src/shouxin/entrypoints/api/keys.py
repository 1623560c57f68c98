"""Keys: who calls, and what that key may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Request
from litestar.di import NamedDependency

from shouxin.entrypoints.api.problems import Problem
from shouxin.entrypoints.house import House
from shouxin.governance import ApiKey, Scope, find_api_key

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="shouxin"'}


def find_caller(request: Request[Any, Any, Any], house: House) -> ApiKey:
    """The key that the request carries; raises a 401 problem when it carries none that we know."""
    scheme, _, clear_text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not clear_text:
        detail = "send the header `Authorization: Bearer sx_...`; `shouxin api-key add` makes a key"
        raise Problem(401, "Not signed in", detail, headers=_CHALLENGE)
    with house.database.begin() as db:
        key = find_api_key(db, clear_text.strip(), now=house.clock())
    if key is None:
        raise Problem(401, "Not signed in", "this API key is unknown or revoked", headers=_CHALLENGE)
    return key


def caller_with(scope: Scope) -> Callable[[Request[Any, Any, Any], House], ApiKey]:
    """A dependency that gives the caller's key, or refuses one without ``scope`` (403)."""

    def caller(request: Request[Any, Any, Any], house: NamedDependency[House]) -> ApiKey:
        key = find_caller(request, house)
        if scope not in key.scopes:
            raise Problem(403, "Not permitted", f"this API key lacks the scope {scope.value}")
        return key

    return caller
