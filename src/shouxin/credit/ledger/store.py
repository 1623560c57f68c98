"""SQL of the ledger."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection, text

from shouxin.credit.ledger.domain import Entry, LedgerProblem

_PROBLEMS_MAX = 100

_ACCOUNTS = """
    SELECT account, currency, sum(amount_minor)::bigint AS minor FROM (
        SELECT destination AS account, currency, amount_minor FROM credit.posting
        UNION ALL SELECT source, currency, -amount_minor FROM credit.posting) legs
     GROUP BY account, currency
"""

# Each query returns (subject, expected, found) for what does not agree.
_INVARIANTS = {
    "accounts of a currency add up to zero": f"""
        SELECT currency AS subject, 0::bigint AS expected, sum(minor)::bigint AS found
          FROM ({_ACCOUNTS}) a GROUP BY currency HAVING sum(minor) <> 0""",
    "an entry has postings": """
        SELECT 'entry ' || e.entry_no AS subject, 1::bigint AS expected, 0::bigint AS found
          FROM credit.entry e
         WHERE NOT EXISTS (SELECT FROM credit.posting p WHERE p.entry_no = e.entry_no)""",
    "what a line owes is the balance of its receivable": f"""
        SELECT coalesce('receivable:' || l.line_id, a.account) AS subject,
               coalesce(a.minor, 0) AS expected, coalesce(l.outstanding_minor, 0) AS found
          FROM credit.line l FULL JOIN (SELECT * FROM ({_ACCOUNTS}) x WHERE account LIKE 'receivable:%') a
            ON a.account = 'receivable:' || l.line_id AND a.currency = l.currency
         WHERE coalesce(a.minor, 0) <> coalesce(l.outstanding_minor, 0)""",
    "what a line holds is the sum of its open holds": """
        SELECT l.line_id AS subject, coalesce(h.minor, 0) AS expected, l.held_minor AS found
          FROM credit.line l
          LEFT JOIN (SELECT line_id, sum(amount_minor)::bigint AS minor FROM credit.hold
                      WHERE state = 'held' GROUP BY line_id) h USING (line_id)
         WHERE l.held_minor <> coalesce(h.minor, 0)""",
    "what a line owes is the sum of its unpaid instalments": """
        SELECT l.line_id AS subject, coalesce(i.minor, 0) AS expected, l.outstanding_minor AS found
          FROM credit.line l
          LEFT JOIN (SELECT line_id, sum(amount_minor - paid_minor)::bigint AS minor FROM credit.instalment
                      GROUP BY line_id) i USING (line_id)
         WHERE l.outstanding_minor <> coalesce(i.minor, 0)""",
    "the instalments of a plan add up to its amount": """
        SELECT p.plan_id AS subject, p.amount_minor AS expected,
               coalesce(sum(i.amount_minor), 0)::bigint AS found
          FROM credit.plan p LEFT JOIN credit.instalment i USING (plan_id)
         GROUP BY p.plan_id, p.amount_minor HAVING p.amount_minor <> coalesce(sum(i.amount_minor), 0)""",
    "what was paid on an instalment is the sum of its allocations": """
        SELECT i.plan_id || '/' || i.number AS subject, coalesce(sum(a.amount_minor), 0)::bigint AS expected,
               i.paid_minor AS found
          FROM credit.instalment i LEFT JOIN credit.allocation a USING (plan_id, number)
         GROUP BY i.plan_id, i.number, i.paid_minor
        HAVING i.paid_minor <> coalesce(sum(a.amount_minor), 0)""",
    "a repayment is allocated whole": """
        SELECT r.repayment_id AS subject, r.amount_minor AS expected,
               coalesce(sum(a.amount_minor), 0)::bigint AS found
          FROM credit.repayment r LEFT JOIN credit.allocation a USING (repayment_id)
         GROUP BY r.repayment_id, r.amount_minor HAVING r.amount_minor <> coalesce(sum(a.amount_minor), 0)""",
}


def held_business_date(db: Connection) -> date:
    """The business date, which can not be closed until this transaction ends; others may hold it, too."""
    found: date = db.execute(
        text("SELECT business_date FROM credit.business_date FOR KEY SHARE")
    ).scalar_one()
    return found


def insert_entry(db: Connection, entry: Entry, *, now: datetime) -> int:
    """Write an entry and its postings; returns its number."""
    number: int = db.execute(
        text(
            "INSERT INTO credit.entry (kind, reference, business_date, posted_at) "
            "VALUES (:kind, :reference, :business_date, :now) RETURNING entry_no"
        ),
        {
            "kind": entry.kind,
            "reference": entry.reference,
            "business_date": entry.business_date,
            "now": now,
        },
    ).scalar_one()
    db.execute(
        text(
            "INSERT INTO credit.posting (entry_no, source, destination, amount_minor, currency) "
            "VALUES (:entry_no, :source, :destination, :minor, :currency)"
        ),
        [
            {
                "entry_no": number,
                "source": posting.source,
                "destination": posting.destination,
                "minor": posting.amount.minor,
                "currency": posting.amount.currency,
            }
            for posting in entry.postings
        ],
    )
    return number


def account_minor(db: Connection, account: str, currency: str) -> int:
    """The balance of one account."""
    statement = text(
        "SELECT coalesce((SELECT sum(amount_minor) FROM credit.posting "
        "WHERE destination = :account AND currency = :currency), 0)::bigint "
        "- coalesce((SELECT sum(amount_minor) FROM credit.posting "
        "WHERE source = :account AND currency = :currency), 0)::bigint"
    )
    return int(db.scalar(statement, {"account": account, "currency": currency}))


def counts(db: Connection) -> tuple[int, int, int]:
    """How many entries, postings and lines there are."""
    row = db.execute(
        text(
            "SELECT (SELECT count(*) FROM credit.entry), (SELECT count(*) FROM credit.posting), "
            "(SELECT count(*) FROM credit.line)"
        )
    ).one()
    return int(row[0]), int(row[1]), int(row[2])


def find_problems(db: Connection) -> tuple[LedgerProblem, ...]:
    """What breaks an invariant, the first hundred."""
    found: list[LedgerProblem] = []
    for invariant, query in _INVARIANTS.items():
        rows = db.execute(text(f"{query} ORDER BY 1 LIMIT :most"), {"most": _PROBLEMS_MAX})
        found += [LedgerProblem(invariant, row.subject, row.expected, row.found) for row in rows]
    return tuple(found[:_PROBLEMS_MAX])
