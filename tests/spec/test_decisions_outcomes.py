"""The standard checkout policy as a drawn table: what is asked, what is known, what is said and why.

Refusals come by precedence: the hardest outcome wins, and its reasons are told in the order of the rules.
"""

import pytest

from shouxin.decisions import STANDARD_CHECKOUT, evaluate

REASON = {
    "code": "late_repayments_180d.high",
    "rank": 1,
    "text": {"zh": "近 180 天迟还次数偏高", "en": "Late repayments in 180 days are higher than usual"},
    "points": -38,
    "feature": "late_repayments_180d",
    "value": 2.0,
}

# amount   plan          grade  available  late  frozen  refunds | outcome       reasons
TABLE = """
  1299.00  pay_in_3      S      5000.00    0     no      0       | approve       late_repayments_180d.high
  1299.00  pay_later_30  A      1299.00    0     no      0       | approve       late_repayments_180d.high
  1299.00  pay_in_3      B      1298.99    0     no      0       | counter_offer ABOVE_AVAILABLE
 12000.00  pay_in_3      S     20000.00    0     no      0       | counter_offer ABOVE_ORDER_MAXIMUM
 12000.00  pay_in_3      S     11000.00    0     no      0       | counter_offer ABOVE_AVAILABLE ABOVE_ORDER_MAXIMUM
  1500.00  pay_in_3      C      2000.00    0     no      0       | approve       late_repayments_180d.high
  1500.01  pay_in_3      C      2000.00    0     no      0       | review        LARGE_FOR_GRADE
  1600.00  pay_in_3      C      1000.00    0     no      5       | review        LARGE_FOR_GRADE REFUND_ONLY_RUN
  1299.00  pay_in_3      D      5000.00    0     no      0       | decline       late_repayments_180d.high
  1299.00  pay_in_3      A      5000.00    1     no      0       | decline       PAST_DUE
  1299.00  pay_in_3      A      5000.00    0     yes     0       | decline       LINE_FROZEN
  1299.00  pay_in_3      D      5.00       9     yes     9       | decline       late_repayments_180d.high LIMIT_EXHAUSTED LINE_FROZEN PAST_DUE
     9.99  pay_in_3      S      5000.00    0     no      0       | decline       AMOUNT_TOO_SMALL
    10.00  pay_in_3      S      5000.00    0     no      0       | approve       late_repayments_180d.high
  1299.00  pay_in_3      S      9.99       0     no      0       | decline       LIMIT_EXHAUSTED
  1299.00  pay_in_12     S      5000.00    0     no      0       | decline       PLAN_NOT_OFFERED
  1299.00  pay_in_3      S      none       0     no      0       | decline       NO_LINE
  1299.00  pay_in_3      ?      5000.00    0     no      0       | review        MISSING_FACT.score.grade
  1299.00  pay_in_3      B      5000.00    ?     no      0       | review        MISSING_FACT.line.days_past_due
  1299.00  pay_in_3      B      5000.00    0     alike   0       | review        HOLDER_NOT_PROVEN
  1299.00  pay_in_3      B      5000.00    0     no      ?       | approve       late_repayments_180d.high
"""  # noqa: E501
ROWS = [line.split("|") for line in TABLE.strip().splitlines()]
PDS = {"S": 0.003, "A": 0.01, "B": 0.02, "C": 0.06, "D": 0.2, "?": None}


def minor(text):
    return round(float(text) * 100)


def facts_of(given):
    amount, plan, grade, available, late, frozen, refunds = given.split()
    facts = {
        "request.amount": minor(amount),
        "request.currency": "CNY",
        "request.plan": plan,
        "score.pd": PDS[grade],
        "score.grade": None if grade == "?" else grade,
        "score.points": 600,
        "score.reasons": [REASON],
        "feature.refund_only_count_180d": None if refunds == "?" else float(refunds),
        "line.open": available != "none",
    }
    if available == "none":
        return facts
    return facts | {
        "line.currency": "CNY",
        "line.limit": minor(available),
        "line.held": 0,
        "line.outstanding": 0,
        "line.available": minor(available),
        "line.frozen": frozen == "yes",
        "line.holder_proven": frozen != "alike",
        "line.days_past_due": None if late == "?" else int(late),
    }


@pytest.mark.parametrize(("given", "said"), ROWS, ids=[row[0].strip() for row in ROWS])
def test_the_standard_checkout(given, said):
    outcome, *codes = said.split()
    verdict = evaluate(STANDARD_CHECKOUT, facts_of(given))
    assert (verdict.outcome, [reason.code for reason in verdict.reasons]) == (outcome, codes)
    assert [reason.rank for reason in verdict.reasons] == list(range(1, len(codes) + 1))


def test_an_order_in_another_currency_is_declined():
    facts = facts_of(ROWS[0][0]) | {"request.currency": "USD"}
    verdict = evaluate(STANDARD_CHECKOUT, facts)
    assert (verdict.outcome, verdict.reasons[0].code) == ("decline", "CURRENCY_NOT_SERVED")
