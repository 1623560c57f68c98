"""Match records, scored pairs, clerks' decisions and the history of customers."""

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Nothing yet."""
