"""The named queries of reporting: every figure on a page or in a report says which of these made it.

They read other rooms' schemas and change nothing. Bound names: ``:lgd``, ``:defaulted_days``,
``:currency``, ``:since``, ``:until``.
"""

from __future__ import annotations

from collections.abc import Mapping

# PD x LGD x EAD by customer; what is owed is the exposure at default, and who is in default has PD 1.
_EXPECTED_LOSS = (
    "round(CASE WHEN l.days_past_due >= :defaulted_days THEN 1 ELSE s.pd END * :lgd * l.outstanding_minor)"
)

QUERIES: Mapping[str, str] = {
    "portfolio_totals": """
        SELECT l.currency, count(*) AS lines,
               sum(l.outstanding_minor)::bigint AS exposure,
               sum(l.held_minor)::bigint AS held,
               sum(l.limit_minor)::bigint AS credit_limit
          FROM credit.line l
         GROUP BY l.currency
         ORDER BY count(*) DESC, l.currency
         LIMIT 1""",
    "overdue_by_bucket": """
        SELECT CASE WHEN l.days_past_due = 0 THEN 'M0' WHEN l.days_past_due <= 30 THEN 'M1'
                    WHEN l.days_past_due <= 60 THEN 'M2' WHEN l.days_past_due <= 90 THEN 'M3'
                    ELSE 'M3+' END AS bucket,
               count(*) AS lines, sum(l.outstanding_minor)::bigint AS exposure
          FROM credit.line l
         WHERE l.currency = :currency AND l.outstanding_minor > 0
         GROUP BY 1
         ORDER BY 1""",
    "grades": f"""
        SELECT s.grade, count(*) AS customers, avg(s.pd) AS mean_pd,
               coalesce(sum(l.outstanding_minor), 0)::bigint AS exposure,
               coalesce(sum({_EXPECTED_LOSS}), 0)::bigint AS expected_loss
          FROM grading.standing s
          LEFT JOIN credit.line l ON l.customer_id = s.customer_id AND l.currency = :currency
         GROUP BY s.grade""",
    "exposure_without_grade": """
        SELECT coalesce(sum(l.outstanding_minor), 0)::bigint AS exposure
          FROM credit.line l
         WHERE l.currency = :currency AND l.outstanding_minor > 0
           AND NOT EXISTS (SELECT FROM grading.standing s WHERE s.customer_id = l.customer_id)""",
    "decisions_by_outcome_30d": """
        SELECT d.outcome AS name, count(*) AS number
          FROM decisions.decision d
         WHERE d.created_at >= :since AND d.created_at < :until
         GROUP BY d.outcome
         ORDER BY d.outcome""",
    "alerts_by_state": """
        SELECT a.state AS name, count(*) AS number
          FROM early_warning.alert a
         GROUP BY a.state
         ORDER BY a.state""",
    "alerts_by_outcome": """
        SELECT a.outcome AS name, count(*) AS number
          FROM early_warning.alert a
         WHERE a.outcome IS NOT NULL
         GROUP BY a.outcome
         ORDER BY a.outcome""",
    "cases_by_state": """
        SELECT c.state AS name, count(*) AS number
          FROM cases.case_file c
         GROUP BY c.state
         ORDER BY c.state""",
    "open_work": """
        SELECT (SELECT count(*) FROM early_warning.alert WHERE state IN ('new', 'triaged')) AS open_alerts,
               (SELECT count(*) FROM cases.case_file WHERE state <> 'closed') AS open_cases""",
}


def query_text(name: str) -> str:
    """The SQL of a named query, as a report's appendix shows it; KeyError for an unknown name."""
    lines = QUERIES[name].strip("\n").splitlines()
    margin = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return "\n".join(line[margin:] for line in lines)
