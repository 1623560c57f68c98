"""Events: facts come in, one or many, as JSON or as lines of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency, Provide

from shouxin import ingestion
from shouxin.entrypoints.api.keys import caller_with
from shouxin.entrypoints.api.problems import Problem
from shouxin.entrypoints.house import House
from shouxin.governance import ApiKey, Scope

_ITEMS_MAX = 10_000


@post(
    "/events",
    status_code=200,
    dependencies={"caller": Provide(caller_with(Scope.EVENTS_WRITE), sync_to_thread=True)},
    summary="Send events",
    description=(
        'One event as a JSON object, many as {"events": [..]} or as NDJSON (Content-Type '
        "application/x-ndjson). Idempotent by (source, source_id). The answer counts what was read: "
        "read = accepted + duplicates + quarantined; each refused item has its place, field and reason."
    ),
    tags=["events"],
)
async def send_events(
    request: Request[Any, Any, Any], house: NamedDependency[House], caller: NamedDependency[ApiKey]
) -> Response[bytes]:
    """Take facts in; a refused one never stops the others."""
    items = _items(await request.body(), request.headers.get("content-type", ""))
    receipt = await _run(_accept, house, caller, items)
    status = 422 if receipt["read"] == 1 and receipt["quarantined"] == 1 else 200
    return Response(msgspec.json.encode(receipt), status_code=status, media_type="application/json")


@get("/schemas", sync_to_thread=False, summary="JSON Schemas of all event kinds", tags=["events"])
def list_schemas() -> dict[str, Any]:
    """The published schema of each kind, by name."""
    return dict(ingestion.json_schemas())


async def _run(function: Any, *arguments: Any) -> Any:
    from anyio.to_thread import run_sync

    return await run_sync(function, *arguments)


def _accept(house: House, caller: ApiKey, items: list[Mapping[str, Any] | bytes]) -> dict[str, Any]:
    with house.database.begin() as db:
        receipt = ingestion.accept(db, items, keyring=house.keyring, now=house.clock(), source=caller.source)
    refusals = [{"position": r.position, "field": r.field, "reason": r.reason} for r in receipt.refusals]
    return {
        "read": receipt.read,
        "accepted": receipt.accepted,
        "duplicates": receipt.duplicates,
        "quarantined": receipt.quarantined,
        "reasons": receipt.reasons,
        "refusals": refusals,
    }


def _items(body: bytes, content_type: str) -> list[Mapping[str, Any] | bytes]:
    if "ndjson" in content_type:
        items: list[Mapping[str, Any] | bytes] = [line for line in body.splitlines() if line.strip()]
    else:
        items = _from_json(body)
    if not items:
        raise Problem(422, "Unprocessable content", "there is no event in the body", pointer="#/events")
    if len(items) > _ITEMS_MAX:
        detail = f"{len(items)} events in one call; send at most {_ITEMS_MAX}, or use `shouxin ingest events`"
        raise Problem(413, "Too large", detail)
    return items


def _from_json(body: bytes) -> list[Mapping[str, Any] | bytes]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "Bad request", f"the body is not JSON: {error}") from None
    if isinstance(value, dict) and set(value) == {"events"}:
        value = value["events"]
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        detail = 'send one event object, or {"events": [..]} with objects'
        raise Problem(422, "Unprocessable content", detail, pointer="#")
    return value
