"""`shouxin ingest` as people and other programs call it."""

import json

import pytest
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from shouxin.database.supervisor import OWNER_ROLE
from shouxin.entrypoints.cli.ingest import app

LINES = (
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    "536365,85123A,LANTERN,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
    "536365,85123A,LANTERN,6,2010-12-01 08:26:00,2.55,,United Kingdom\n"
)


@pytest.fixture
def own_home(database, fresh_database, tmp_path, monkeypatch):
    """The folder of an installation with a database of its own: commands commit."""
    url = make_url(database.server.url(OWNER_ROLE)).set(database=fresh_database.engine.url.database)
    monkeypatch.setenv("SHOUXIN_DATABASE_URL", url.render_as_string(False))
    return tmp_path / "home"


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_load_prints_its_account_and_running_it_again_adds_nothing(own_home, tmp_path):
    file = tmp_path / "lines.csv"
    file.write_text(LINES)
    first = run("online-retail", file, "--home", own_home, "--json")
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout) == {
        "read": 2,
        "accepted": 1,
        "duplicates": 0,
        "quarantined": 1,
        "reasons": {"customer_ref: missing": 1},
    }
    again = json.loads(run("online-retail", file, "--home", own_home, "--json").stdout)
    assert (again["accepted"], again["duplicates"], again["quarantined"]) == (0, 1, 1)


def test_a_file_that_can_not_be_read_is_one_clear_line_and_exit_1(own_home, tmp_path):
    result = run("events", tmp_path / "none.csv", "--home", own_home, "--json")
    assert result.exit_code == 1
    assert "no such file or folder" in result.stderr
    assert result.stdout == ""


def test_the_schemas_are_written_to_a_folder(tmp_path):
    assert run("schemas", "--out", tmp_path / "schemas", "--json").exit_code == 0
    schema = json.loads((tmp_path / "schemas" / "order_placed.schema.json").read_text())
    assert schema["$id"] == "urn:shouxin:event:order_placed:1"


def test_clicks_and_surveys_are_loaded_with_an_account(own_home, tmp_path):
    clicks, answers = tmp_path / "events.csv", tmp_path / "answers.csv"
    lines = ("1433221332117,1,view,5,", "1433221332117,1,transaction,5,9")
    clicks.write_text("\n".join(("timestamp,visitorid,event,itemid,transactionid", *lines)))
    answers.write_text("客户编号,问卷,作答时间,满意度\nC1,回访,2026-01-05,5\nC2,回访,2026-01-05,九\n")
    told = json.loads(run("clickstream", clicks, "--home", own_home, "--json").stdout)
    assert (told["read"], told["accepted"], told["reasons"]) == (2, 1, {"price: missing": 1})
    told = json.loads(run("survey", answers, "--source", "crm", "--home", own_home, "--json").stdout)
    assert (told["read"], told["accepted"]) == (2, 1)
    assert told["reasons"] == {"satisfaction: not a whole number from 1 to 5": 1}
    listed = json.loads(run("quarantine", "--source", "crm", "--home", own_home, "--json").stdout)["rows"]
    assert [(row["place"], row["field"]) for row in listed] == [("answers.csv:3", "satisfaction")]
    broken = run("survey", clicks, "--home", own_home)
    assert broken.exit_code == 1 and broken.stderr.count("\n") == 1
    assert "no column means answered_at or customer_ref or survey" in broken.stderr
