"""The command line: every command explains itself, figures go to standard output, refusals are one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shouxin.entrypoints.cli import _COMMANDS

SHOUXIN = str(Path(sys.executable).parent / "shouxin")


def run(*arguments, home=None):
    environment = os.environ | ({"SHOUXIN_HOME": str(home)} if home else {})
    command = [SHOUXIN, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_the_help_lists_every_command():
    told = run("--help")
    assert told.returncode == 0
    missing = [name for name in _COMMANDS if name not in told.stdout]
    assert not missing


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_every_command_explains_itself(name):
    from typer.testing import CliRunner

    from shouxin.entrypoints.cli import app

    told = CliRunner().invoke(app, [name, "--help"])
    assert told.exit_code == 0, told.output
    assert len(told.output) > 200


def test_wrong_usage_is_2_and_says_so():
    told = run("no-such-command")
    assert told.returncode == 2
    assert "no-such-command" in told.stderr


def test_a_refusal_is_1_and_one_line(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("a,b\n1,2\n")
    told = run(
        "train", "--csv", str(table), "--target", "c", "--model", "ebm", "--out", str(tmp_path / "out")
    )
    assert told.returncode == 1
    assert told.stdout == ""
    assert told.stderr.startswith("shouxin: ") and told.stderr.count("\n") == 1
    absent = run(
        "train", "--csv", str(tmp_path / "none.csv"), "--target", "c", "--model", "ebm", "--out", "x"
    )
    assert absent.returncode == 1 and absent.stderr.count("\n") == 1


def test_the_doctor_finds_a_whole_house_right(shop):
    told = run("doctor", "--json", home=shop.home.path)
    found = {finding["name"]: finding for finding in json.loads(told.stdout)["findings"]}
    wrong = {name for name, finding in found.items() if finding["state"] == "wrong"}
    # The servers of tests do not wait for the disk, which the doctor rightly finds wrong.
    assert wrong == {"PostgreSQL"}, found
    assert told.returncode == 1
    assert found["ledger"]["state"] == found["audit chain"]["state"] == "right"
    assert found["checkout policy"]["state"] == "right"


def test_the_doctor_tells_what_is_wrong_with_a_key_that_others_may_read(shop):
    key = shop.home.keys / "master.key"
    key.chmod(0o644)
    try:
        told = run("doctor", "--json", home=shop.home.path)
    finally:
        key.chmod(0o600)
    assert told.returncode == 1
    assert "master.key" in told.stdout and "chmod 600" in told.stdout
