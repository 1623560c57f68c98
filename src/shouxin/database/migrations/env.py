"""Alembic's way in: run the migrations on the connection that ``migrate`` holds."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"], target_metadata=None, version_table_schema="public"
)
context.run_migrations()
