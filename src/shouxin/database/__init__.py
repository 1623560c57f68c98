"""The ground that remembers: an embedded PostgreSQL, or any server you name, and the way into it.

``opened()`` gives a ready database: it attaches to the embedded server of this home (starting it if
nobody has), brings the schemas up to date, and hands out transactions of the *application role*,
which can not change or delete what is append-only. ``SHOUXIN_DATABASE_URL`` names another server,
15 to 18, instead. Every service function of the house takes the connection that a door opened here.
"""

from shouxin.database.bulk_copy import copy_rows, copying
from shouxin.database.engine import Database, opened
from shouxin.database.home import Home, find_home
from shouxin.database.migrate import UnableToMigrate, current_revision, head_revision, migrate
from shouxin.database.supervisor import EmbeddedServer, UnableToStartServer

__all__ = [
    "Database",
    "EmbeddedServer",
    "Home",
    "UnableToMigrate",
    "UnableToStartServer",
    "copy_rows",
    "copying",
    "current_revision",
    "find_home",
    "head_revision",
    "migrate",
    "opened",
]
