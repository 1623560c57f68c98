"""The HTTP API under /v1: events in, decisions out, lines and customers to read.

Every call carries ``Authorization: Bearer sx_...``, a key with scopes; every refusal is a
problem+json that says what, where and how to mend it. Money is a decimal string and a currency.
"""

from shouxin.entrypoints.api.description import open_api
from shouxin.entrypoints.api.routes import CALLS_PER_SECOND_MAX, api_router

__all__ = ["CALLS_PER_SECOND_MAX", "api_router", "open_api"]
