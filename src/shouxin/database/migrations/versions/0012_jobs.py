"""The schema of `jobs`: procrastinate's own tables, in a schema apart."""

from alembic import op
from procrastinate.schema import SchemaManager

from shouxin.database.grants import schema_sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the job tables; a queue is not a record, so the application may change and remove its rows."""
    op.execute(schema_sql("jobs"))
    op.execute("SET LOCAL search_path TO jobs")
    # The driver reads a percent sign as a placeholder, and the library's SQL has some.
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"), ())
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jobs TO shouxin_app")
    op.execute("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA jobs TO shouxin_app")
    op.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA jobs TO shouxin_app")
    op.execute("SET LOCAL search_path TO DEFAULT")
