"""Engine: connections of the application role, and the one place where they are opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event, make_url

from shouxin.database.home import Home, with_driver
from shouxin.database.migrate import migrate
from shouxin.database.supervisor import APP_ROLE, DATABASE_NAME, OWNER_ROLE, EmbeddedServer

_POOL_SIZE = 20
_CONNECT_SECONDS_MAX = 10


@dataclass(frozen=True, slots=True)
class Database:
    """An open database. ``begin()`` is one transaction of the application role."""

    home: Home
    engine: Engine
    server: EmbeddedServer | None

    @property
    def url(self) -> URL:
        """Where the database is now: an embedded server may have had to move to another port."""
        return self.engine.url if self.server is None else make_url(self.server.url())

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with self.engine.begin() as connection:
            yield connection


@contextmanager
def opened(home: Home, *, settings: Mapping[str, str] | None = None) -> Iterator[Database]:
    """The database of ``home``, migrated and ready; ``settings`` go to an embedded server.

    Raises UnableToStartServer, UnableToMigrate, or SQLAlchemy's OperationalError for a server that
    does not answer.
    """
    server = None if home.database_url else EmbeddedServer(home.server, settings=settings)
    if server is not None:
        server.attach()
    try:
        owner_url = home.database_url or _prepared(server)
        migrate(owner_url)
        engine = application_engine(home.database_url or _app_url(server))
        if server is not None:
            _follow(engine, server)
        try:
            yield Database(home, engine, server)
        finally:
            engine.dispose()
    finally:
        if server is not None:
            server.detach()


def application_engine(url: str) -> Engine:
    """A pool of connections that act as the application role, whoever logs in, in UTC."""
    engine = sqlalchemy.create_engine(
        with_driver(url),
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_SIZE,
        pool_pre_ping=True,
        # A host that is gone answers nothing at all; a caller is told so within this time.
        connect_args={"connect_timeout": _CONNECT_SECONDS_MAX},
        hide_parameters=True,  # a value may be somebody's name; it is not for logs
    )

    @event.listens_for(engine, "connect")
    def _act_as_application(connection: Any, _record: Any) -> None:
        connection.autocommit = True
        connection.execute(f"SET ROLE {APP_ROLE}")
        connection.execute("SET TIME ZONE 'UTC'")
        connection.autocommit = False

    return engine


def _follow(engine: Engine, server: EmbeddedServer) -> None:
    """Connect where the server is now: its port may be another's when it is started again."""

    @event.listens_for(engine, "do_connect")
    def _ask_the_port(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        parameters["port"] = make_url(server.url()).port


def _prepared(server: EmbeddedServer | None) -> str:
    """The owner's URL of our database on the embedded server, created at first use."""
    assert server is not None
    maintenance = sqlalchemy.create_engine(
        server.url(OWNER_ROLE, "postgres"), isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool
    )
    with maintenance.connect() as db:
        # Several processes may open a new home at once; one of them makes the database.
        db.execute(sqlalchemy.text("SELECT pg_advisory_lock(727001)"))
        if not db.scalar(sqlalchemy.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": APP_ROLE}):
            password = make_url(server.url()).password
            db.exec_driver_sql(f"CREATE ROLE {APP_ROLE} LOGIN PASSWORD '{password}'")
        if not db.scalar(
            sqlalchemy.text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": DATABASE_NAME}
        ):
            db.exec_driver_sql(f"CREATE DATABASE {DATABASE_NAME}")
    maintenance.dispose()
    return server.url(OWNER_ROLE)


def _app_url(server: EmbeddedServer | None) -> str:
    assert server is not None
    return server.url(APP_ROLE)
