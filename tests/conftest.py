"""Shared ground of the tests: a real embedded PostgreSQL for each test process."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from hypothesis import HealthCheck, settings
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from shouxin.database import Database, Home, opened
from shouxin.database.engine import application_engine
from shouxin.database.supervisor import DATABASE_NAME, OWNER_ROLE
from shouxin.entrypoints.demo import DemoSettings, run_demo
from shouxin.entrypoints.demo.journal import Journal
from shouxin.entrypoints.house import House
from shouxin.governance import load_keyring
from shouxin.kernel import silent_bar

# No test fails for being slow: the machine may be busy, and speed is what `shouxin bench` measures.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# A test server may lose data in a power cut; nothing else about it differs.
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SMALL_SHOP = DemoSettings(
    customers=2_500, months=18, seed=11, live_days=40, today=date(2026, 3, 2), model="scorecard"
)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that others may enter: as root the server runs as another user."""
    with tempfile.TemporaryDirectory(prefix="shouxin-test-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@pytest.fixture(scope="session")
def home() -> Iterator[Home]:
    with open_folder() as folder:
        yield Home(folder)


@pytest.fixture
def own_home() -> Iterator[Home]:
    """A home for one test alone, for tests that start, stop and kill its server."""
    with open_folder() as folder:
        yield Home(folder)


@pytest.fixture(scope="session")
def database(home: Home) -> Iterator[Database]:
    """The migrated database of this test process; use ``db`` unless the test needs real commits."""
    with opened(home, settings=QUICK) as database:
        yield database


@pytest.fixture
def db(database: Database) -> Iterator[Connection]:
    """A transaction of the application role that is rolled back when the test ends."""
    with database.engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


@pytest.fixture
def fresh_database(database: Database, tmp_path: Path) -> Iterator[Database]:
    """An empty migrated database of its own, for tests that commit or run in parallel."""
    assert database.server is not None
    name = f"fresh_{abs(hash(tmp_path)) % 10**12}"
    maintenance = sqlalchemy.create_engine(
        database.server.url(OWNER_ROLE, "postgres"),
        isolation_level="AUTOCOMMIT",
        poolclass=sqlalchemy.NullPool,
    )
    template = f"{DATABASE_NAME}_template"
    with maintenance.connect() as owner:
        found = owner.scalar(
            sqlalchemy.text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": template}
        )
        if not found:
            owner.exec_driver_sql(f"CREATE DATABASE {template}")
            from shouxin.database import migrate

            migrate(database.server.url(OWNER_ROLE, template))
        owner.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    engine = application_engine(
        str(make_url(database.server.url()).set(database=name).render_as_string(False))
    )
    yield Database(Home(tmp_path), engine, None)
    engine.dispose()
    with maintenance.connect() as owner:
        owner.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def now() -> datetime:
    """A Monday morning in March."""
    return NOW


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of public data sets; tests that need it are skipped where it is absent."""
    folder = Path(
        os.environ.get("SHOUXIN_PUBLIC_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
    )
    if not folder.is_dir():
        pytest.skip(f"public data sets are not at {folder}; set SHOUXIN_PUBLIC_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def shop() -> Iterator[House]:
    """A small simulated shop that went through the whole chain once, in a home of its own.

    Tests read it and may add to it; what they add must not disturb another test.
    """
    with open_folder() as folder, opened(Home(folder), settings=QUICK) as database:
        house = House(database, load_keyring(Home(folder)), Home(folder))
        run_demo(house, SMALL_SHOP, bar=silent_bar, told=lambda *_: None)
        yield house


@pytest.fixture(scope="session")
def shop_journal(shop: House) -> Journal:
    """What the chain of the small shop told."""
    return Journal.opened(shop.home.path / "demo/state.json", {})


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A real Spark in this machine's own Java."""
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed (extra spark)")
    if shutil.which("java") is None:
        pytest.skip("there is no Java; Spark needs one")
    builder = sql.SparkSession.builder.master("local[1]").appName("shouxin tests")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()
