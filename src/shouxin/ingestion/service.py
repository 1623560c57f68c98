"""The verbs of ingestion: take events in, tell what became of them, and give them out as they were known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from sqlalchemy import Connection

from shouxin.governance import Keyring, sealer
from shouxin.governance.domain import SEALED_FIELDS
from shouxin.ingestion import bulk, consent, quarantine, store
from shouxin.ingestion.adapting import Interpreted, canonical
from shouxin.ingestion.ahead import one_ahead
from shouxin.ingestion.domain import (
    NOBODY,
    Fact,
    PersonalFact,
    Receipt,
    Refusal,
    RefusedItem,
    check_envelope,
    check_fact,
    receipt_of,
    whose_item,
    with_tokens,
)
from shouxin.ingestion.erasure import refuse_erased, without_erased
from shouxin.ingestion.naming import cached_token
from shouxin.ingestion.olist import olist_chunks
from shouxin.ingestion.online_retail import online_retail_chunks
from shouxin.ingestion.quality.counting import count_batch, count_chunk
from shouxin.ingestion.reading import RefusedRow, canonical_chunks
from shouxin.kernel import Event, Progress, canonical_json, silent

_TRIES_MAX = 10
# Whoever waits for the writers to be done keeps new ones waiting: a checkout must not notice.
_PATIENCE_MS = 200


class UnableToLoad(RuntimeError):
    """The same events are being loaded by somebody else at the same time."""


def accept(
    db: Connection,
    raw: Sequence[Mapping[str, Any] | bytes],
    *,
    keyring: Keyring,
    now: datetime,
    source: str | None = None,
) -> Receipt:
    """Take a batch of envelopes from a shop's program; what is refused is quarantined and named.

    Everything is learnt ``now``. A given ``source`` (that of the API key) overrules the items'.
    """
    texts = [_spelled(item) for item in raw]
    verdicts = [
        text if isinstance(text, Refusal) else check_envelope(text, now=now, source=source) for text in texts
    ]
    verdicts = refuse_erased(db, consent.screen(db, verdicts, now=now))
    facts = [verdict for verdict in verdicts if isinstance(verdict, Fact)]
    fresh = append(db, facts, keyring=keyring)
    refused = [
        RefusedRow(
            f"item {position}",
            position,
            verdict.field,
            verdict.reason,
            source or who.source,
            text.decode("utf-8", "backslashreplace")
            if isinstance(text, bytes)
            else repr(type(raw[position])),
            who.customer_ref,
        )
        for position, (text, verdict) in enumerate(zip(texts, verdicts, strict=True))
        if isinstance(verdict, Refusal)
        for who in [whose_item(text) if isinstance(text, bytes) else NOBODY]
    ]
    kept = quarantine.keep(db, refused, adapter="envelope", keyring=keyring, now=now)
    count_batch(db, verdicts, fresh=fresh, refused=refused, kept=kept, now=now)
    return _receipt(len(raw), len(fresh), refused)


def record(db: Connection, events: Sequence[Event]) -> Receipt:
    """Add facts that the house itself made (a repayment, an overdue instalment). A wrong one is a bug."""
    facts = [_fact(event) for event in events]
    for fact in facts:
        refusal = check_fact(fact)
        assert refusal is None, f"{fact.kind} {fact.source}/{fact.source_id}: {refusal}"
    return _receipt(len(events), len(append(db, facts)), ())


def append(db: Connection, facts: Sequence[Fact], *, keyring: Keyring | None = None) -> set[tuple[str, str]]:
    """Store facts, their clear values replaced by tokens and sealed; returns the identities that were new."""
    if keyring is None:
        return store.append_facts(db, facts)
    token = cached_token(keyring)
    first: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        first.setdefault((fact.source, fact.source_id), fact)
    tokened = [
        with_tokens(fact, {field: token(field, value) for field, value in fact.personal.items()})
        for fact in first.values()
    ]
    fresh = store.append_facts(db, tokened)
    new_facts = [fact for identity, fact in first.items() if identity in fresh]
    store.append_personal(db, _sealed(db, new_facts, keyring=keyring, token=token))
    return fresh


def load_stepwise(
    begin: Callable[[], AbstractContextManager[Connection]],
    chunks: Iterable[Interpreted],
    *,
    keyring: Keyring,
    now: datetime,
    progress: Progress = silent,
) -> Receipt:
    """Load chunks, each in a transaction of its own that ``begin`` opens.

    What was loaded stays when the load is interrupted, and loading again adds nothing twice. While a chunk
    is stored, the next one is read and checked; chunks are stored in their order.
    """
    receipt, token = Receipt(), cached_token(keyring)
    for chunk, found in one_ahead(chunks, lambda chunk: bulk.screened(chunk.rows, now=now, token=token)):
        with begin() as db:
            receipt += _load_chunk(db, chunk, found, keyring=keyring, now=now, token=token)
        progress(chunk.done, chunk.total)
    return receipt


def _load_chunk(
    db: Connection,
    chunk: Interpreted,
    found: bulk.Screened,
    *,
    keyring: Keyring,
    now: datetime,
    token: bulk.Token,
) -> Receipt:
    """Keep what is refused of a chunk that was looked through, and store what is new."""
    agreed = consent.screen_rows(db, chunk.rows, now=now)
    if agreed.rows is not chunk.rows:  # some rows go, or go without a field: look at what is left
        found = bulk.screened(agreed.rows, now=now, token=token)
    found = without_erased(db, found, agreed.rows)
    by_rule = (*agreed.refused, *found.refused)
    kept = quarantine.keep(db, chunk.refused, adapter=chunk.adapter, keyring=keyring, now=now)
    kept += quarantine.keep(db, by_rule, adapter="canonical", keyring=keyring, now=now)
    added = _append_screened(db, found, keyring=keyring, token=token) if found.table.num_rows else found.table
    refused = [*chunk.refused, *by_rule]
    count_chunk(db, chunk, passed=found.passed, added=added, refused=refused, kept=kept, now=now)
    return _receipt(chunk.read, added.num_rows, refused, first_position=chunk.first_position)


def _append_screened(
    db: Connection, found: bulk.Screened, *, keyring: Keyring, token: bulk.Token
) -> pa.Table:
    """Store what is new of a chunk and return it. Should another load be first, look and try again."""
    sources, source_ids = bulk.joined_identities(found.table)
    for _ in range(_TRIES_MAX):
        known = store.known_identities(db, sources=sources, source_ids=source_ids)
        table, to_seal = bulk.without_known(found, known)
        sealed = _sealed(db, to_seal, keyring=keyring, token=token)
        if store.append_many(db, bulk.table_csv(table), sealed):
            return table
    raise UnableToLoad("another load keeps storing the same events; run this one again when it is done")


def file_chunks(path: Path) -> Iterator[Interpreted]:
    """The chunks of a canonical event file (CSV or Parquet) or a folder of them, for ``load_stepwise``."""
    return (canonical(chunk) for chunk in canonical_chunks(path))


def load_file(
    db: Connection, path: Path, *, keyring: Keyring, now: datetime, progress: Progress = silent
) -> Receipt:
    """Load a canonical event file, or a folder of them, in this transaction. Raises UnableToRead."""
    return _load(db, file_chunks(path), keyring=keyring, now=now, progress=progress)


def load_online_retail(
    db: Connection, path: Path, *, keyring: Keyring, now: datetime, progress: Progress = silent
) -> Receipt:
    """Load the UCI Online Retail lines of a file or a folder of daily files. Raises UnableToRead."""
    return _load(db, online_retail_chunks(path), keyring=keyring, now=now, progress=progress)


def load_olist(
    db: Connection, folder: Path, *, keyring: Keyring, now: datetime, progress: Progress = silent
) -> Receipt:
    """Load the orders of an Olist folder. Raises UnableToRead."""
    return _load(db, olist_chunks(folder), keyring=keyring, now=now, progress=progress)


def list_events(
    db: Connection,
    refs: Sequence[tuple[str, str]],
    *,
    as_of: datetime,
    since: datetime | None = None,
    kinds: Sequence[str] | None = None,
    limit: int | None = None,
) -> list[Event]:
    """Events of these (source, customer_ref) that had happened and were known at ``as_of``, oldest first.

    ``since`` leaves out what happened at or before it; ``limit`` keeps the newest.
    """
    if not refs:
        return []
    return store.list_events(db, refs, as_of=as_of, since=since, kinds=kinds, limit=limit)


def new_references(db: Connection, *, after_event_no: int) -> tuple[list[tuple[str, str]], int]:
    """Customers' references in events after a number, and the last number looked at (for the next call)."""
    last = store.settled_event_no(db)
    found = store.references_between(db, after_event_no=after_event_no, last_event_no=last)
    return found, max(last, after_event_no)


def references_between(db: Connection, *, after_event_no: int, last_event_no: int) -> list[tuple[str, str]]:
    """Customers' references in events of these numbers."""
    return store.references_between(db, after_event_no=after_event_no, last_event_no=last_event_no)


def events_after(
    db: Connection,
    positions: Mapping[tuple[str, str], int],
    *,
    kinds: Sequence[str],
    last_event_no: int | None = None,
) -> list[Event]:
    """Events of these references, each beyond its own event number, by number."""
    if not positions:
        return []
    return store.events_after(db, positions, kinds=kinds, last_event_no=last_event_no)


def count_events(
    db: Connection,
    refs: Sequence[tuple[str, str]],
    *,
    as_of: datetime,
    kinds: Sequence[str],
    last_event_no: int | None = None,
) -> int:
    """How many events of these references were known at ``as_of``, of these kinds and up to a number."""
    return store.count_events(db, refs, as_of=as_of, kinds=kinds, last_event_no=last_event_no)


def last_event_no(db: Connection) -> int:
    """The greatest event number that can be seen just now; a smaller one may still appear."""
    return store.last_event_no(db)


def settled_event_no(db: Connection) -> int:
    """An event number up to which nothing can still appear; raises UnableToSettle after a short wait."""
    return store.settled_event_no(db, patience_ms=_PATIENCE_MS)


def personal_facts(db: Connection, refs: Sequence[tuple[str, str]]) -> list[PersonalFact]:
    """The personal values of these references, sealed, in the order in which they came."""
    return store.personal_facts(db, refs) if refs else []


def event_count(db: Connection) -> int:
    """How many events the log holds."""
    return store.event_count(db)


def _load(
    db: Connection,
    chunks: Iterable[Interpreted],
    *,
    keyring: Keyring,
    now: datetime,
    progress: Progress,
) -> Receipt:
    return load_stepwise(lambda: nullcontext(db), chunks, keyring=keyring, now=now, progress=progress)


def _sealed(
    db: Connection, facts: Sequence[Fact], *, keyring: Keyring, token: bulk.Token
) -> list[PersonalFact]:
    """The values of facts that are kept, sealed for their customer; devices and cards stay tokens only."""
    safe = sealer(db, keyring)
    held = [(fact, field) for fact in facts for field in SEALED_FIELDS if field in fact.personal]
    safe.prepare({f"{fact.source}:{fact.customer_ref}" for fact, _ in held})
    return [
        PersonalFact(
            fact.source,
            fact.customer_ref,
            fact.source_id,
            field,
            token(field, fact.personal[field]),
            safe.seal(f"{fact.source}:{fact.customer_ref}", field, fact.personal[field]),
            fact.kind == "customer_verified",
            fact.occurred_at,
            fact.received_at,
        )
        for fact, field in held
    ]


def _spelled(item: Mapping[str, Any] | bytes) -> bytes | Refusal:
    if isinstance(item, bytes):
        return item
    try:
        return msgspec.json.encode(item)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return Refusal("", "not valid JSON")


def _fact(event: Event) -> Fact:
    return Fact(
        event.source,
        event.source_id,
        event.kind,
        event.version,
        event.customer_ref,
        event.occurred_at,
        event.received_at,
        event.order_ref,
        event.amount,
        canonical_json(dict(event.payload)),
    )


def _receipt(read: int, accepted: int, refused: Sequence[RefusedRow], *, first_position: int = 0) -> Receipt:
    items = (RefusedItem(first_position + row.position, row.field, row.reason) for row in refused)
    return receipt_of(read=read, accepted=accepted, refused=items)
