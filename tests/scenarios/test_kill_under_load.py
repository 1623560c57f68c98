"""kill -9 of the database under load, then start: what was acknowledged is there, what is there adds up."""

from __future__ import annotations

import threading
from datetime import date

from sqlalchemy.exc import DBAPIError

from conftest import NOW
from shouxin import credit
from shouxin.credit.ledger import CASH_RECEIVED, SHOP_PAYABLE, Entry, Posting, post
from shouxin.database import opened
from shouxin.database.supervisor import kill_hard, wait_until_gone
from shouxin.kernel import CustomerId, Money, mint

_WRITERS = 6
_ACKNOWLEDGED_BEFORE_KILL = 150


def test_no_acknowledged_posting_is_lost(own_home):
    home = own_home
    acknowledged: set[str] = set()
    enough, stop = threading.Event(), threading.Event()

    def write(database):
        while not stop.is_set():
            reference = mint("drill", now=NOW)
            posting = Posting(SHOP_PAYABLE, CASH_RECEIVED, Money(1, "CNY"))
            try:
                with database.begin() as db:
                    post(db, Entry("drill", reference, date(2026, 3, 2), (posting,)), now=NOW)
            except DBAPIError:
                return
            acknowledged.add(reference)
            if len(acknowledged) >= _ACKNOWLEDGED_BEFORE_KILL:
                enough.set()

    with opened(home) as database:
        with database.begin() as db:
            credit.open_line(db, CustomerId("cus_drill"), limit=Money(100, "CNY"), reason="drill", now=NOW)
        writers = [threading.Thread(target=write, args=(database,)) for _ in range(_WRITERS)]
        for writer in writers:
            writer.start()
        assert enough.wait(60), "the writers are stuck"
        pid = database.server.pid()
        kill_hard(pid)
        stop.set()
        for writer in writers:
            writer.join(30)
        assert wait_until_gone(pid)

    with opened(home) as database, database.begin() as db:
        kept = set(db.exec_driver_sql("SELECT reference FROM credit.entry").scalars())
        assert acknowledged <= kept
        assert credit.check_ledger(db).balanced
        assert credit.line_of(db, CustomerId("cus_drill")).limit == Money(100, "CNY")
