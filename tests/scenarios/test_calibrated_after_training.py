"""In the months after training the slope holds, each grade keeps to its PD, and worse grades default more.

Chance is judged by customer: one who is looked at at six dates is one customer. The level is judged apart
from the grades: it moves with the shop's weather (docs/assessment.md), which nobody knew at training.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from scenarios.furnished import own_house
from shouxin import features, grading, identity, ingestion, scoring, simulation
from shouxin.grading.domain import is_held_out
from shouxin.grading.service.candidates import columns_of, train_candidate
from shouxin.scoring.domain.metrics import level, logit_of

OUTCOME = features.OUTCOMES["defaults-next-180d"]
DATES_AFTER = 6
# Seeds 5, 7 (20,000 customers), 11, 21, 22 and 23 were tried (docs/assessment.md): of each shop one grade
# at most misses its interval, as chance has it, and the slope is from 0.95 to 1.05 but on seed 23 (1.20).
SEED = 11
# Grades of fewer customers tell nothing.
CUSTOMERS_MIN = 100


@pytest.fixture(scope="module")
def later(database, tmp_path_factory):
    """A model learnt at a date, and everybody at six later dates with what happened then."""
    shop = tmp_path_factory.mktemp("shop")
    simulation.simulate(shop, customers=8_000, months=28, start=date(2024, 1, 1), seed=SEED, live_days=0)
    with own_house(database, "calibrated_after") as house, house.database.begin() as db:
        for file in sorted((shop / "events").glob("*.parquet")):
            ingestion.load_file(db, file, keyring=house.keyring, now=house.clock())
        identity.unify(db, keyring=house.keyring, now=house.clock())
        ingestion.export_history(db, house.home.history)
        links = _named_by_reference(identity.links(db))
        _, end = features.history_period(house.home.history, links)
        as_of = end - timedelta(days=OUTCOME.window_days + 1)
        learnt_until = as_of - timedelta(days=30 * (DATES_AFTER - 1))
        candidate = train_candidate(
            db, house.home.history, links,
            as_of=learnt_until, outcome=OUTCOME, model="ebm", now=house.clock(),
        )  # fmt: skip
        report = scoring.find_report(db, candidate.artefact.hash)
        dates = tuple(learnt_until + timedelta(days=30 * step) for step in range(DATES_AFTER))
        table = features.training_set(
            house.home.history, links, as_ofs=dates, outcome=OUTCOME, known_until=end
        )
    assert max(candidate.points) + timedelta(days=OUTCOME.window_days) <= min(dates)
    return candidate, report, table


def _named_by_reference(links: pa.Table) -> pa.Table:
    """Ids are drawn by lot, and who is held out follows from them: here it is the same in every run."""
    first: dict[str, str] = {}
    pairs = zip(links["customer_ref"].to_pylist(), links["customer_id"].to_pylist(), strict=True)
    for reference, customer in sorted(pairs):
        first.setdefault(customer, f"cus_{reference}")
    names = pa.array([first[customer] for customer in links["customer_id"].to_pylist()])
    return links.set_column(links.schema.get_field_index("customer_id"), "customer_id", names)


def _misses(seen, foretold):
    return not (seen.low <= foretold <= seen.high or 0.9 <= seen.value / foretold <= 1.1)


def _judged(artefact, table: pa.Table):
    y = table["event"].to_numpy().astype(float)
    groups = np.unique(table["customer_id"].to_pylist(), return_inverse=True)[1]
    return y, scoring.pd_of_columns(artefact, columns_of(table)), groups


def _by_grade(y, pd, groups):
    """(grade, mean PD, what was seen) of every grade with customers enough."""
    grades = np.array([grading.grade_of(value).value for value in pd.tolist()])
    for grade in "SABCD":
        inside = grades == grade
        if len(np.unique(groups[inside])) >= CUSTOMERS_MIN:
            yield grade, pd[inside].mean(), scoring.clustered_rate_interval(y[inside], groups[inside])


def test_the_champion_is_calibrated_in_the_months_after_training(later):
    candidate, _, table = later
    y, pd, groups = _judged(candidate.artefact, table)
    found = scoring.performance(y, pd, groups=groups)
    slope, ratio = found.evaluation.slope, found.figures["observed_over_expected"]
    assert 0.9 <= slope.value <= 1.1, slope
    # 0.86 to 1.16 was seen over six shops: shocks come and go, and no level of the past foretells them.
    assert 0.75 < ratio.value < 1.33, ratio
    assert found.evaluation.auc.low > 0.75


def test_each_grade_keeps_to_its_pd_at_the_dates_of_training_among_strangers(later):
    candidate, _, _ = later
    rows = candidate.table
    held_out = rows.filter(pa.array([is_held_out(customer) for customer in rows["customer_id"].to_pylist()]))
    told = list(_by_grade(*_judged(candidate.artefact, held_out)))
    assert len(told) >= 4
    # Of five intervals at 95 % one may miss by chance alone; two will not.
    assert sum(_misses(seen, foretold) for _, foretold, seen in told) <= 1, told


def test_each_grade_keeps_to_its_pd_in_the_months_after_but_for_the_weather(later):
    candidate, _, table = later
    y, pd, groups = _judged(candidate.artefact, table)
    log_odds = logit_of(pd)
    weather = 1 / (1 + np.exp(-(log_odds + level(log_odds, y.mean()))))
    grades = np.array([grading.grade_of(value).value for value in pd.tolist()])
    told = list(_by_grade(y, pd, groups))
    assert len(told) >= 4
    missed = [grade for grade, _, seen in told if _misses(seen, weather[grades == grade].mean())]
    assert len(missed) <= 1, (missed, told)


def test_worse_grades_default_more(later):
    candidate, _, table = later
    rates = [seen.value for _, _, seen in _by_grade(*_judged(candidate.artefact, table))]
    assert len(rates) >= 4
    assert rates == sorted(rates)


def test_every_candidate_keeps_its_assessment(later):
    _, report, _ = later
    told = report["assessment"]
    assert told["performance"]["customers"] > 100
    assert told["performance"]["cut_off"]["chosen"] == "as many as there are"
    assert any(name.startswith("outage: ") for name in told["robustness"])
    assert all(set(loss) == {"value", "low", "high"} for loss in told["robustness"].values())
