"""Events: facts come in, one or many, as JSON or as lines of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from anyio.to_thread import run_sync
from litestar import Request, get, post
from litestar.di import NamedDependency, Provide

from shouxin import ingestion
from shouxin.entrypoints.api import answers
from shouxin.entrypoints.api.description import KEYED, OPEN, described
from shouxin.entrypoints.api.intake import (
    Intake,
    content_encoding,
    declared_length,
    read_body,
    unpacked,
)
from shouxin.entrypoints.api.keys import caller_with
from shouxin.entrypoints.api.problems import Problem
from shouxin.entrypoints.house import House
from shouxin.governance import ApiKey, Scope

_ITEMS_MAX = 10_000


@post(
    "/events",
    dependencies={"caller": Provide(caller_with(Scope.EVENTS_WRITE), sync_to_thread=True)},
    summary="Send events",
    description=(
        'One event as a JSON object, many as {"events": [..]} or as NDJSON (Content-Type '
        "application/x-ndjson), packed with gzip if Content-Encoding says so. Idempotent by (source, "
        "source_id). The answer counts what was read: read = accepted + duplicates + quarantined; each "
        "refused item has its place, field and reason."
    ),
    **described("sendEvents", tag="events", answer=answers.Receipt, refusals=(*KEYED, 408, 413, 415)),
)
async def send_events(
    request: Request[Any, Any, Any],
    house: NamedDependency[House],
    caller: NamedDependency[ApiKey],
    intake: NamedDependency[Intake],
) -> answers.Receipt:
    """Take facts in; a refused one never stops the others."""
    with intake.admitted(declared_length(request)) as room:
        body = await read_body(request)
        encoding, content_type = content_encoding(request), request.headers.get("content-type", "")

        def work() -> answers.Receipt:
            told = unpacked(body, encoding)
            room.widen(len(told) - len(body))
            return _taken(house, caller, told, content_type)

        return await run_sync(work)


@get(
    "/schemas",
    sync_to_thread=False,
    summary="JSON Schemas of all event kinds",
    **described("listSchemas", tag="events", answer=dict[str, Any], refusals=OPEN),
)
def list_schemas() -> dict[str, Any]:
    """The published schema of each kind, by name."""
    return dict(ingestion.json_schemas())


def _taken(house: House, caller: ApiKey, body: bytes, content_type: str) -> answers.Receipt:
    items, alone = _items(body, content_type)
    receipt = _accept(house, caller, items)
    if alone and receipt.refusals:
        refused = receipt.refusals[0]
        raise Problem(422, "Unprocessable content", refused.reason, pointer=_pointer(refused.field))
    return receipt


def _accept(house: House, caller: ApiKey, items: list[Mapping[str, Any] | bytes]) -> answers.Receipt:
    with house.database.begin() as db:
        receipt = ingestion.accept(db, items, keyring=house.keyring, now=house.clock(), source=caller.source)
    return answers.Receipt(
        read=receipt.read,
        accepted=receipt.accepted,
        duplicates=receipt.duplicates,
        quarantined=receipt.quarantined,
        reasons=receipt.reasons,
        refusals=[
            answers.RefusedEvent(position=item.position, field=item.field, reason=item.reason)
            for item in receipt.refusals
        ],
    )


def _items(body: bytes, content_type: str) -> tuple[list[Mapping[str, Any] | bytes], bool]:
    """The events in a body, and whether it is one event sent alone."""
    if "ndjson" in content_type:
        items: list[Mapping[str, Any] | bytes] = [line for line in body.split(b"\n") if line.strip()]
        alone = False
    else:
        items, alone = _from_json(body)
    if not items:
        raise Problem(422, "Unprocessable content", "there is no event in the body", pointer="#/events")
    if len(items) > _ITEMS_MAX:
        detail = f"{len(items)} events in one call; send at most {_ITEMS_MAX}, or use `shouxin ingest events`"
        raise Problem(413, "Too large", detail)
    return items, alone


def _from_json(body: bytes) -> tuple[list[Mapping[str, Any] | bytes], bool]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "Bad request", f"the body is not JSON: {error}") from None
    if isinstance(value, dict) and set(value) == {"events"}:
        value = value["events"]
    elif isinstance(value, dict):
        return [value], True
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        detail = 'send one event object, or {"events": [..]} with objects'
        raise Problem(422, "Unprocessable content", detail, pointer="#")
    return value, False


def _pointer(field: str) -> str:
    return "#/" + field.replace(".", "/") if field else "#"
