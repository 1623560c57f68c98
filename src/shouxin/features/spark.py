"""The same definitions on Apache Spark, for a history that one machine does not hold."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa

from shouxin.features.compiler import (
    DIALECTS,
    chunks_of,
    fact_select,
    features_select,
    first_known_select,
    known_customers_select,
    withdrawn_select,
    word_select,
)
from shouxin.features.domain import CATALOGUE, FeatureDefinition, parts_of
from shouxin.features.store import LINK_COLUMNS, micros, parquet_files
from shouxin.ingestion.consent.domain import PURPOSES
from shouxin.kernel import Progress, silent

_SPARK = DIALECTS["spark"]
# One query of the whole catalogue is a plan of some hundred joins: Spark's planner does not end with it.
_GRAINS_A_QUERY = 8
_AGGREGATES_A_QUERY = 40
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # As our own tables have it: microseconds that know that they are UTC.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # To copy each grain whole to every worker costs more memory than to sort it by customer.
    "spark.sql.autoBroadcastJoinThreshold": "-1",
}
# On one machine the code that Spark writes for so wide a grouping takes longer to compile than to do without.
_SETTINGS_OF_ONE_MACHINE = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}


class UnableToRunSpark(RuntimeError):
    """Spark, or the Java that it runs on, is not there or does not start."""


def compute_on_spark(
    history: Path,
    links: pa.Table,
    out: Path,
    *,
    as_of: datetime,
    definitions: Sequence[FeatureDefinition] = CATALOGUE,
    master: str = "local[*]",
    progress: Progress = silent,
) -> int:
    """Write ``customer_id, as_of, <feature>...`` of everyone known at ``as_of`` as Parquet below ``out``.

    The values are those of ``compute`` to the last bit; returns how many customers there are. ``out`` is a
    folder, as each worker writes a file of its own; one that is there is written anew. ``master`` names the
    cluster as Spark does; its workers must read ``history`` under the same path. A Spark that this process
    already runs is used as it is. Raises UnableToReadHistory and UnableToRunSpark.
    """
    files = parquet_files(history)
    with _opened(master) as session:
        session.read.parquet(*files).createOrReplaceTempView("history")
        session.createDataFrame(links.select(LINK_COLUMNS)).createOrReplaceTempView("link")
        table = _valued(session, definitions, as_of=as_of, progress=progress)
        names = [definition.name for definition in definitions]
        instant = f"timestamp_micros({micros(as_of)}) AS as_of"
        table.selectExpr("customer_id", instant, *names).write.mode("overwrite").parquet(str(out))
        return int(table.count())


def _valued(
    session: Any, definitions: Sequence[FeatureDefinition], *, as_of: datetime, progress: Progress
) -> Any:
    """``customer_id, <feature>...`` of everyone known at ``as_of``; reads the views history and link."""
    bound = {"as_of": micros(as_of)}
    withdrawn = _prepared(session, definitions, bound)
    chunks = list(chunks_of(definitions, grains=_GRAINS_A_QUERY, aggregates=_AGGREGATES_A_QUERY))
    tables = []
    for done, chunk in enumerate(chunks, 1):
        query = features_select(chunk, dialect=_SPARK, withdrawn=withdrawn)
        # Computed here and now, and cut off from how it was made: the plan of the join below stays small.
        tables.append(_run(session, _SPARK.sql(query), bound).localCheckpoint())
        progress(done, len(chunks))
    return reduce(lambda left, right: left.join(right, on="customer_id"), tables).localCheckpoint()


def _prepared(
    session: Any, definitions: Sequence[FeatureDefinition], bound: Mapping[str, int]
) -> frozenset[str]:
    """Make the tables that every chunk reads, each once; returns the purposes that somebody took back."""
    steps = {
        "fact": fact_select(_SPARK, parts_of(definitions)),
        "first_known": first_known_select(_SPARK),
        "wanted": known_customers_select(_SPARK),
        "word": word_select(_SPARK),
        "withdrawn": withdrawn_select(_SPARK),
    }
    for name, step in steps.items():
        _run(session, _SPARK.sql(step), bound).localCheckpoint().createOrReplaceTempView(name)
    told = session.sql("SELECT DISTINCT purpose FROM withdrawn").collect()
    return frozenset(PURPOSES.keys() & {row["purpose"] for row in told})


def _run(session: Any, sql: str, bound: Mapping[str, int]) -> Any:
    # Spark refuses a value that no place in the query asks for.
    return session.sql(sql, args=dict(bound)) if ":as_of" in sql else session.sql(sql)


@contextmanager
def _opened(master: str) -> Iterator[Any]:
    """A session with the settings of our queries; one that was there before gets its own back."""
    spark_session = _spark_session()
    before = spark_session.getActiveSession()
    session = before if before is not None else _started(spark_session, master)
    settings = dict(_SETTINGS)
    if session.sparkContext.master.startswith("local"):
        # A task a processor: Spark's 200 tasks a step would be spent on starting them.
        partitions = {"spark.sql.shuffle.partitions": str(session.sparkContext.defaultParallelism)}
        settings |= _SETTINGS_OF_ONE_MACHINE | partitions
    kept = {name: session.conf.get(name, None) for name in settings}
    for name, value in settings.items():
        session.conf.set(name, value)
    try:
        yield session
    finally:
        if before is None:
            session.stop()
        else:
            _put_back(session, kept)


def _put_back(session: Any, kept: Mapping[str, str | None]) -> None:
    for name, value in kept.items():
        if value is None:
            session.conf.unset(name)
        else:
            session.conf.set(name, value)


def _spark_session() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UnableToRunSpark(
            "pyspark is not installed; install shouxin with its extra spark: pip install 'shouxin[spark]'"
        ) from error
    return SparkSession


def _started(spark_session: Any, master: str) -> Any:
    """A new session of ``master``. Raises UnableToRunSpark."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        raise UnableToRunSpark(
            "there is no Java, and Spark runs on one; install Java 17 or later, or let JAVA_HOME name it"
        )
    builder = spark_session.builder.master(master).appName("shouxin features")
    for name, value in _STARTING.items():
        builder = builder.config(name, value)
    if master.startswith("local"):
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
        builder = builder.config("spark.driver.host", "127.0.0.1")
    try:
        session = builder.getOrCreate()
    except (Py4JError, PySparkException) as error:
        why = next((line.strip() for line in str(error).splitlines() if "Exception" in line), "")
        raise UnableToRunSpark(
            f"Spark does not start at {master!r}: look at --master and at Java (17 or later). {why}"
        ) from error
    session.sparkContext.setLogLevel("ERROR")
    return session


# Like the memory of the run on DuckDB: the larger part of the machine stays with others.
_STARTING = {
    "spark.driver.memory": "4g",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
