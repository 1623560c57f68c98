"""``shouxin simulate``: figures for programs, tables for people, and refusals in one line."""

import json

import pytest
from typer.testing import CliRunner

from shouxin.entrypoints.cli import app

ASKED = ("simulate", "--customers", "1600", "--months", "12", "--live-days", "0", "--out")


def test_figures_are_one_object_that_says_what_the_report_says(tmp_path):
    ran = CliRunner().invoke(app, [*ASKED, str(tmp_path), "--json"])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert told.pop("peak_memory_gb") > 0
    assert told == json.loads((tmp_path / "report.json").read_text())
    assert told["gangs"]["ring"]["gangs"] == 1


def test_people_read_tables(tmp_path):
    ran = CliRunner().invoke(app, [*ASKED, str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    for word in ("11.11 2024", "Shocks", "bust_out", "counterfeit", "adverse selection", "moral hazard"):
        assert word in ran.stdout


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("--customers", "3"), "customers must be 20 to 8000000, not 3"),
        (("--browsing", "99"), "visits a month must be 0 to 30"),
        (("--workers", "100"), "workers must be 1 to 64"),
    ],
)
def test_an_impossible_world_is_one_line_and_1(tmp_path, change, says):
    ran = CliRunner().invoke(app, [*ASKED, str(tmp_path), *change])
    assert ran.exit_code == 1
    assert says in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_folder_that_can_not_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    ran = CliRunner().invoke(app, [*ASKED, str(tmp_path / "file" / "below")])
    assert ran.exit_code == 1
    assert "can not write to" in ran.stderr
