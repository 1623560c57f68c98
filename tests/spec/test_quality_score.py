"""The score of data quality: a table of cases, and how fresh a source is."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shouxin.ingestion.domain.quality import (
    WEIGHTS_BP,
    Dimension,
    QualityDay,
    Tally,
    freshness,
    quality_score,
    rule_of,
    total_of,
)

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

# rows | comp | vali | uniq | cons | time | accu |  score
TABLE = """
   100 |    0 |    0 |    0 |    0 |    0 |    0 |  10000
   100 |  100 |    0 |    0 |    0 |    0 |    0 |   7500
   100 |    0 |  100 |    0 |    0 |    0 |    0 |   7500
   100 |    0 |    0 |  100 |    0 |    0 |    0 |   9000
   100 |    0 |    0 |    0 |  100 |    0 |    0 |   8500
   100 |    0 |    0 |    0 |    0 |  100 |    0 |   9000
   100 |    0 |    0 |    0 |    0 |    0 |  100 |   8500
   100 |  100 |  100 |  100 |  100 |  100 |  100 |      0
   200 |   50 |    0 |    0 |    0 |    0 |    0 |   9375
     3 |    1 |    0 |    0 |    0 |    0 |    0 |   9166
541909 | 135080 |  0 | 5268 |    0 |    0 |    0 |   9366
"""
CASES = [[int(cell) for cell in line.split("|")] for line in TABLE.strip().splitlines()]
_D = Dimension
ORDER = (_D.COMPLETENESS, _D.VALIDITY, _D.UNIQUENESS, _D.CONSISTENCY, _D.TIMELINESS, _D.ACCURACY)


@pytest.mark.parametrize("case", CASES, ids=[f"{case[0]}-{case[-1]}" for case in CASES])
def test_the_score_of_a_day(case):
    read, *flawed, expected = case
    score = quality_score(read, dict(zip(map(str, ORDER), flawed, strict=True)))
    assert score is not None and score.total_bp == expected


def test_the_weights_make_a_whole():
    assert sum(WEIGHTS_BP.values()) == 10_000 and set(WEIGHTS_BP) == set(Dimension)


def test_a_day_without_rows_has_no_score():
    assert quality_score(0, {}) is None


def test_a_row_counts_once_in_each_dimension_and_notes_do_not_lower_the_score():
    tally = Tally()
    tally.passed("shop")
    tally.accepted("shop")
    tally.found("shop", [rule_of("missing"), rule_of("There is nothing in it."), rule_of("negative")])
    (count,) = tally.counts(adapter="envelope")
    assert count.findings == {"missing": 1, "empty": 1, "amount_negative": 1}
    assert count.flawed == {"completeness": 1, "accuracy": 1}


def test_a_row_of_nobody_is_counted_as_unknown():
    tally = Tally()
    for source in ("", "The Shop", "shop\n"):
        tally.refused(source, "missing")
    assert [(one.source, one.read) for one in tally.counts(adapter="x")] == [("unknown", 3)]


def test_days_are_added_up():
    days = [
        QualityDay("shop", date(2026, 3, day), 10, 8, 1, 1, {"missing": 1, "late": day}, {"completeness": 1})
        for day in (1, 2)
    ]
    total = total_of(days)
    assert (total.read, total.accepted, total.duplicates, total.quarantined) == (20, 16, 2, 2)
    assert (total.findings, total.flawed) == ({"missing": 2, "late": 3}, {"completeness": 2})


# hours between arrivals | hours since the last | usual gap | late
FRESH = [
    ([], 500, None, False),
    ([24] * 3, 500, None, False),
    ([24] * 4, 47, 24, False),
    ([24] * 4, 49, 24, True),
    ([1] * 40 + [10], 3, 1, True),
    ([1, 1, 1, 10], 19, 10, False),
]


@pytest.mark.parametrize(("gaps", "silent", "usual", "late"), FRESH)
def test_how_fresh_a_source_is(gaps, silent, usual, late):
    arrivals = [NOW - timedelta(hours=silent)]
    for gap in reversed(gaps):
        arrivals.insert(0, arrivals[0] - timedelta(hours=gap))
    found = freshness(arrivals, newest_event=NOW, now=NOW)
    assert (found.usual_gap, found.is_late) == (usual and timedelta(hours=usual), late)
    assert found.last_arrival == arrivals[-1]
