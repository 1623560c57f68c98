"""Adapter: the UCI *Online Retail* set, one file or a folder of daily files.

What the lines are taken for, and why:

- A line without a customer can not tell anything about one: refused, ``customer_ref: missing``.
- A line that repeats another in every column says nothing new: a duplicate.
- An invoice ``C...`` is a cancellation: ``order_line_cancelled`` with positive quantity and amount.
  The set does not say which order it takes back, so ``order_ref`` is the cancellation's own number.
- A negative quantity on any other invoice is a stock correction, not a sale: refused.
- A price of zero or less is a gift, a correction or a debt written off: refused. A price below a
  penny (0.001) has no place in minor units: refused.
- Postage, fees, discounts and manual lines are money between shop and customer: accepted with
  ``product: false``.
- Times are London wall-clock time; the shop's till knew each line at once, so ``received_at`` is
  ``occurred_at``. Amounts are pounds.

The identity of a line follows from what it says, so daily files and one whole file agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from shouxin.ingestion.adapting import Interpreted, interpreted_chunks, split
from shouxin.ingestion.querying import query_table, working_engine
from shouxin.ingestion.reading import csv_chunks, files_below

SOURCE = "online-retail"
COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
# Codes of lines that are not goods.
NOT_PRODUCTS = ("POST", "DOT", "M", "D", "C2", "S", "B", "BANK CHARGES", "AMAZONFEE", "CRUK")


def online_retail_chunks(path: Path, *, rows: int = 100_000) -> Iterator[Interpreted]:
    """The lines below ``path`` as canonical events. Raises UnableToRead."""
    raw = csv_chunks(files_below(path), required=COLUMNS, source=SOURCE, legacy_encoding="cp1252", rows=rows)
    yield from interpreted_chunks(raw, interpret, source=SOURCE)


def interpret(lines: pa.Table) -> Interpreted:
    """Lines (text columns, ``place`` and ``position``) as canonical rows, repeats and refusals."""
    with working_engine() as engine:
        engine.register("given", lines)
        return split(query_table(engine, _interpret_sql()), lines, source=SOURCE)


def _interpret_sql() -> str:
    return f"""
        WITH cells AS ({_cells_sql()}),
        named AS (
            SELECT *, md5(concat_ws(chr(31), invoice, stock, coalesce(description, ''), quantity_text,
                                    time_text, price_text, coalesce(customer, ''), coalesce(country, '')))
                      AS digest,
                   starts_with(invoice, 'C') AS is_cancellation
            FROM cells),
        judged AS (
            SELECT *, {_refusal_sql()} AS refusal, abs(quantity) * price * 100 AS pence,
                   row_number() OVER (PARTITION BY digest ORDER BY position) > 1 AS is_repeat
            FROM named)
        SELECT '{SOURCE}' AS source, concat_ws('-', invoice, stock, left(digest, 16)) AS source_id,
               CASE WHEN is_cancellation THEN 'order_line_cancelled' ELSE 'order_line_placed' END AS kind,
               customer AS customer_ref,
               timezone('Europe/London', wall_time) AS occurred_at, occurred_at AS received_at,
               invoice AS order_ref, TRY_CAST(pence AS BIGINT) AS amount_minor, 'GBP' AS currency,
               {_payload_sql()} AS payload,
               place, position, digest, is_repeat, refusal.field AS field, refusal.reason AS reason
        FROM judged ORDER BY position
    """


def _cells_sql() -> str:
    """Cells trimmed and typed; what can not be typed keeps its text for the identity."""
    return """
        SELECT upper(trim(InvoiceNo)) AS invoice, trim(StockCode) AS stock,
               nullif(trim(Description), '') AS description, nullif(trim(Country), '') AS country,
               nullif(regexp_replace(trim(CustomerID), '\\.0+$', ''), '') AS customer,
               TRY_CAST(TRY_CAST(trim(Quantity) AS DECIMAL(18, 6)) AS BIGINT) AS quantity,
               TRY_CAST(trim(Quantity) AS DECIMAL(18, 6)) AS exact_quantity,
               TRY_CAST(trim(UnitPrice) AS DECIMAL(18, 6)) AS price,
               coalesce(TRY_CAST(trim(InvoiceDate) AS TIMESTAMP),
                        try_strptime(trim(InvoiceDate), '%m/%d/%Y %H:%M')) AS wall_time,
               coalesce(CAST(exact_quantity AS VARCHAR), Quantity) AS quantity_text,
               coalesce(CAST(price AS VARCHAR), UnitPrice) AS price_text,
               coalesce(CAST(wall_time AS VARCHAR), InvoiceDate) AS time_text, place, position
        FROM given
    """


def _refusal_sql() -> str:
    """Why a line is not taken, first reason first; null when it is."""
    cases = (
        ("invoice = ''", "InvoiceNo", "missing"),
        ("customer IS NULL", "customer_ref", "missing"),
        ("NOT regexp_matches(invoice, '^C?[0-9]+$')", "InvoiceNo", "neither an invoice nor a cancellation"),
        ("stock = ''", "StockCode", "missing"),
        ("wall_time IS NULL", "InvoiceDate", "not a time"),
        ("quantity IS NULL OR quantity <> exact_quantity", "Quantity", "not a whole number"),
        ("quantity = 0", "Quantity", "zero"),
        ("quantity < 0 AND NOT is_cancellation", "Quantity", "negative, and the invoice is no cancellation"),
        ("quantity > 0 AND is_cancellation", "Quantity", "positive on a cancellation"),
        ("price IS NULL", "UnitPrice", "not a number"),
        ("price <= 0", "UnitPrice", "not above zero"),
        ("price * 100 <> floor(price * 100)", "UnitPrice", "not a whole number of pence"),
    )
    whens = " ".join(
        f"WHEN {condition} THEN {{'field': '{field}', 'reason': '{reason}'}}"
        for condition, field, reason in cases
    )
    return f"CASE {whens} END"


def _payload_sql() -> str:
    codes = ", ".join(f"'{code}'" for code in NOT_PRODUCTS)
    return f"""
        CAST(json_merge_patch(
            json_object('sku', stock, 'quantity', abs(quantity),
                        'unit_price_minor', CAST(price * 100 AS BIGINT)),
            CASE WHEN country IS NULL THEN '{{}}'::JSON ELSE json_object('country', country) END,
            CASE WHEN upper(stock) IN ({codes}) THEN json_object('product', false) ELSE '{{}}'::JSON END
        ) AS VARCHAR)
    """
