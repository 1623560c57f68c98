"""Adapter: a log of clicks as Retailrocket publishes it, one CSV file or a folder of them.

What the lines are taken for, and why:

- ``view`` is ``product_viewed``; ``addtocart`` is ``cart_changed``. The log does not say how many, so one.
- ``transaction`` is a bought product: ``order_line_placed`` of one piece. An order without an amount tells
  nothing about money, so its price must be said, in the columns ``price`` (of one piece, decimal) and
  ``currency``, which such logs may lack. Without it the line is refused and waits in quarantine.
- A line that repeats another says nothing new: a duplicate.
- ``timestamp`` counts milliseconds since 1970 in UTC; the log knew each click at once, so ``received_at``
  is ``occurred_at``. Seconds or microseconds are refused rather than taken for another century.

The identity of a line follows from what it says, so parts of a log and the whole agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from shouxin.ingestion.adapting import Interpreted, interpreted_chunks, split
from shouxin.ingestion.domain import CURRENCY_PATTERN
from shouxin.ingestion.querying import query_table, working_engine
from shouxin.ingestion.reading import csv_chunks, files_below
from shouxin.kernel.money import exponent

SOURCE = "clickstream"
_NEEDED = ("timestamp", "visitorid", "event", "itemid", "transactionid")
_PRICED = ("price", "currency")
COLUMNS = (*_NEEDED, *_PRICED)
_KINDS = {"view": "product_viewed", "addtocart": "cart_changed", "transaction": "order_line_placed"}
# 1973 to 2096: outside, the number counts something else than milliseconds.
_MILLISECONDS = (10**11, 4 * 10**12)


def clickstream_chunks(path: Path, *, rows: int = 100_000) -> Iterator[Interpreted]:
    """The lines below ``path`` as canonical events. Raises UnableToRead."""
    raw = csv_chunks(files_below(path), required=_NEEDED, optional=_PRICED, source=SOURCE, rows=rows)
    yield from interpreted_chunks(raw, interpret, source=SOURCE)


def interpret(lines: pa.Table) -> Interpreted:
    """Lines (text columns, ``place`` and ``position``) as canonical rows, repeats and refusals."""
    given = lines
    for name in _PRICED:
        if name not in lines.column_names:
            lines = lines.append_column(name, pa.nulls(lines.num_rows, pa.string()))
    currencies = pc.unique(pc.utf8_trim_whitespace(lines["currency"])).drop_null()
    digits = [exponent(currency) for currency in currencies.to_pylist()]
    with working_engine() as engine:
        engine.register("given", lines)
        engine.register("scale", pa.table({"currency": currencies, "digits": pa.array(digits, pa.int32())}))
        return split(query_table(engine, _interpret_sql()), given, source=SOURCE)


def _interpret_sql() -> str:
    kinds = " ".join(f"WHEN '{event}' THEN '{kind}'" for event, kind in _KINDS.items())
    return f"""
        WITH cells AS ({_cells_sql()}),
        named AS (
            SELECT *, md5(concat_ws(chr(31), time_text, coalesce(visitor, ''), event, coalesce(item, ''),
                                    coalesce(deal, ''), CASE event WHEN 'transaction' THEN
                                    concat_ws(chr(31), price_text, money) END)) AS digest,
                   CASE event {kinds} END AS kind
            FROM cells),
        judged AS (
            SELECT *, {_refusal_sql()} AS refusal,
                   row_number() OVER (PARTITION BY digest ORDER BY position) > 1 AS is_repeat
            FROM named)
        SELECT '{SOURCE}' AS source, concat_ws('-', event, left(digest, 24)) AS source_id, kind,
               visitor AS customer_ref, timezone('UTC', epoch_ms(milliseconds)) AS occurred_at,
               occurred_at AS received_at, deal AS order_ref,
               CASE event WHEN 'transaction' THEN TRY_CAST(minor AS BIGINT) END AS amount_minor,
               money AS currency, {_payload_sql()} AS payload,
               place, position, digest, is_repeat, refusal.field AS field, refusal.reason AS reason
        FROM judged ORDER BY position
    """


def _cells_sql() -> str:
    return """
        SELECT trim("timestamp") AS time_text, TRY_CAST(time_text AS BIGINT) AS milliseconds,
               nullif(trim(visitorid), '') AS visitor, lower(trim("event")) AS event,
               nullif(trim(itemid), '') AS item, nullif(trim(transactionid), '') AS deal,
               nullif(trim(price), '') AS price_text, TRY_CAST(price_text AS DECIMAL(18, 6)) AS each,
               nullif(trim(given.currency), '') AS money,
               each * CASE digits WHEN 0 THEN 1 WHEN 3 THEN 1000 ELSE 100 END AS minor, place, position
        FROM given LEFT JOIN scale ON scale.currency = trim(given.currency)
    """


def _refusal_sql() -> str:
    """Why a line is not taken, first reason first; null when it is."""
    first, last = _MILLISECONDS
    sold = "event = 'transaction' AND "
    cases = (
        ("visitor IS NULL", "customer_ref", "missing"),
        ("kind IS NULL", "event", "not view, addtocart or transaction"),
        (f"coalesce(milliseconds, 0) NOT BETWEEN {first} AND {last}", "timestamp", "not in milliseconds"),
        ("item IS NULL", "itemid", "missing"),
        (f"{sold}deal IS NULL", "transactionid", "missing"),
        ("event <> 'transaction' AND deal IS NOT NULL", "transactionid", "not part of this event"),
        (f"{sold}price_text IS NULL", "price", "missing"),
        (f"{sold}each IS NULL", "price", "not a number"),
        (f"{sold}each <= 0", "price", "not above zero"),
        (f"{sold}money IS NULL", "currency", "missing"),
        (
            f"{sold}NOT regexp_matches(money, '{CURRENCY_PATTERN}')",
            "currency",
            "not a currency code (ISO 4217)",
        ),
        (f"{sold}minor <> floor(minor)", "price", "more decimals than the currency has"),
    )
    whens = " ".join(
        f"WHEN {condition} THEN {{'field': '{field}', 'reason': '{reason}'}}"
        for condition, field, reason in cases
    )
    return f"CASE {whens} END"


def _payload_sql() -> str:
    return """
        CAST(CASE event
            WHEN 'view' THEN json_object('sku', item)
            WHEN 'addtocart' THEN json_object('sku', item, 'quantity', 1)
            ELSE json_object('sku', item, 'quantity', 1, 'unit_price_minor', TRY_CAST(minor AS BIGINT))
        END AS VARCHAR)
    """
