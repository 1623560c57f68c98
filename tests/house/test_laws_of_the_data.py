"""Laws that the database itself holds, whatever the program believes."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from shouxin.database import current_revision, head_revision
from shouxin.governance import append_only_tables

APPEND_ONLY = {
    "ingestion.event",
    "ingestion.quarantine_release",
    "identity.erasure",
    "credit.entry",
    "credit.posting",
    "decisions.decision",
    "decisions.answer",
    "governance.audit",
    "grading.assignment",
    "scoring.model",
}


def test_what_is_a_record_can_only_be_added_to(db):
    assert append_only_tables(db) >= APPEND_ONLY


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
@pytest.mark.parametrize("verb", ["DELETE FROM {}", "TRUNCATE {}"])
def test_the_application_can_not_remove_a_record(db, table, verb):
    with pytest.raises(ProgrammingError, match="permission denied"):
        db.execute(text(verb.format(table)))


@pytest.mark.parametrize("table", ["ingestion.personal", "identity.identifier"])
def test_what_an_erasure_removes_can_not_be_changed(db, table):
    with pytest.raises(ProgrammingError, match="permission denied"):
        db.execute(text(f"UPDATE {table} SET field = 'x'"))


def test_every_table_that_changes_says_why(db):
    silent = db.execute(
        text(
            """
            SELECT DISTINCT table_schema || '.' || table_name
              FROM information_schema.table_privileges
             WHERE grantee = 'shouxin_app' AND privilege_type IN ('UPDATE', 'DELETE')
               AND table_schema NOT IN ('jobs', 'public')
               AND coalesce(obj_description((table_schema || '.' || table_name)::regclass), '') = ''
            """
        )
    ).scalars()
    assert list(silent) == []


def test_the_schemas_stand_at_the_newest_revision(db):
    assert current_revision(db) == head_revision()
