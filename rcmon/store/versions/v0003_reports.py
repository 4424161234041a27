"""Version 3: what agents push."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the newest report of each agent and kind."""
    words = {"sqlite": ("DOUBLE", "BLOB"), "postgresql": ("DOUBLE PRECISION", "BYTEA")}
    real, blob = words[op.get_context().dialect.name]
    op.execute(
        "CREATE TABLE report (agent TEXT NOT NULL, kind TEXT NOT NULL,"
        f" time {real} NOT NULL, received {real} NOT NULL, subject TEXT NOT NULL, digest TEXT NOT NULL,"
        f" body {blob} NOT NULL, PRIMARY KEY (agent, kind))"
    )
