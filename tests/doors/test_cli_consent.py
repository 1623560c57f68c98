"""`shouxin consent` at the terminal: words, texts and policies."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from conftest import QUICK, open_folder
from shouxin.database import Home, opened
from shouxin.entrypoints.cli import app


@pytest.fixture(scope="module")
def run():
    with open_folder() as folder, opened(Home(folder), settings=QUICK):

        def invoke(*arguments):
            told = CliRunner().invoke(app, [*arguments, "--home", str(folder)])
            return told.exit_code, told.stdout, told.stderr

        yield invoke


def figures(told):
    code, out, err = told
    assert code == 0, err
    return json.loads(out)


def test_a_consent_from_its_text_to_its_withdrawal(run):
    code, out, err = run("consent", "grant", "shop:C1", "behaviour")
    assert (code, out) == (1, "") and "publish one first" in err and err.count("\n") == 1
    published = ("consent", "publish", "behaviour", "2026-01", "--zh", "我们分析浏览。", "--en", "We look.")
    assert figures(run(*published, "--json"))["text_version"] == "2026-01"
    code, _, err = run(*published[:-1], "Other words.")
    assert code == 1 and "use a new version" in err
    granted = figures(run("consent", "grant", "shop:C1", "behaviour", "--channel", "phone", "--json"))
    assert (granted["state"], granted["text_version"]) == ("granted", "2026-01")
    withdrawn = figures(run("consent", "withdraw", "shop:C1", "behaviour", "--json"))
    assert (withdrawn["outcomes"], withdrawn["state"]) == ({"shop:C1": "accepted"}, "withdrawn")
    shown = figures(run("consent", "show", "shop:C1", "--json"))
    assert {c["purpose"]: c["state"] for c in shown["consents"]}["behaviour"] == "withdrawn"
    assert [w["state"] for w in shown["history"]] == ["withdrawn", "granted"]
    before = figures(run("consent", "show", "shop:C1", "--as-of", "2020-01-01", "--json"))
    assert {c["state"] for c in before["consents"]} == {"never_asked"}
    code, out, _ = run("consent", "show", "shop:C1")
    assert code == 0 and "phone" in out
    assert [t["purpose"] for t in figures(run("consent", "texts", "--json"))["texts"]] == ["behaviour"]


def test_a_policy_is_set_shown_and_turned_off(run, tmp_path):
    assert figures(run("consent", "policy", "set", "shop", "--standard", "--json"))["kinds"]
    file = tmp_path / "policy.json"
    file.write_text('{"kinds": {"survey_answered": {"purpose": "survey", "without": "refuse"}}}')
    last = figures(run("consent", "policy", "set", "shop", "--file", str(file), "--json"))
    shown = figures(run("consent", "policy", "show", "shop", "--json"))["policies"]
    assert [(one["version"], list(one["kinds"])) for one in shown] == [(last["version"], ["survey_answered"])]
    code, out, _ = run("consent", "policy", "show")
    assert code == 0 and "survey_answered" in out
    assert figures(run("consent", "policy", "set", "shop", "--off", "--json"))["kinds"] == {}
    file.write_text('{"kinds": {"survey_answered": {"purpose": "fun", "without": "refuse"}}}')
    code, _, err = run("consent", "policy", "set", "shop", "--file", str(file))
    assert code == 1 and "kinds/survey_answered" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("consent", "policy", "set", "shop"),
        ("consent", "policy", "set", "Shop Nr 1", "--off"),
        ("consent", "show", "shop:C1", "--as-of", "yesterday"),
    ],
)
def test_wrong_usage_is_2(run, arguments):
    assert run(*arguments)[0] == 2


def test_who_is_not_known_is_told_how_to_be_named(run):
    code, out, err = run("consent", "show", "cus_nobody")
    assert (code, out) == (1, "") and "SOURCE:REFERENCE" in err
