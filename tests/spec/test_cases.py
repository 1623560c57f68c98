"""What may happen to a case, and by when it must be closed."""

from datetime import timedelta

import pytest

from shouxin.cases.domain import (
    SLA_HOURS,
    CaseState,
    Origin,
    due_at,
    refused_close,
    refused_move,
    refused_note,
    refused_reopen,
)
from shouxin.early_warning.domain import Severity

# from          to               refused because
MOVES = """
-             | investigating | unknown_case
open          | investigating | -
open          | waiting       | -
open          | closed        | move_not_allowed
open          | open          | move_not_allowed
investigating | waiting       | -
investigating | open          | -
waiting       | investigating | -
waiting       | open          | move_not_allowed
closed        | investigating | case_closed
closed        | open          | case_closed
"""


def state(text):
    return None if text == "-" else CaseState(text)


@pytest.mark.parametrize(
    ("here", "there", "code"),
    [[cell.strip() for cell in line.split("|")] for line in MOVES.strip().splitlines()],
)
def test_a_case_moves_as_drawn(here, there, code):
    refusal = refused_move(state(here), CaseState(there))
    assert (refusal.code if refusal else "-") == code


@pytest.mark.parametrize(
    ("here", "reason", "code"),
    [("-", "", "unknown_case"), ("closed", "", "case_closed"), ("open", " ", "reason_missing")],
)
def test_closing_and_noting_are_refused_by_precedence(here, reason, code):
    assert refused_close(state(here), reason=reason).code == code
    assert refused_note(state(here), note=reason).code == code


@pytest.mark.parametrize(
    ("here", "reason", "sibling", "code"),
    [
        ("-", "", 9, "unknown_case"),
        ("open", "", 9, "case_not_closed"),
        ("closed", "", 9, "origin_has_case"),
        ("closed", "", None, "reason_missing"),
        ("closed", "new evidence", None, None),
    ],
)
def test_reopening_is_refused_by_precedence(here, reason, sibling, code):
    refusal = refused_reopen(state(here), reason=reason, sibling=sibling)
    assert (refusal.code if refusal else None) == code


def test_the_worse_the_sooner(now):
    assert due_at(Severity.CRITICAL, opened_at=now) == now + timedelta(hours=24)
    assert [SLA_HOURS[s] for s in Severity] == sorted(SLA_HOURS.values(), reverse=True)


def test_an_origin_is_read_and_spelt_the_same():
    for spelt in ("manual", "alert:17", "decision:dec_01"):
        assert Origin.parse(spelt).text == spelt
    for wrong in ("", "alert", "alert:x", "decision:", "manual:1", "mail:3"):
        with pytest.raises(ValueError, match="is not"):
            Origin.parse(wrong)
