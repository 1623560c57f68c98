"""`shouxin quality` and `shouxin quarantine` as people and other programs call them."""

import json

import pytest
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from shouxin.database.supervisor import OWNER_ROLE
from shouxin.entrypoints.cli import app

LINES = (
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    "536365,85123A,LANTERN,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
    "536366,85123A,LANTERN,6,2010-12-01 08:28:00,2.55,,United Kingdom\n"
    "536367,85123A,LANTERN,6,2010-12-01 08:30:00,2.55,,United Kingdom\n"
    "536368,85123A,LANTERN,-6,2010-12-01 08:34:00,2.55,17850.0,United Kingdom\n"
)
WHY = "the shop named the customer by phone"


@pytest.fixture
def own_home(database, fresh_database, tmp_path, monkeypatch):
    """The folder of an installation with a database of its own: commands commit."""
    url = make_url(database.server.url(OWNER_ROLE)).set(database=fresh_database.engine.url.database)
    monkeypatch.setenv("SHOUXIN_DATABASE_URL", url.render_as_string(False))
    monkeypatch.setenv("SHOUXIN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def loaded(own_home, tmp_path):
    (tmp_path / "lines.csv").write_text(LINES)
    return told("ingest", "online-retail", tmp_path / "lines.csv")


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def told(*arguments):
    answer = run(*arguments, "--json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_a_row_goes_from_refused_to_accepted_by_commands(loaded):
    assert loaded["quarantined"] == 3
    listed = told("quarantine", "list", "--rule", "missing")
    assert listed["total"] == 2
    assert [row["place"] for row in listed["rows"]] == ["lines.csv:4", "lines.csv:3"]
    number = listed["rows"][0]["quarantine_no"]
    shown = told("quarantine", "show", number)
    assert "held" not in shown and shown["mend"]["zh"] and shown["rule"] == "missing"
    assert told("quarantine", "show", number, "--reveal", WHY)["held"]["InvoiceNo"] == "536367"
    change = ("--set", "CustomerID=17850", "--reason", WHY)
    assert told("quarantine", "repair", number, *change, "--check")["outcome"] == "would be taken"
    assert told("quarantine", "repair", number, *change)["outcome"] == "accepted"
    repaired = told("quarantine", "show", number)
    assert (repaired["state"], repaired["repairs"][0]["fields"]) == ("accepted", ["CustomerID"])
    again = run("quarantine", "repair", number, *change)
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr == f"shouxin: row {number}: The row is dealt with already and changes no more.\n"


def test_a_choice_is_counted_first_and_discarded_then(loaded):
    choice = ("--rule", "missing", "--reason", "visitors who bought as guests")
    assert told("quarantine", "discard", *choice) == {"discarded": 0, "would_discard": 2}
    assert run("quarantine", "discard", *choice, "--expect", "5").exit_code == 1
    assert told("quarantine", "discard", *choice, "--expect", "2") == {"discarded": 2}
    replayed = told("quarantine", "replay")
    assert (replayed["read"], replayed["quarantined"], replayed["can_not_open"]) == (1, 1, [])
    account = told("quality", "balance")
    assert account == {
        "loads": {"read": 4, "accepted": 1, "duplicates": 0, "quarantined": 3, "kept": 3},
        "quarantine": {"kept": 3, "open": 1, "accepted": 0, "duplicate": 0, "discarded": 2},
        "whole": True,
    }


def test_the_score_of_a_source_and_its_days(loaded):
    answer = told("quality", "score", "--source", "online-retail")
    (source,) = answer["sources"]
    # Of four rows two have no customer and one has a wrong sign.
    assert (source["dimensions_bp"]["completeness"], source["dimensions_bp"]["consistency"]) == (5_000, 7_500)
    assert source["score_bp"] == 2_500 * 5_000 // 10_000 + 2_500 + 1_125 + 1_500 + 1_000 + 1_000
    assert source["findings"] == {"missing": 2, "quantity_sign": 1}
    assert len(source["days"]) == 1 and source["days"][0]["read"] == 4
    assert source["freshness"]["newest_event"].startswith("2010-12-01T08:26")
    assert told("quality", "score", "--source", "nobody")["sources"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("quarantine", "list", "--rule", "nonsense"), "is no rule"),
        (("quarantine", "list", "--older-than", "soon"), "is no age"),
        (("quarantine", "list", "--state", "lost"), "is no state"),
        (("quarantine", "repair", "1", "--set", "CustomerID", "--reason", WHY), "is no change"),
        (("quarantine", "discard", "--reason", WHY), "name rows by number"),
    ],
)
def test_wrong_usage_is_told(own_home, arguments, said):
    answer = run(*arguments)
    assert answer.exit_code == 2
    assert said in " ".join(answer.stderr.replace("│", " ").split())


def test_a_row_that_is_not_there_is_one_line_and_exit_1(own_home):
    answer = run("quarantine", "show", "12")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr == "shouxin: there is no row 12 in the quarantine\n"


def test_every_rule_is_listed_with_both_languages():
    rules = told("quality", "rules")["rules"]
    assert len(rules) > 40
    assert all(
        rule[text][language]
        for rule in rules
        for text in ("name", "meaning", "mend")
        for language in ("zh", "en")
    )
