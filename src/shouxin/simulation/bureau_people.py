"""Whom the simulated providers know: the people of a simulated shop, by hashed phone and identity number."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from shouxin.governance.domain import normalised
from shouxin.simulation.bureau import PRODUCTS, PROVIDER, answer_about
from shouxin.simulation.story import EVENT_COLUMNS, SOURCE

IDENTIFIERS = ("national_id", "phone")


class UnableToKnowPeople(ValueError):
    """The folder holds no simulated shop; the message says what is missing."""


def hashed(field: str, value: str) -> str:
    """An identifier as providers know it: the SHA-256 of its normal form."""
    return hashlib.sha256(normalised(field, value).encode()).hexdigest()


def hidden_risks(shop: Path) -> dict[str, float]:
    """The hidden risk of every reference of a simulated shop. Raises UnableToKnowPeople."""
    truth = shop / "truth" / "customers.parquet"
    try:
        table = pq.read_table(truth, columns=["customer_ref", "latent_risk"])
    except (OSError, pa.ArrowException, KeyError):
        raise UnableToKnowPeople(
            f"{truth} can not be read; `shouxin simulate --out {shop}` writes it"
        ) from None
    return dict(zip(table["customer_ref"].to_pylist(), table["latent_risk"].to_pylist(), strict=True))


def people_of(shop: Path) -> dict[str, tuple[str, float]]:
    """(reference, hidden risk) of everybody, by the hash of each phone and identity number they ever gave.

    Raises UnableToKnowPeople.
    """
    risks = hidden_risks(shop)
    known: dict[str, tuple[str, float]] = {}
    for reference, personal in _personal(shop):
        values = json.loads(personal)
        for field in IDENTIFIERS:
            if field in values and reference in risks:
                known[hashed(field, values[field])] = (reference, risks[reference])
    return known


def past_answers(
    shop: Path, *, on: Sequence[datetime], seed: int, references: Sequence[str] | None = None
) -> pa.Table:
    """What the providers answered about the shop's customers at instants gone by, as canonical events.

    The shop had asked for agreement a minute before. Everybody with a line is asked, or ``references``.
    Raises UnableToKnowPeople.
    """
    risks = hidden_risks(shop)
    asked = sorted(references if references is not None else _with_line(shop))
    rows: list[dict[str, Any]] = []
    for instant in sorted(on):
        for reference in asked:
            rows += _answered(reference, risks[reference], instant, seed=seed)
    return pa.Table.from_pylist(rows, schema=EVENT_COLUMNS)


def _answered(reference: str, risk: float, instant: datetime, *, seed: int) -> Iterator[dict[str, Any]]:
    agreed = {"purpose": "external_data", "text_version": "simulated-1", "channel": "app"}
    yield _event("consent_given", reference, f"{instant:%Y%m%d}", instant - timedelta(minutes=1), agreed)
    for product in PRODUCTS.values():
        told = answer_about(reference, product, risk=risk, seed=seed, on=instant.date())
        payload = {"provider": PROVIDER, "product": product.code, **told}
        name = f"{product.code}-{instant:%Y%m%d}"
        yield _event("external_score_received", reference, name, instant, payload)


def _event(
    kind: str, reference: str, name: str, instant: datetime, payload: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "source": SOURCE,
        "source_id": f"{kind}-{reference}-{name}",
        "kind": kind,
        "version": 1,
        "customer_ref": reference,
        "occurred_at": instant,
        "received_at": instant,
        "payload": json.dumps(payload),
    }


def _personal(shop: Path) -> list[tuple[str, str]]:
    return _asked_events(
        shop, "SELECT customer_ref, personal FROM read_parquet($files) WHERE personal IS NOT NULL"
        " AND kind IN ('customer_registered', 'customer_updated', 'customer_verified')",
    )  # fmt: skip


def _with_line(shop: Path) -> list[str]:
    found = _asked_events(
        shop, "SELECT DISTINCT customer_ref FROM read_parquet($files) WHERE kind = 'line_opened'"
    )
    return [reference for (reference,) in found]


def _asked_events(shop: Path, sql: str) -> list[Any]:
    files = sorted(str(path) for path in (shop / "events").glob("**/*.parquet"))
    if not files:
        raise UnableToKnowPeople(
            f"there are no events below {shop / 'events'}; `shouxin simulate` writes them"
        )
    with duckdb.connect() as engine:
        engine.execute("SET enable_progress_bar = false")  # it draws on standard output
        return engine.sql(sql, params={"files": files}).fetchall()
