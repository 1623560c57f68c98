"""Adapter: a folder of the Olist marketplace (orders and items; payments, customers, products if there).

What the rows are taken for, and why:

- ``customer_id`` is new for every order; with a customers file the person is ``customer_unique_id``.
- The amount of an order is what was paid, else the prices and freights of its items. Reais.
- A voucher is a wallet, a boleto a transfer; without payments the method is ``unknown``.
- Statuses ``canceled`` and ``unavailable`` are cancellations, the latter by the shop. The set does
  not say when: the last time known of the order is taken.
- ``days_late`` counts days from the promised date to the delivery; early is negative.
- An order whose items are not in the folder is refused as placed (``payload/items: missing``):
  nothing is made up. Items and payments of orders that are not in the folder are refused too.
- Times are São Paulo wall-clock time; the marketplace knew each at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from shouxin.ingestion.adapting import Interpreted
from shouxin.ingestion.querying import query_table, working_engine
from shouxin.ingestion.reading import RawChunk, RefusedRow, UnableToRead, csv_chunks

SOURCE = "olist"
# Each table by the words its file may be called, and the columns that are read.
_TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "orders": (
        ("olist_orders_dataset", "orders"),
        (
            "order_id",
            "customer_id",
            "order_status",
            "order_purchase_timestamp",
            "order_approved_at",
            "order_delivered_carrier_date",
            "order_delivered_customer_date",
            "order_estimated_delivery_date",
        ),
    ),
    "items": (
        ("olist_order_items_dataset", "order_items"),
        ("order_id", "product_id", "seller_id", "price", "freight_value"),
    ),
    "payments": (
        ("olist_order_payments_dataset", "order_payments"),
        ("order_id", "payment_type", "payment_value"),
    ),
    "customers": (("olist_customers_dataset", "customers"), ("customer_id", "customer_unique_id")),
    "products": (("olist_products_dataset", "products"), ("product_id", "product_category_name")),
    "words": (
        ("product_category_name_translation",),
        ("product_category_name", "product_category_name_english"),
    ),
}
_NEEDED = ("orders", "items")


def olist_chunks(folder: Path, *, rows: int = 100_000) -> Iterator[Interpreted]:
    """The orders in ``folder`` as canonical events. Raises UnableToRead."""
    with working_engine() as engine:
        refused: list[RefusedRow] = []
        for name in _TABLES:
            table, malformed = _table(folder, name)
            engine.register(name, table)
            refused += malformed
        for name in ("items", "payments"):
            refused += _orphans(engine, name)
        events = query_table(engine, _events_sql())
    refused = [_at(row, position) for position, row in enumerate(refused)]
    total = len(refused) + events.num_rows
    yield Interpreted(pa.table({}), tuple(refused), 0, SOURCE, 0, len(refused), total)
    for start in range(0, events.num_rows, rows):
        part = events.slice(start, rows)
        part = part.append_column("position", pa.array(range(part.num_rows), pa.int32()))
        first = len(refused) + start
        yield Interpreted(part, (), 0, "canonical", first, first + part.num_rows, total)


def _table(folder: Path, name: str) -> tuple[pa.Table, Sequence[RefusedRow]]:
    """One table of the folder, all text; empty when its file is not there and need not be."""
    stems, columns = _TABLES[name]
    files = [folder / f"{stem}{suffix}" for stem in stems for suffix in (".csv", ".csv.gz")]
    found = [file for file in files if file.is_file()]
    if not found:
        if name in _NEEDED:
            raise UnableToRead(
                f"{folder}: holds no {stems[0]}.csv (or {stems[-1]}.csv); put the {name} there"
            )
        return pa.table({column: pa.array([], pa.string()) for column in (*columns, "place")}), ()
    chunks: list[RawChunk] = list(csv_chunks(found[:1], required=columns, source=SOURCE))
    if not chunks:
        return pa.table({column: pa.array([], pa.string()) for column in (*columns, "place")}), ()
    table = pa.concat_tables([chunk.table for chunk in chunks])
    return table.drop_columns("position"), [row for chunk in chunks for row in chunk.malformed]


def _orphans(engine: duckdb.DuckDBPyConnection, name: str) -> list[RefusedRow]:
    """Rows of ``name`` whose order is not in the folder."""
    rows = query_table(
        engine,
        f"SELECT * FROM {name} WHERE order_id NOT IN (SELECT order_id FROM orders) ORDER BY place",
    )
    return [
        RefusedRow(row.pop("place"), 0, "order_id", "no such order in this folder", SOURCE, json.dumps(row))
        for row in rows.to_pylist()
    ]


def _at(row: RefusedRow, position: int) -> RefusedRow:
    return RefusedRow(row.place, position, row.field, row.reason, row.source, row.raw)


def _events_sql() -> str:
    """All events of all orders in canonical columns. A null payload field is left out."""
    return f"""
        WITH bought AS ({_bought_sql()}), paid AS ({_paid_sql()}), known AS ({_known_sql()})
        {_event_sql("placed", "order_placed", "purchased", _PLACED_PAYLOAD, amount="amount")}
        UNION ALL
        {
        _event_sql(
            "paid",
            "order_paid",
            "approved",
            "json_object('method', coalesce(method, 'unknown'))",
            amount="amount",
        )
    }
        UNION ALL {_event_sql("shipped", "order_shipped", "shipped", "json_object()")}
        UNION ALL {_event_sql("delivered", "order_delivered", "delivered", _DELIVERED_PAYLOAD)}
        UNION ALL
        {
        _event_sql(
            "cancelled",
            "order_cancelled",
            "last_known",
            _CANCELLED_PAYLOAD,
            amount="amount",
            where="status IN ('canceled', 'unavailable')",
        )
    }
    """


_PLACED_PAYLOAD = """
    json_merge_patch(json_object('payment_method', coalesce(method, 'unknown')),
        json_object('items', items, 'category', category, 'merchant_ref', merchant_ref))
"""
_DELIVERED_PAYLOAD = """
    json_merge_patch('{}', json_object('days_late',
        date_diff('day', CAST(promised AS DATE), CAST(delivered AS DATE))))
"""
_CANCELLED_PAYLOAD = "json_object('by', CASE status WHEN 'unavailable' THEN 'shop' ELSE 'customer' END)"


def _event_sql(
    step: str, kind: str, when: str, payload: str, *, amount: str = "NULL", where: str = ""
) -> str:
    # An order without a purchase time still comes out, to be refused with its reason.
    condition = where or ("true" if step == "placed" else f"{when} IS NOT NULL")
    return f"""
        SELECT '{SOURCE}' AS source, concat(order_id, ':{step}') AS source_id, '{kind}' AS kind,
               customer_ref, timezone('America/Sao_Paulo', {when}) AS occurred_at,
               timezone('America/Sao_Paulo', {when}) AS received_at, order_id AS order_ref,
               CAST({amount} AS BIGINT) AS amount_minor, 'BRL' AS currency,
               CAST({payload} AS VARCHAR) AS payload, place
        FROM known WHERE {condition}
    """


def _bought_sql() -> str:
    return """
        SELECT order_id, count(*) AS items, min(seller_id) AS merchant_ref,
               CAST(round(sum((price_of_it + freight) * 100)) AS BIGINT) AS minor,
               arg_max(coalesce(nullif(product_category_name_english, ''),
                                nullif(p.product_category_name, '')), price_of_it) AS category
        FROM (SELECT *, TRY_CAST(price AS DECIMAL(18, 4)) AS price_of_it,
                     TRY_CAST(freight_value AS DECIMAL(18, 4)) AS freight FROM items)
        LEFT JOIN products p USING (product_id)
        LEFT JOIN words w ON w.product_category_name = p.product_category_name
        GROUP BY order_id
    """


def _paid_sql() -> str:
    return """
        SELECT order_id, CAST(round(sum(TRY_CAST(payment_value AS DECIMAL(18, 4)) * 100)) AS BIGINT) AS minor,
               arg_max(CASE payment_type WHEN 'credit_card' THEN 'card' WHEN 'debit_card' THEN 'card'
                            WHEN 'boleto' THEN 'transfer' WHEN 'voucher' THEN 'wallet' ELSE 'unknown' END,
                       TRY_CAST(payment_value AS DECIMAL(18, 4))) AS method
        FROM payments GROUP BY order_id
    """


def _known_sql() -> str:
    return """
        SELECT o.order_id, o.place, o.order_status AS status,
               coalesce(c.customer_unique_id, nullif(o.customer_id, '')) AS customer_ref,
               TRY_CAST(order_purchase_timestamp AS TIMESTAMP) AS purchased,
               TRY_CAST(order_approved_at AS TIMESTAMP) AS approved,
               TRY_CAST(order_delivered_carrier_date AS TIMESTAMP) AS shipped,
               TRY_CAST(order_delivered_customer_date AS TIMESTAMP) AS delivered,
               TRY_CAST(order_estimated_delivery_date AS TIMESTAMP) AS promised,
               greatest(purchased, approved, shipped, delivered) AS last_known,
               coalesce(paid.minor, bought.minor) AS amount, items, merchant_ref, category, method
        FROM orders o LEFT JOIN customers c USING (customer_id)
        LEFT JOIN bought ON bought.order_id = o.order_id
        LEFT JOIN paid ON paid.order_id = o.order_id
        ORDER BY o.place
    """
