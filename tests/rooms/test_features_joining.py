"""Stored values joined to instants: the newest of then, never one of later; and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doors.test_cli import run
from shouxin.features import STORED_AT, UnableToJoin, join_stored

INSTANT = pa.timestamp("us", tz="UTC")
START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number):
    return START + timedelta(days=number)


def written(path, rows, *columns):
    """A Parquet file of (customer, day, ...) rows."""
    names = ("customer_id", "as_of", *columns)
    given = list(zip(*rows, strict=True)) or [()] * len(names)
    types = [pa.string(), INSTANT, *[None] * len(columns)]
    table = {
        name: pa.array([day(v) for v in values] if name == "as_of" else list(values), kind)
        for name, values, kind in zip(names, given, types, strict=True)
    }
    pq.write_table(pa.table(table), path)
    return path


def test_each_point_has_the_newest_of_then(tmp_path):
    values = written(tmp_path / "v", [("a", 0, 1.5, "x"), ("a", 10, None, "y"), ("b", 5, 3.0, "z")], "n", "t")
    points = written(
        tmp_path / "p", [("b", 4, 7), ("a", 10, 8), ("a", 9, 9), ("c", 9, 10), ("b", 99, 11)], "label"
    )
    found = join_stored(values, points)
    assert found.column_names == ["customer_id", "as_of", "label", "n", "t", STORED_AT]
    assert found["label"].to_pylist() == [7, 8, 9, 10, 11]  # the order of the points
    assert found["n"].to_pylist() == [None, None, 1.5, None, 3.0]
    assert found["t"].to_pylist() == [None, "y", "x", None, "z"]
    assert found[STORED_AT].to_pylist() == [None, day(10), day(0), None, day(5)]


def test_columns_may_have_any_name_and_the_order_stays(tmp_path):
    values = written(tmp_path / "v", [("a", 0, 1.5)], "row number")
    points = written(tmp_path / "p", [("a", 1, 9), ("a", 2, 3), ("b", 0, 5)], "place")
    found = join_stored(values, points)
    assert found["place"].to_pylist() == [9, 3, 5] and found["row number"].to_pylist() == [1.5, 1.5, None]


def test_what_is_too_old_is_missing(tmp_path):
    values = written(tmp_path / "v", [("a", 0, 1)], "n")
    points = written(tmp_path / "p", [("a", 30), ("a", 31)])
    assert join_stored(values, points, max_age=timedelta(days=30))["n"].to_pylist() == [1, None]


stored = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.integers(0, 9)), st.integers(-9, 9), max_size=12
)
asked = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 9)), max_size=12)


@given(stored=stored, asked=asked)
def test_the_same_as_looking_through_them(tmp_path_factory, stored, asked):
    folder = tmp_path_factory.mktemp("joined")
    values = written(folder / "v", [(*key, value) for key, value in stored.items()], "n")
    if not stored:
        pq.write_table(pq.read_table(values).set_column(2, "n", pa.array([], pa.int64())), values)
    points = written(folder / "p", asked)
    expected = [
        max(
            ((at, n) for (who, at), n in stored.items() if who == customer and at <= instant),
            default=(0, None),
        )
        for customer, instant in asked
    ]
    assert join_stored(values, points)["n"].to_pylist() == [n for _, n in expected]


@pytest.mark.parametrize(
    ("values", "columns", "says"),
    [
        ([("a", 0, 1), ("a", 0, 2)], ("n",), "has 2 rows of customer a at 2026-01-01"),
        ([("a", 0)], (), "no column beside customer_id and as_of"),
        ([("a", 0, 1)], ("Label",), "both files have a column 'Label'"),
        ([("a", 0, 1)], (STORED_AT,), "rename the column of yours"),
    ],
)
def test_what_can_not_be_joined_is_told(tmp_path, values, columns, says):
    points = written(tmp_path / "p", [("a", 1, 0)], "label")
    with pytest.raises(UnableToJoin, match=says):
        join_stored(written(tmp_path / "v", values, *columns), points)


def test_an_instant_needs_its_zone_and_a_customer_is_text(tmp_path):
    points = written(tmp_path / "p", [("a", 1)])
    for column, values, says in (
        (
            "as_of",
            pa.array([day(0).replace(tzinfo=None)], pa.timestamp("us")),
            "not an instant with its zone",
        ),
        ("customer_id", pa.array([7]), "customer_id of .* is BIGINT, not text"),
    ):
        table = pq.read_table(written(tmp_path / "v", [("a", 0, 1)], "n"))
        pq.write_table(table.set_column(table.column_names.index(column), column, values), tmp_path / "v")
        with pytest.raises(UnableToJoin, match=says):
            join_stored(tmp_path / "v", points)
    pq.write_table(pa.table({"as_of": [1]}), tmp_path / "v")
    with pytest.raises(UnableToJoin, match="has no column 'customer_id'"):
        join_stored(tmp_path / "v", points)
    (tmp_path / "v").write_text("no Parquet")
    with pytest.raises(UnableToJoin, match="can not be read as Parquet"):
        join_stored(tmp_path / "v", points)


def test_at_the_terminal(tmp_path):
    values = written(tmp_path / "v", [("a", 0, 1.5)], "n")
    points = written(tmp_path / "p", [("a", 40), ("b", 3)])
    files = ("--values", str(values), "--points", str(points), "--out", str(tmp_path / "out"))
    done = run("features", "join", *files, "--json")
    assert done.returncode == 0 and '"with_values": 1' in done.stdout, done.stderr
    assert pq.read_table(tmp_path / "out")["n"].to_pylist() == [1.5, None]
    stale = run("features", "join", *files, "--max-age-days", "30", "--json")
    assert '"with_values": 0' in stale.stdout
    wrong = run("features", "join", *files[:2], "--points", str(tmp_path / "none"), *files[4:])
    assert wrong.returncode == 1 and "none can not be read" in wrong.stderr
