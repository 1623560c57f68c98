"""The SELECT of a model gives the points, pd and contributions that Python gives, to the last bit."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy

from shouxin.scoring import (
    DIALECTS,
    Artefact,
    UnableToExport,
    score_one,
    scoring_sql,
    train_columns,
)

NAN = float("nan")
ODD = [0.0, -0.0, -9.0, -8.0, 1e300, -1e300, math.inf, -math.inf, NAN, None, 1.0, 2.0, 5e-324]
TEXTS = ["app", "web", "o'hara", 'say "hi"', "back\\slash", "门店", "", None, "never met"]


@pytest.fixture(scope="module", params=["scorecard", "ebm"])
def artefact(request) -> Artefact:
    rng = np.random.default_rng(3)
    rows = 3_000
    late = rng.poisson(0.8, rows).astype(float)
    late[rng.random(rows) < 0.1] = -9.0
    late[rng.random(rows) < 0.1] = -8.0
    late[rng.random(rows) < 0.05] = np.nan
    channel = rng.choice(np.array(TEXTS[:-1], dtype=object), rows)
    left, right = rng.normal(size=(2, rows))
    odds = -1.4 + 0.7 * np.where(late < 0, 1.2, np.nan_to_num(late)) + 0.6 * left * right
    odds += np.where(channel == "web", 0.8, np.where(channel == "o'hara", -1.0, 0.0)) + 0.5 * left
    y = (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    columns = {"late days": late, 'cha"nnel': channel, "left": left, "right": right}
    settings = {"bags": 1, "learning_rate": 0.2, "pairs": 3} if request.param == "ebm" else {}
    return train_columns(columns, y, model=request.param, special=(-9, -8), settings=settings).artefact


@pytest.fixture(scope="module")
def rows(artefact) -> list[dict[str, Any]]:
    rng = np.random.default_rng(4)
    edges = {f.name: [*f.edges, *f.pair_edges] for f in artefact.features}
    found = []
    for number in range(400):
        row: dict[str, Any] = {"id": number}
        for feature in artefact.features:
            if feature.type == "category":
                row[feature.name] = TEXTS[rng.integers(len(TEXTS))]
            else:
                drawn = [*ODD, *edges[feature.name], *rng.normal(size=8).tolist()]
                row[feature.name] = drawn[rng.integers(len(drawn))]
        found.append(row)
    return found


def arrow(artefact: Artefact, rows: list[dict[str, Any]]) -> pa.Table:
    kinds = {f.name: pa.string() if f.type == "category" else pa.float64() for f in artefact.features}
    fields = {"id": pa.int64(), **kinds}
    return pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in fields.items()})


def check(artefact: Artefact, rows: list[dict[str, Any]], answered: list[dict[str, Any]]) -> None:
    told = {row["id"]: row for row in answered}
    assert len(told) == len(rows)
    for row in rows:
        ours, theirs = score_one(artefact, row), told[row["id"]]
        assert (theirs["points"], theirs["log_odds"]) == (ours.points, ours.log_odds)
        assert theirs["pd"].hex() == ours.pd.hex()
        assert theirs["reference_points"] == ours.reference_points
        assert theirs["reference_log_odds"] == ours.reference_log_odds
        for part in ours.contributions:
            assert theirs[f"{part.feature}_log_odds"] == part.log_odds
            assert theirs[f"{part.feature}_points"] == part.points


def test_duckdb_gives_the_same_bits(artefact, rows):
    with duckdb.connect() as connection:
        connection.register("given", arrow(artefact, rows))
        sql = scoring_sql(artefact, dialect="duckdb", table="given", keys=["id"])
        check(artefact, rows, connection.sql(sql).to_arrow_table().to_pylist())


def test_postgres_gives_the_same_bits(artefact, rows, db):
    kinds = {f.name: "TEXT" if f.type == "category" else "DOUBLE PRECISION" for f in artefact.features}
    preparer = db.dialect.identifier_preparer
    columns = ", ".join(f"{preparer.quote_identifier(name)} {kind}" for name, kind in kinds.items())
    db.exec_driver_sql(f"CREATE TEMP TABLE given (id BIGINT, {columns})")
    places = ", ".join(["%s"] * (1 + len(kinds)))
    given = [(row["id"], *(row[name] for name in kinds)) for row in rows]
    db.exec_driver_sql(f"INSERT INTO given VALUES ({places})", given)
    sql = scoring_sql(artefact, dialect="postgres", table="given", keys=["id"])
    answered = db.execute(sqlalchemy.text(sql.replace(":", "\\:"))).mappings().all()
    check(artefact, rows, [dict(row) for row in answered])


def test_spark_gives_the_same_bits(artefact, rows, spark, tmp_path):
    import pyarrow.parquet

    pyarrow.parquet.write_table(arrow(artefact, rows), tmp_path / "given.parquet")
    spark.read.parquet(str(tmp_path / "given.parquet")).createOrReplaceTempView("given")
    sql = scoring_sql(artefact, dialect="spark", table="given", keys=["id"])
    check(artefact, rows, [row.asDict() for row in spark.sql(sql).collect()])


def test_what_can_not_be_written_is_told(artefact):
    with pytest.raises(UnableToExport, match="no dialect 'oracle'; there are duckdb, postgres, spark"):
        scoring_sql(artefact, dialect="oracle", table="t")
    assert DIALECTS == ("duckdb", "postgres", "spark")
