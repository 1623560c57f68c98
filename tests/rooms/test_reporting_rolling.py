"""Roll rates and vintages, and the command that tells them."""

from __future__ import annotations

import json
import random

import pytest
from typer.testing import CliRunner

from shouxin.entrypoints.cli import app
from shouxin.reporting import UnableToRoll, monthly_states, roll_rates, vintages

BUCKETS = {"C": "M0", "X": "M0", "0": "M1", "1": "M2"}
# account, months (calendar) and states: a paid and fell back; b went on to M2; c opened later, closed early.
BOOK = [
    ("a", -4, "0"), ("a", -3, "C"), ("a", -2, "0"), ("a", -1, "0"),
    ("b", -4, "X"), ("b", -3, "0"), ("b", -2, "1"), ("b", 0, "1"),
    ("c", -2, "1"), ("c", -1, "C"),
]  # fmt: skip


def states(rows=BOOK, buckets=BUCKETS):
    accounts, months, found = zip(*rows, strict=True)
    return monthly_states(accounts, months, found, buckets=buckets)


def test_months_are_counted_from_the_first_one_of_each_account():
    found = states()
    assert found.buckets == ("M0", "M1", "M2")
    assert found.opened.tolist() == [-4, -4, -2]
    assert found.states.tolist() == [[1, 0, 1, 1, -1], [0, 1, 2, -1, 2], [2, 0, -1, -1, -1]]


def test_a_month_that_was_not_seen_is_neither_left_nor_reached():
    rates = roll_rates(states())
    #         to M0 M1 M2
    assert rates.counts == ((0, 2, 0), (1, 1, 1), (1, 0, 0))
    assert rates.shares[1] == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert rates.as_data()[2] == {"from": "M2", "months": 1, "to": {"M0": 1.0, "M1": 0.0, "M2": 0.0}}


def test_a_bucket_that_was_never_left_has_no_shares():
    rates = roll_rates(states([("a", 0, "C"), ("a", 1, "1")]))
    assert rates.shares[2] == (None, None, None)


def test_a_cohort_is_told_as_long_as_all_of_it_could_be_seen():
    older, younger = vintages(states(), bucket="M2")
    assert (older.opened, older.accounts, older.reached) == (-4, 2, (0.0, 0.0, 0.5, 0.5, 0.5))
    assert (younger.opened, younger.accounts, younger.reached) == (-2, 1, (1.0, 1.0, 1.0))


def test_the_order_of_the_rows_changes_nothing():
    shuffled = BOOK.copy()
    random.Random(5).shuffle(shuffled)
    assert roll_rates(states(shuffled)).counts == roll_rates(states()).counts
    assert vintages(states(shuffled), bucket="M1") == vintages(states(), bucket="M1")


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([*BOOK, ("d", 0, "9")], "row 11: the state '9' is in no bucket"),
        ([*BOOK, ("a", -3, "0")], "row 11: an account has two states in one month"),
    ],
)
def test_what_is_no_book_is_refused_with_its_row(rows, problem):
    with pytest.raises(UnableToRoll, match=problem):
        states(rows)


def test_the_command_tells_both_tables(tmp_path):
    path = tmp_path / "book.csv"
    path.write_text("id,month,state\n" + "".join(f"{a},{m},{s}\n" for a, m, s in BOOK))
    options = ["--csv", str(path), "--id", "id", "--month", "month", "--state", "state"]
    buckets = ["--buckets", "C=M0,X=M0,0=M1,1=M2"]
    ran = CliRunner().invoke(app, ["roll", *options, *buckets, "--reached", "M2", "--json"])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert told["accounts"] == 3
    assert told["roll_rates"][0] == {"from": "M0", "months": 2, "to": {"M0": 0.0, "M1": 1.0, "M2": 0.0}}
    assert told["vintages"][0]["reached"] == [0.0, 0.0, 0.5, 0.5, 0.5]
    shown = CliRunner().invoke(app, ["roll", *options, *buckets, "--reached", "M2"])
    assert shown.exit_code == 0 and "Roll rates" in shown.output
    wrong = CliRunner().invoke(app, ["roll", *options, *buckets, "--reached", "M9"])
    assert wrong.exit_code == 2
    lacking = CliRunner().invoke(app, ["roll", *options, "--buckets", "C=M0", "--reached", "M0"])
    assert lacking.exit_code == 1
