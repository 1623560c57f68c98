"""Migrations: bring the schemas of all rooms to the newest revision, one at a time, once."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from shouxin.database.home import with_driver
from shouxin.database.supervisor import APP_ROLE

_FOLDER = Path(__file__).parent / "migrations"
_SERVER_VERSION_MIN = 150000
_LOCK_ID = 727002


class UnableToMigrate(RuntimeError):
    """The database is newer than this program, its server too old, or the login may not do it."""


def migrate(url: str) -> None:
    """Bring the database at ``url`` (its owner's) to the head revision; safe to call from many processes."""
    engine = sqlalchemy.create_engine(with_driver(url), poolclass=sqlalchemy.NullPool)
    with engine.begin() as db:
        _check_server(db)
        db.execute(text("SET LOCAL lock_timeout = '60s'"))
        db.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _LOCK_ID})
        revision = current_revision(db)
        if revision == head_revision():
            return
        _check_known(revision)
        _upgrade(db)
        # So that the application can say where its schemas stand.
        db.execute(text(f"GRANT SELECT ON public.alembic_version TO {APP_ROLE}"))


def current_revision(db: Connection) -> str | None:
    """The revision the database stands at, or None for an empty one."""
    if db.scalar(text("SELECT to_regclass('public.alembic_version')")) is None:
        return None
    revision: str | None = db.scalar(text("SELECT version_num FROM public.alembic_version"))
    return revision


def head_revision() -> str:
    """The newest revision that this program knows."""
    head = ScriptDirectory.from_config(_config(None)).get_current_head()
    assert head is not None, "there is at least one migration"
    return head


def _upgrade(db: Connection) -> None:
    try:
        command.upgrade(_config(db), "head")
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        raise UnableToMigrate(
            f"the login of SHOUXIN_DATABASE_URL may not make the schemas: {error.orig.diag.message_primary}; "
            "let it own the database and have CREATEROLE, or be granted the role "
            f"{APP_ROLE} beforehand; see docs/operating.md"
        ) from None


def _check_server(db: Connection) -> None:
    version = int(db.scalar(text("SHOW server_version_num")))
    if version < _SERVER_VERSION_MIN:
        raise UnableToMigrate(f"PostgreSQL 15 or newer is needed; this server is {version // 10000}")


def _check_known(revision: str | None) -> None:
    script = ScriptDirectory.from_config(_config(None))
    known = {item.revision for item in script.walk_revisions()}
    if revision is not None and revision not in known:
        raise UnableToMigrate(
            f"the database is at revision {revision}, which this version of Shouxin does not know; "
            "use the newer version that wrote it"
        )


def _config(db: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = db
    return config
