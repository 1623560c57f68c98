"""Keys that can be turned and destroyed."""

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Nothing yet."""
