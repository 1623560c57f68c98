"""The same definitions on Apache Spark, for a history that one machine does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from shouxin.features.compiler import DIALECTS, compile_features
from shouxin.features.domain import CATALOGUE, FeatureDefinition
from shouxin.features.store import LINK_COLUMNS, micros, parquet_files


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
        sql = compile_features(definitions, dialect=DIALECTS["spark"])
        valued = session.sql(sql, args={"as_of": micros(as_of)})
        names = [definition.name for definition in definitions]
        instant = f"timestamp_micros({micros(as_of)}) AS as_of"
        valued.selectExpr("customer_id", instant, *names).write.mode("overwrite").parquet(str(out))
        return int(session.read.parquet(str(out)).count())
    finally:
        session.stop()


def _session(master: str) -> Any:
    """A session whose clock is UTC, as the compiled SQL asks for."""
    try:
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UnableToRunSpark("pyspark is not installed; install shouxin with its extra spark") from error
    builder = SparkSession.builder.master(master).appName("shouxin features")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise UnableToRunSpark(f"Spark does not start; it needs Java 17 or later: {error}") from error
