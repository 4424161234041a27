"""Version 2: a store says whose it is, and a snapshot in which format its documents are."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what was not said before: what is there, or comes from an older collector, has format 1."""
    op.execute("CREATE TABLE about (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)")
    op.execute("ALTER TABLE snapshot ADD COLUMN format BIGINT NOT NULL DEFAULT 1")
