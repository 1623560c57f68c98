"""The same definitions on Apache Spark, for a history that one machine does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from shouxin.features.compiler import (
    DIALECTS,
    fact_select,
    features_select,
    first_known_select,
    known_customers_select,
    withdrawn_select,
    word_select,
)
from shouxin.features.domain import CATALOGUE, FeatureDefinition, parts_of
from shouxin.features.store import LINK_COLUMNS, micros, parquet_files

_SPARK = DIALECTS["spark"]


class UnableToRunSpark(RuntimeError):
    """Spark or the Java that it runs on is not there."""


def compute_on_spark(
    history: Path,
    links: pa.Table,
    out: Path,
    *,
    as_of: datetime,
    definitions: Sequence[FeatureDefinition] = CATALOGUE,
    master: str = "local[*]",
) -> int:
    """Write ``customer_id, as_of, <feature>...`` of everyone known at ``as_of`` as Parquet below ``out``.

    The values are those of ``compute`` to the last bit; returns how many customers there are. ``master``
    names the cluster as Spark does. Raises UnableToReadHistory and UnableToRunSpark.
    """
    files = parquet_files(history)
    session = _session(master)
    try:
        session.read.parquet(*files).createOrReplaceTempView("history")
        session.createDataFrame(links.select(LINK_COLUMNS)).createOrReplaceTempView("link")
        table = valued(session, definitions, as_of=as_of)
        names = [definition.name for definition in definitions]
        instant = f"timestamp_micros({micros(as_of)}) AS as_of"
        table.selectExpr("customer_id", instant, *names).write.mode("overwrite").parquet(str(out))
        return int(session.read.parquet(str(out)).count())
    finally:
        session.stop()


def valued(session: Any, definitions: Sequence[FeatureDefinition], *, as_of: datetime) -> Any:
    """``customer_id, <feature>...`` of everyone known at ``as_of``, from the views ``history`` and ``link``.

    The facts are prepared once: one query for all would read the history anew for each of its steps.
    """
    purposes = {purpose for definition in definitions for purpose in definition.purposes}
    steps = {
        "fact": fact_select(_SPARK, parts_of(definitions)),
        "first_known": first_known_select(_SPARK),
        "wanted": known_customers_select(_SPARK),
        "word": word_select(_SPARK),
        "withdrawn": withdrawn_select(_SPARK),
    }
    bound = {"as_of": micros(as_of)}
    for name, step in steps.items():
        sql = _SPARK.sql(step)
        made = session.sql(sql, args=bound) if ":as_of" in sql else session.sql(sql)
        made.persist().createOrReplaceTempView(name)
    query = features_select(definitions, dialect=_SPARK, withdrawn=purposes)
    return session.sql(_SPARK.sql(query), args=bound)


def _session(master: str) -> Any:
    """A session whose clock is UTC, as the compiled SQL asks for."""
    try:
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UnableToRunSpark("pyspark is not installed; install shouxin with its extra spark") from error
    builder = SparkSession.builder.master(master).appName("shouxin features")
    if master.startswith("local"):
        # One machine: Spark's 200 tasks a step would be spent on starting them.
        builder = builder.config("spark.sql.shuffle.partitions", "8")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        # As our own tables have it: microseconds that know that they are UTC.
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    }.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise UnableToRunSpark(f"Spark does not start; it needs Java 17 or later: {error}") from error
