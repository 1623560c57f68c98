"""Reading tables: what shops, banks and universities hand over."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from shouxin.scoring import UnableToFindColumn, UnableToReadTable, read_table


def written(folder: Path, content: bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_delimiters_and_marks(tmp_path, end, delimiter, mark):
    text = end.join(delimiter.join(row) for row in (["a", "b"], ["1", "x"], ["2.5", ""], ["NA", "y"]))
    table = read_table(written(tmp_path, mark + text.encode()))
    np.testing.assert_array_equal(table.columns["a"], [1.0, 2.5, np.nan])
    assert table.columns["b"].tolist() == ["x", None, "y"]


def test_gbk_and_decimal_commas(tmp_path):
    table = read_table(written(tmp_path, "姓氏;金额\n张;1,5\n李;?\n".encode("gbk")))
    np.testing.assert_array_equal(table.columns["金额"], [1.5, np.nan])
    assert table.columns["姓氏"].tolist() == ["张", "李"]


def test_a_second_header_line_names_the_columns_and_the_first_stays_usable(tmp_path):
    content = b"\xef\xbb\xbf,X1,Y\rID,LIMIT,default next month\r1,200,0\r2,300,1\r3,400,0\r"
    table = read_table(written(tmp_path, content))
    assert list(table.columns) == ["ID", "LIMIT", "default next month"]
    assert table.name("Y") == "default next month"
    assert table.column("X1").tolist() == [200.0, 300.0, 400.0]
    assert list(read_table(tmp_path / "table.csv", columns=["Y"]).columns) == ["default next month"]


def test_a_row_of_texts_is_not_taken_for_a_header(tmp_path):
    table = read_table(written(tmp_path, b"a,b,c\nx,y,z\np,q,1\nr,s,2\n"))
    assert list(table.columns) == ["a", "b", "c"]
    assert len(table) == 3


def test_quotes_hold_delimiters_and_line_ends(tmp_path):
    table = read_table(written(tmp_path, b'a,b\n"x, y\nz",1\n"say ""hi""",2\n'))
    assert table.columns["a"].tolist() == ["x, y\nz", 'say "hi"']
    assert table.columns["b"].tolist() == [1.0, 2.0]


def test_codes_with_leading_zeros_stay_texts(tmp_path):
    assert read_table(written(tmp_path, b"a,b\n007,1\n12,2\n")).columns["a"].tolist() == ["007", "12"]


def test_thousands_in_quotes_and_underscored_codes(tmp_path):
    table = read_table(written(tmp_path, b'a,b\n"1,234.5",1_2\n"12,345",3_4\n7,5\n'))
    assert table.columns["a"].tolist() == [1234.5, 12345.0, 7.0]
    assert table.columns["b"].tolist() == ["1_2", "3_4", "5"]


def test_packed_files(tmp_path):
    plain = b"a,b\n1,2\n"
    written(tmp_path, gzip.compress(plain), "t.csv.gz")
    with zipfile.ZipFile(tmp_path / "t.csv.zip", "w") as archive:
        archive.writestr("t.csv", plain)
    for name in ("t.csv.gz", "t.csv.zip"):
        assert read_table(tmp_path / name).columns["b"].tolist() == [2.0]


def test_parquet(tmp_path):
    columns = {"n": [1, None], "t": ["x", None], "b": [True, False], "d": [pa.scalar(0, pa.date32()), None]}
    pa.parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    np.testing.assert_array_equal(table.columns["n"], [1.0, np.nan])
    assert table.columns["t"].tolist() == ["x", None]
    assert table.columns["b"].tolist() == [1.0, 0.0]
    assert table.columns["d"].tolist() == ["1970-01-01", None]


def test_empty_and_repeated_names_are_told_apart(tmp_path):
    assert list(read_table(written(tmp_path, b",a,a\n1,2,3\n")).columns) == ["column_1", "a", "a_2"]


def test_a_wrong_name_is_answered_with_near_ones(tmp_path):
    table = read_table(written(tmp_path, b"income,age\n1,2\n"))
    assert table.name(" Income ") == "income"
    with pytest.raises(UnableToFindColumn, match="did you mean 'income'"):
        table.column("incme")
    with pytest.raises(UnableToFindColumn, match="there are 'income', 'age'"):
        table.column("zzz")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"a,b\n", "has no rows"),
        (b"1,2\n3,4\n", "holds numbers, not names"),
        (b"a,b\n1,2\nZhang,San,3\n", "Expected 2 columns, got 3"),
        (b"PK\x03\x04\0\0", "is not text"),
    ],
)
def test_what_is_no_table_is_refused_without_showing_its_rows(tmp_path, content, said):
    with pytest.raises(UnableToReadTable, match=said) as caught:
        read_table(written(tmp_path, content))
    assert "Zhang" not in str(caught.value)


def test_broken_packages_are_refused(tmp_path):
    for name in ("t.csv.gz", "t.csv.xz", "t.csv.zip", "t.csv.bz2", "t.parquet"):
        with pytest.raises(UnableToReadTable):
            read_table(written(tmp_path, b"a,b\n1,2\n", name))
    with pytest.raises(UnableToReadTable, match="there is no file"):
        read_table(tmp_path / "nothing.csv")


def test_what_spreadsheets_of_the_west_write(tmp_path):
    table = read_table(written(tmp_path, "sep=;\ncafé;n\nnaïve, yes;1\nplain;2\n".encode("cp1252")))
    assert table.columns["café"].tolist() == ["naïve, yes", "plain"]
    np.testing.assert_array_equal(table.columns["n"], [1.0, 2.0])


@pytest.mark.parametrize("content", [b"a,b\n" + b"x" * 200_000 + b",1\n", b"\xff\x01\x02\x03" * 500])
def test_what_is_no_table_is_refused_in_words(tmp_path, content):
    with pytest.raises(UnableToReadTable, match=r"field larger|is not text"):
        read_table(written(tmp_path, content))
