"""External credit data, what it cost and how fresh it is."""

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Nothing yet."""
