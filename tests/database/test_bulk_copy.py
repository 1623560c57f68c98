"""COPY when the database goes away in the middle."""

import pytest
from sqlalchemy.exc import OperationalError

from shouxin.database import copy_rows


def test_a_database_lost_in_mid_copy_is_told_like_any_other(fresh_database):
    def rows(other, pid):
        yield ("a", b"1")
        other.exec_driver_sql("SELECT pg_terminate_backend(%s)", (pid,))
        for number in range(1_000_000):  # until the driver notices
            yield (f"a{number}", b"1")

    with pytest.raises(OperationalError), fresh_database.begin() as db, fresh_database.begin() as other:
        pid = db.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        copy_rows(db, "governance.data_key", ("subject", "wrapped"), rows(other, pid))
    with fresh_database.begin() as db:
        assert db.exec_driver_sql("SELECT count(*) FROM governance.data_key").scalar() == 0
