"""A server of one's own: PostgreSQL 16, through SHOUXIN_DATABASE_URL, with the logins people have there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError
from typer.testing import CliRunner

from conftest import NOW, QUICK, open_folder
from scenarios.furnished import furnish
from shouxin import credit, decisions, governance, ingestion
from shouxin.credit import CheckoutRequest
from shouxin.database import EmbeddedServer, Home, UnableToMigrate, opened
from shouxin.database.supervisor import OWNER_ROLE
from shouxin.entrypoints.cli import app
from shouxin.kernel import Money

DAY = date(2026, 3, 2)
APPEND_ONLY = (
    "ingestion.event", "credit.entry", "credit.posting", "credit.repayment", "decisions.decision",
    "governance.audit", "grading.assignment", "cases.case_event",
)  # fmt: skip


@dataclass(frozen=True)
class OtherServer:
    """A PostgreSQL 16 that is not ours, and its superuser."""

    server: EmbeddedServer
    folder: Path

    def run(self, *statements: str, database: str = "postgres") -> None:
        engine = sqlalchemy.create_engine(
            self.server.url(OWNER_ROLE, database), isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool
        )
        with engine.connect() as db:
            for statement in statements:
                db.exec_driver_sql(statement)

    def home(self, name: str, login: str | None = None) -> Home:
        """A home of its own on the database ``name``, as ``login``, else as the superuser."""
        url = make_url(self.server.url(OWNER_ROLE, name)).set(drivername="postgresql")
        if login is not None:
            url = url.set(username=login, password="secret")
        folder = self.folder / f"home-{name}"
        folder.mkdir(exist_ok=True)
        return Home(folder, url.render_as_string(hide_password=False))


@pytest.fixture
def other():
    """A server for each test: roles are of the whole server, and who made one decides who may grant it."""
    with open_folder() as folder:
        server = EmbeddedServer(folder / "server", settings=QUICK, programs="pginstall")
        server.attach()
        other = OtherServer(server, folder)
        other.run(
            "CREATE ROLE landlord LOGIN CREATEROLE PASSWORD 'secret'",
            "CREATE ROLE tenant LOGIN PASSWORD 'secret'",
            "CREATE DATABASE landlord OWNER landlord",
            "CREATE DATABASE tenant OWNER tenant",
            "CREATE DATABASE superuser",
        )
        yield other
        server.detach()


def test_it_is_another_version_than_ours(other):
    with sqlalchemy.create_engine(other.server.url(OWNER_ROLE, "postgres")).connect() as db:
        assert db.scalar(text("SHOW server_version")).startswith("16.")


def test_a_login_that_may_not_make_roles_is_told_what_it_needs(other):
    needs = "CREATEROLE, or be granted the role shouxin_app"
    with pytest.raises(UnableToMigrate, match=needs), opened(other.home("tenant", "tenant")):
        pass
    # As the page on operating says: the role is made and granted beforehand.
    other.run("CREATE ROLE shouxin_app NOLOGIN", "GRANT shouxin_app TO tenant")
    with opened(other.home("tenant", "tenant")) as database, database.begin() as db:
        assert db.scalar(text("SELECT current_user")) == "shouxin_app"


@pytest.mark.parametrize("login", ["landlord", "superuser"])
def test_a_thin_thread_through_the_house(other, login):
    home = other.home(login, None if login == "superuser" else login)
    with opened(home) as database:
        assert database.server is None
        with database.begin() as db:
            furnish(db, now=NOW, day=DAY)
            asked = CheckoutRequest(customer_ref="C000", order_id="O1", amount=Money(9_000, "CNY"))
            answer = credit.decide(db, asked, now=NOW, business_date=DAY)
        with database.begin() as db:
            plan = credit.capture(db, answer.hold_id, now=NOW, business_date=DAY)
            credit.repay(
                db, plan.plan_id, amount=Money(3_000, "CNY"), now=NOW, business_date=DAY, reference="bank-1"
            )
            credit.close_day(db, business_date=DAY, now=NOW)
            governance.record_audit(db, actor="a", action="b", subject="c", detail={}, now=NOW)
        with database.begin() as db:
            assert credit.check_ledger(db).balanced
            assert credit.line_of(db, answer.customer_id).outstanding == Money(6_000, "CNY")
            assert decisions.replay(db, answer.decision_id).identical
            assert ingestion.event_count(db) > 0
    _nothing_is_changed_or_removed(home)
    with opened(home):  # and opened again, with nothing to migrate
        pass


def _nothing_is_changed_or_removed(home):
    """The application role really can not, whatever it tries."""
    with opened(home) as database:
        for table in APPEND_ONLY:
            with database.engine.connect() as db:
                column = db.scalar(
                    text("SELECT attname FROM pg_attribute WHERE attrelid = :t ::regclass AND attnum = 1"),
                    {"t": table},
                )
            for statement in (
                f"DELETE FROM {table}", f"UPDATE {table} SET {column} = DEFAULT", f"TRUNCATE {table}",
                f"ALTER TABLE {table} DISABLE TRIGGER ALL", f"DROP TABLE {table}",
            ):  # fmt: skip
                refused = pytest.raises(ProgrammingError, match=r"permission denied|must be owner")
                with refused, database.begin() as db:
                    db.exec_driver_sql(statement)


class TestDoctor:
    """What the doctor says of a server that is not ours."""

    @staticmethod
    def look(home, monkeypatch):
        monkeypatch.setenv("SHOUXIN_DATABASE_URL", home.database_url)
        result = CliRunner().invoke(app, ["doctor", "--home", str(home.path), "--json"])
        findings = json.loads(result.stdout)["findings"]
        return result.exit_code, {f["name"]: (f["state"], f["told"]) for f in findings}

    def test_it_sees_a_grant_that_is_too_wide_and_commits_that_may_be_lost(self, other, monkeypatch):
        other.run("CREATE DATABASE doctored")
        with opened(other.home("doctored")):
            pass
        _, sound = self.look(other.home("doctored"), monkeypatch)
        assert sound["append-only"][0] == "right" and sound["schemas"][0] == "right"
        assert "commits may be lost" in sound["PostgreSQL"][1]  # fsync is off in tests
        other.run("GRANT UPDATE ON credit.posting TO shouxin_app", database="doctored")
        code, found = self.look(other.home("doctored"), monkeypatch)
        assert code == 1 and found["append-only"] == ("wrong", "the application may change credit.posting")

    def test_it_tells_a_server_that_is_not_there_and_no_password(self, other, monkeypatch):
        url = make_url(other.home("nowhere").database_url).set(port=1, password="hunter2")
        home = Home(other.folder / "home-nowhere", url.render_as_string(hide_password=False))
        code, found = self.look(home, monkeypatch)
        assert code == 1 and found["database"][0] == "wrong"
        assert "refused" in found["database"][1] and "hunter2" not in str(found)
